using Mavi.Client;

namespace Mavi.Tests.Client;

/// <summary>Metadata and deletion, with the drift between the vendor's pages.</summary>
public sealed class AssetTests
{
    static readonly DateTimeOffset Created = new(2026, 2, 2, 2, 40, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("\"1048576\"", "\"1770000000000\"")]
    [InlineData("1048576", "1770000000000")]
    [InlineData("1048576", "\"2026-02-02T02:40:00Z\"")]
    public async Task Sizes_and_times_are_read_as_strings_and_as_numbers(string size, string time)
    {
        await using var server = await MaviServer.StartAsync(200, $$$"""
            {"code":200,"msg":"success","success":true,"failed":false,"data":{"total":1,"resource":[{"asset_id":"re_1","extension":"mp4",
            "original_filename":"holiday","file_size":{{{size}}},"upload_status":"SUCCESS","create_time":{{{time}}},"modify_time":{{{time}}},"new":{"a":[1]}}]}}
            """);
        using var client = server.Client();

        var metadata = await client.GetMetadataAsync("re_1", CancellationToken.None);

        Assert.Equal(new AssetMetadata("re_1", "holiday", "mp4", 1048576, "SUCCESS", Created, Created), Assert.Single(metadata));
        var request = Assert.Single(server.Requests);
        Assert.Equal(("GET", "/re_1/metadata", Clients.Key), (request.Method, request.Path, request.Headers["Authorization"]));
    }

    [Fact]
    public async Task Fields_that_are_missing_or_odd_are_null()
    {
        await using var server = await MaviServer.StartAsync(200, """
            {"code":"0000","data":{"total":"3","resource":[{"asset_id":"imc_1_0"},
            {"asset_id":null,"file_size":"big","create_time":"yesterday","modify_time":99999999999999999},
            {"file_size":{},"upload_status":7,"extension":[],"create_time":true,"modify_time":""}]}}
            """);
        using var client = server.Client();

        var metadata = await client.GetMetadataAsync("im_1", CancellationToken.None);

        Assert.Equal(
            [
                new AssetMetadata("imc_1_0", null, null, null, null, null, null),
                new AssetMetadata(null, null, null, null, null, null, null),
                new AssetMetadata(null, null, null, null, "7", null, null),
            ],
            metadata);
    }

    [Theory]
    [InlineData(200, """{"code":200,"data":null}""", MaviFailure.Unknown)]
    [InlineData(200, """{"code":200,"data":{"total":0}}""", MaviFailure.Unknown)]
    [InlineData(200, """{"code":200,"data":{"resource":"none"}}""", MaviFailure.Unknown)]
    [InlineData(400, """{"code":400,"msg":"Asset not found","data":null}""", MaviFailure.NotFound)]
    public async Task Metadata_that_is_not_there_is_an_error(int status, string body, MaviFailure expected)
    {
        await using var server = await MaviServer.StartAsync(status, body);
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.GetMetadataAsync("re_1", CancellationToken.None));

        Assert.Equal(expected, failure.Kind);
    }

    [Fact]
    public async Task A_collection_without_frames_is_an_empty_list()
    {
        await using var server = await MaviServer.StartAsync(200, """{"code":200,"data":{"total":0,"resource":[]}}""");
        using var client = server.Client();

        Assert.Empty(await client.GetMetadataAsync("im_1", CancellationToken.None));
    }

    [Fact]
    public async Task A_deletion_is_asked_for_once_with_the_key()
    {
        await using var server = await MaviServer.StartAsync(200, """{"code":"0000","msg":"success","data":null,"failed":false,"success":true}""");
        using var client = server.Client();

        await client.DeleteAsync("re_1", CancellationToken.None);

        var request = Assert.Single(server.Requests);
        Assert.Equal(("DELETE", "/re_1", "", Clients.Key), (request.Method, request.Path, request.Body, request.Headers["Authorization"]));
    }

    [Theory]
    [InlineData(200, """{"code":400,"msg":"Asset not found","data":null}""", MaviFailure.NotFound)]
    [InlineData(200, """{"code":200,"success":false}""", MaviFailure.Unknown)]
    [InlineData(200, "<html/>", MaviFailure.Unknown)]
    [InlineData(200, "", MaviFailure.Unknown)]
    [InlineData(404, """{"code":404,"msg":"?"}""", MaviFailure.NotFound)]
    public async Task A_deletion_that_is_not_confirmed_is_an_error(int status, string body, MaviFailure expected)
    {
        await using var server = await MaviServer.StartAsync(status, body);
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.DeleteAsync("re_1", CancellationToken.None));

        Assert.Equal(expected, failure.Kind);
    }
}
