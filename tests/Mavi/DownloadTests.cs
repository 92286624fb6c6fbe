using System.Security.Cryptography;
using Mavi.Client;
using Mavi.Tests.Support;

namespace Mavi.Tests.Client;

/// <summary>A download is a whole file at its place, or nothing at all.</summary>
public sealed class DownloadTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("mavi-download-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_file_is_at_the_path_asked_for_and_replaces_the_one_before()
    {
        var content = RandomNumberGenerator.GetBytes(700_000);
        await using var server = await ServeAsync(content, "video/mp4", "attachment; filename=\"holiday.mp4\"");
        using var client = server.Client();
        var path = Path.Combine(folder, "new", "sub folder", "mine.bin");

        for (var time = 1; time <= 2; time++)
        {
            var file = await client.DownloadAsync("re_1", path, CancellationToken.None);

            Assert.Equal(new DownloadedFile(path, "holiday.mp4", "video/mp4", content.Length), file);
            Assert.Equal(content, await File.ReadAllBytesAsync(path));
            Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
        }

        Assert.All(server.Requests, request => Assert.Equal(("GET", "/re_1/download", Clients.Key), (request.Method, request.Path, request.Headers["Authorization"])));
    }

    [Theory]
    [InlineData("attachment; filename=\"holiday.MP4\"", "video/mp4", "imc_1_0.mp4", "holiday.MP4")]
    [InlineData("attachment; filename=\"../../../etc/passwd.d/x.jpg\"", "image/jpeg", "imc_1_0.jpg", "x.jpg")]
    [InlineData("attachment; filename=\"..\\\\..\\\\boot.ini\"", "image/jpeg", "imc_1_0.ini", "boot.ini")]
    [InlineData("attachment; filename*=UTF-8''%E6%97%A5.zip", "application/zip", "imc_1_0.zip", "日.zip")]
    [InlineData("attachment; filename=\"x.a b/c\"", "application/zip", "imc_1_0.zip", "c")]
    [InlineData("attachment", "image/png", "imc_1_0.png", null)]
    [InlineData("attachment", "application/json", "imc_1_0", null)]
    [InlineData(null, "application/octet-stream", "imc_1_0", null)]
    public async Task In_a_folder_it_is_named_by_its_id_and_never_by_a_path_of_the_server(string? disposition, string type, string name, string? said)
    {
        await using var server = await ServeAsync([1, 2, 3], type, disposition);
        using var client = server.Client();

        var file = await client.DownloadAsync("imc_1_0", folder, CancellationToken.None);

        Assert.Equal(new DownloadedFile(Path.Combine(folder, name), said, type, 3), file);
        Assert.Equal([file.Path], Directory.GetFiles(folder));
    }

    [Theory]
    [InlineData(400, "application/json", """{"code":400,"msg":"Asset not found","data":null,"success":false,"failed":true}""", MaviFailure.NotFound)]
    [InlineData(200, "application/json", """{"code":402,"msg":"Insufficient balance to download the resource.","success":false}""", MaviFailure.AccountBlocked)]
    [InlineData(200, "application/problem+json; charset=utf-8", """{"code":429,"msg":"?"}""", MaviFailure.Throttled)]
    [InlineData(200, "application/json", """{"code":200,"msg":"success","data":{}}""", MaviFailure.Unknown)]
    [InlineData(200, "text/html", "<html/>", MaviFailure.Unknown)]
    [InlineData(200, null, "?", MaviFailure.Unknown)]
    [InlineData(204, "video/mp4", "", MaviFailure.Unknown)]
    [InlineData(404, "video/mp4", "?", MaviFailure.Rejected)]
    [InlineData(503, "video/mp4", "?", MaviFailure.Unavailable)]
    public async Task What_is_no_file_leaves_none(int status, string? type, string body, MaviFailure expected)
    {
        await using var server = await MaviServer.StartAsync(status, body, type);
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.DownloadAsync("re_1", Path.Combine(folder, "a", "b.mp4"), CancellationToken.None));

        Assert.Equal(expected, failure.Kind);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Theory]
    [InlineData("Content-Length: 100000\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")]
    public async Task A_stream_that_is_cut_leaves_no_half_file_and_keeps_the_one_before(string rest)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n" + rest + "more");
            connection.Close();
        });
        using var client = Clients.For(server.BaseUrl);
        var path = Path.Combine(folder, "b.mp4");
        await File.WriteAllTextAsync(path, "before");

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.DownloadAsync("re_1", path, CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
        Assert.Contains("HTTP 200 with a body that was cut", failure.Message, StringComparison.Ordinal);
        Assert.Equal("before", await File.ReadAllTextAsync(path));
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public async Task A_file_grows_on_disk_while_it_comes_and_one_that_stops_coming_is_given_up()
    {
        var clock = new FakeClock();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5000\r\n\r\n" + new string('a', 1000));
            // Four pieces at 20 s from each other are more than the limit of 30 s in all, and less from one to the next.
            for (var length = 1000; length < 4000; length += 1000)
            {
                await Eventually.TrueAsync($"{length} bytes on disk", () => PartLength() == length);
                clock.Advance(TimeSpan.FromSeconds(20));
                await connection.WriteAsync(new string('b', 1000));
            }

            await Eventually.TrueAsync("the last piece on disk", () => PartLength() == 4000);
            clock.Advance(TimeSpan.FromSeconds(31));
        });
        using var client = Clients.For(server.BaseUrl, clock);

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.DownloadAsync("re_1", Path.Combine(folder, "b.mp4"), CancellationToken.None));

        Assert.Equal((MaviFailure.Unknown, TimeSpan.FromSeconds(91)), (failure.Kind, failure.Answer.Elapsed));
        Assert.Empty(Directory.GetFiles(folder));

        long PartLength() => Directory.GetFiles(folder, "*.part").Select(part => new FileInfo(part).Length).SingleOrDefault();
    }

    [Fact]
    public async Task A_cancelled_download_leaves_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 3000\r\n\r\n" + new string('a', 1000));
            await Eventually.TrueAsync("the first part on disk", () => Directory.GetFiles(folder, "*.part").Length == 1);
            await cancellation.CancelAsync();
        });
        using var client = Clients.For(server.BaseUrl);

        await Assert.ThrowsAsync<OperationCanceledException>(() => client.DownloadAsync("re_1", Path.Combine(folder, "b.mp4"), cancellation.Token));

        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_an_error_of_the_file()
    {
        await using var server = await ServeAsync([1], "video/mp4", null);
        using var client = server.Client();
        var file = Path.Combine(folder, "a file");
        await File.WriteAllTextAsync(file, "");

        await Assert.ThrowsAnyAsync<IOException>(() => client.DownloadAsync("re_1", Path.Combine(file, "b.mp4"), CancellationToken.None));
    }

    static Task<MaviServer> ServeAsync(byte[] content, string type, string? disposition) => MaviServer.StartAsync(async context =>
    {
        context.Response.ContentType = type;
        context.Response.Headers.ContentDisposition = disposition;
        await context.Response.Body.WriteAsync(content);
    });
}
