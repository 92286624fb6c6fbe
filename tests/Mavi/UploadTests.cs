using System.Security.Cryptography;
using System.Text;
using Mavi.Client;
using Mavi.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Mavi.Tests.Client;

/// <summary>Files go out as they are, piece by piece.</summary>
public sealed class UploadTests : IDisposable
{
    const int Big = 200 * 1024 * 1024;

    readonly string folder = Directory.CreateTempSubdirectory("mavi-upload-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("holiday.mp4", "holiday.mp4", "video/mp4")]
    [InlineData("Größe 日本 \"x\".mov", "Größe 日本 %22x%22.mov", "video/quicktime")]
    [InlineData("no extension", "no extension", "application/octet-stream")]
    public async Task A_file_arrives_whole_under_its_name(string name, string arrives, string type)
    {
        var path = Path.Combine(folder, name);
        var content = RandomNumberGenerator.GetBytes(300_000);
        await File.WriteAllBytesAsync(path, content);
        Form? form = null;
        await using var server = await MaviServer.StartAsync(async context =>
        {
            form = await ReadFormAsync(context.Request);
            await context.Response.WriteAsync("""{"code":"0000","data":{"asset_id":"re_700000000000000001"}}""");
        });
        using var client = server.Client();

        var assetId = await client.UploadAsync(path, CancellationToken.None);

        Assert.Equal("re_700000000000000001", assetId);
        Assert.Equal(("file", arrives, type), (form!.Part, form.FileName, form.ContentType));
        Assert.Equal(content, form.Content);
        var request = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/upload", Clients.Key), (request.Method, request.Path, request.Headers["Authorization"]));
        Assert.True(request.Headers.ContainsKey("Content-Length"));
    }

    [Fact]
    public async Task A_stream_of_unknown_length_arrives_whole()
    {
        Form? form = null;
        await using var server = await MaviServer.StartAsync(async context =>
        {
            form = await ReadFormAsync(context.Request);
            await context.Response.WriteAsync("""{"code":200,"data":{"asset_id":"re_1"}}""");
        });
        using var client = server.Client();

        await client.UploadAsync(new Counted(1_000_000, canSeek: false), "/some/where/clip.mp4", CancellationToken.None);

        Assert.Equal(("clip.mp4", 1_000_000), (form!.FileName, form.Content.Length));
        Assert.Equal("chunked", Assert.Single(server.Requests).Headers["Transfer-Encoding"]);
    }

    [Fact]
    public async Task A_large_file_is_read_no_faster_than_it_is_taken()
    {
        var source = new Counted(Big, canSeek: true);
        var readWhenAsked = 0L;
        var received = 0L;
        await using var server = await MaviServer.StartAsync(async context =>
        {
            // The sender stands still once what lies between it and this handler is full.
            var before = -1L;
            await Eventually.TrueAsync("the sender to stand still", () => before == (before = source.Given) && before > 0);
            readWhenAsked = source.Given;
            received = await CountAsync(context.Request.Body);
            await context.Response.WriteAsync("""{"code":200,"data":{"asset_id":"re_1"}}""");
        });
        using var client = server.Client();

        await client.UploadAsync(source, "big.mp4", CancellationToken.None);

        Assert.InRange(readWhenAsked, 1, Big / 4);
        Assert.InRange(received, Big, Big + 1000);
    }

    [Fact]
    public async Task A_large_file_of_a_path_arrives_whole()
    {
        var path = Path.Combine(folder, "big.mp4");
        await using (var sparse = File.Create(path))
            sparse.SetLength(Big);
        var received = 0L;
        await using var server = await MaviServer.StartAsync(async context =>
        {
            received = await CountAsync(context.Request.Body);
            await context.Response.WriteAsync("""{"code":200,"data":{"asset_id":"re_1"}}""");
        });
        using var client = server.Client();

        await client.UploadAsync(path, CancellationToken.None);

        Assert.InRange(received, Big, Big + 1000);
    }

    [Fact]
    public async Task The_time_limit_counts_from_the_last_movement()
    {
        var clock = new FakeClock();
        // Each piece takes 20 s, all of them 200 s; the limit is 30 s.
        var source = new Counted(10 * 128 * 1024, canSeek: true, () => clock.Advance(TimeSpan.FromSeconds(20)));
        await using var server = await MaviServer.StartAsync(async context =>
        {
            await CountAsync(context.Request.Body);
            await context.Response.WriteAsync("""{"code":200,"data":{"asset_id":"re_1"}}""");
        });
        using var client = Clients.For(server.BaseUrl, clock);

        Assert.Equal("re_1", await client.UploadAsync(source, "slow.mp4", CancellationToken.None));
    }

    [Fact]
    public async Task A_missing_file_is_an_error_of_the_file_and_nothing_is_sent()
    {
        await using var server = await MaviServer.StartAsync(200, "{}");
        using var client = server.Client();

        await Assert.ThrowsAsync<FileNotFoundException>(() => client.UploadAsync(Path.Combine(folder, "none.mp4"), CancellationToken.None));

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task An_upload_without_an_asset_id_in_the_answer_is_unknown()
    {
        await using var server = await MaviServer.StartAsync(200, """{"code":200,"data":{}}""");
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.UploadAsync(new Counted(10, canSeek: true), "a.mp4", CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
        Assert.Contains("expected an asset id", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signed_URL_gets_the_file_without_the_key_and_exactly_as_it_was_signed()
    {
        var path = Path.Combine(folder, "a.mp4");
        await File.WriteAllTextAsync(path, "hello");
        var target = "";
        Form? form = null;
        await using var store = await MaviServer.StartAsync(async context =>
        {
            target = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
            form = await ReadFormAsync(context.Request);
            context.Response.StatusCode = 204;
        });
        var url = store.BaseUrl + "/bucket/a%2Db%7E.mp4?X-Signature=s%2De%63ret%2F";
        await using var server = await MaviServer.StartAsync(200, $$$"""{"code":200,"data":{"asset_id":"re_9","signed_url":"{{{url}}}","expires_in":"93600"}}""");
        using var client = server.Client();

        var upload = await client.CreateSignedUploadAsync("/some/where/a.mp4", CancellationToken.None);
        await client.UploadToSignedUrlAsync(upload, path, CancellationToken.None);

        Assert.Equal(("re_9", TimeSpan.FromHours(26)), (upload.AssetId, upload.ExpiresIn));
        Assert.Equal("""{"original_filename":"a.mp4"}""", Assert.Single(server.Requests).Body);
        Assert.Equal(url, new Uri(store.BaseUrl).GetLeftPart(UriPartial.Authority) + target);
        Assert.Equal(("file", "a.mp4", "hello"), (form!.Part, form.FileName, Encoding.UTF8.GetString(form.Content)));
        Assert.DoesNotContain("Authorization", Assert.Single(store.Requests).Headers.Keys);
        Assert.DoesNotContain("ret%2F", upload.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, MaviFailure.Rejected)]
    [InlineData(400, MaviFailure.Rejected)]
    [InlineData(503, MaviFailure.Unavailable)]
    [InlineData(500, MaviFailure.Unknown)]
    [InlineData(302, MaviFailure.Unknown)]
    public async Task A_store_that_refuses_says_nothing_about_the_account_and_its_URL_stays_secret(int status, MaviFailure expected)
    {
        var path = Path.Combine(folder, "a.mp4");
        await File.WriteAllTextAsync(path, "hello");
        await using var store = await MaviServer.StartAsync(status, "<Error/>", "application/xml");
        using var client = store.Client();
        var upload = new SignedUpload("re_9", new Uri(store.BaseUrl + "/x?X-Signature=secret"), null);

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.UploadToSignedUrlAsync(upload, path, CancellationToken.None));

        Assert.Equal(expected, failure.Kind);
        Assert.DoesNotContain("secret", Clients.Everything(failure), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/relative")]
    [InlineData("file:///etc/passwd")]
    public async Task A_signed_URL_that_is_none_is_unknown(string url)
    {
        await using var server = await MaviServer.StartAsync(200, $$$"""{"code":200,"data":{"asset_id":"re_9","signed_url":"{{{url}}}","expires_in":1}}""");
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.CreateSignedUploadAsync("a.mp4", CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
    }

    static async Task<Form> ReadFormAsync(HttpRequest request)
    {
        var reader = new MultipartReader(MediaTypeHeaderValue.Parse(request.ContentType).Boundary.Value!, request.Body);
        var section = (await reader.ReadNextSectionAsync())!;
        var disposition = section.GetContentDispositionHeader()!;
        using var content = new MemoryStream();
        await section.Body.CopyToAsync(content);
        Assert.Null(await reader.ReadNextSectionAsync());
        return new(disposition.Name.Value!, disposition.FileName.Value!.Trim('"'), section.ContentType, content.ToArray());
    }

    static async Task<long> CountAsync(Stream body)
    {
        var buffer = new byte[128 * 1024];
        var count = 0L;
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
            count += read;
        return count;
    }

    sealed record Form(string Part, string FileName, string? ContentType, byte[] Content);

    /// <summary>Zeros, counted as they are taken.</summary>
    sealed class Counted(long length, bool canSeek, Action? taken = null) : Stream
    {
        long given;

        public long Given => Volatile.Read(ref given);

        public override bool CanRead => true;

        public override bool CanSeek => canSeek;

        public override bool CanWrite => false;

        public override long Length => canSeek ? length : throw new NotSupportedException();

        public override long Position { get => Given; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, length - given);
            Array.Clear(buffer, offset, read);
            Interlocked.Add(ref given, read);
            taken?.Invoke();
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
