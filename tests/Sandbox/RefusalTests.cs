using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mavi.Tests.Support;

namespace Mavi.Tests.Sandbox;

/// <summary>Each documented error, with its status and its words.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("""{}""", "asset_id cannot be null or empty")]
    [InlineData("""{"asset_id":null}""", "asset_id cannot be null or empty")]
    [InlineData("""{"asset_id":""}""", "asset_id cannot be null or empty")]
    [InlineData("""{"asset_id":700000000000000001}""", "asset_id must be a string")]
    [InlineData("""{"asset_id":"re_700000000000000001"}""", "Asset not found")]
    [InlineData("""{"asset_id":"im_700000000000000001"}""", "Asset not found")]
    [InlineData("""{"asset_id":"../../etc/passwd"}""", "Asset not found")]
    [InlineData("""["re_700000000000000001"]""", "Request body is not readable: expected a JSON object")]
    [InlineData("""{"asset_id":""", "Request body is not readable: expected a JSON object")]
    [InlineData("", "Request body is not readable: expected a JSON object")]
    public async Task A_bad_submission_is_400_and_makes_no_task(string body, string msg)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        foreach (var operation in new[] { "split", "extract-frames" })
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await sandbox.Api.PostAsync($"video/{operation}", content);
            await AssertErrorAsync(response, 400, msg);
        }

        var journal = await sandbox.JournalAsync();
        Assert.All(journal.GetProperty("submissions").EnumerateArray(), entry =>
        {
            Assert.False(entry.GetProperty("accepted").GetBoolean());
            Assert.Equal(400, entry.GetProperty("status").GetInt32());
            Assert.Equal(JsonValueKind.Null, entry.GetProperty("taskId").ValueKind);
        });
        Assert.Equal(0, journal.GetProperty("accepted").GetProperty("split").GetInt32());
    }

    [Theory]
    [InlineData("WAITING")]
    [InlineData("UPLOADING")]
    [InlineData("FAILED")]
    public async Task An_asset_that_is_not_whole_is_refused(string status)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var response = await sandbox.SubmitAsync("split", await sandbox.MadeUpAssetAsync(new { uploadStatus = status }));
        await AssertErrorAsync(response, 400, $"Asset is not ready: upload_status is {status}, expected SUCCESS");
    }

    [Fact]
    public async Task Without_a_webhook_nothing_is_accepted()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var none = await sandbox.Control.PutAsJsonAsync("webhooks", Array.Empty<string>());
        using var response = await sandbox.SubmitAsync("extract-frames", await sandbox.MadeUpAssetAsync());
        await AssertErrorAsync(response, 400, "An async request requires at least one webhook.");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer " + SandboxHost.Key)]
    [InlineData("sk-mavi-other")]
    [InlineData(" ")]
    public async Task A_wrong_key_is_401_everywhere_and_does_not_use_the_limit(string? key)
    {
        await using var sandbox = await SandboxHost.StartAsync(new FakeClock(), folder: null, "FakeMedia=true", "RequestsPerSecond=1");
        var id = await sandbox.MadeUpAssetAsync();
        using var client = new HttpClient { BaseAddress = sandbox.Api.BaseAddress };
        if (key is not null)
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", key);

        using (var split = await client.PostAsJsonAsync("video/split", new { asset_id = id }))
        {
            Assert.Equal(401, (int)split.StatusCode);
            Assert.DoesNotContain(SandboxHost.Key, await split.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        foreach (var path in new[] { $"{id}/metadata", $"{id}/download", "download?bucket=a&blob=b" })
        {
            using var response = await client.GetAsync(path);
            Assert.Equal(401, (int)response.StatusCode);
        }

        await sandbox.AcceptedAsync("split", id);
    }

    [Fact]
    public async Task Other_types_methods_and_paths_are_refused_in_the_shape_of_each()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var text = new StringContent("""{"asset_id":"re_1"}""", Encoding.UTF8, "text/plain");
        using (var response = await sandbox.Api.PostAsync("video/split", text))
            Assert.Equal(415, (int)response.StatusCode);
        using (var response = await sandbox.Api.PostAsJsonAsync("upload", new { file = "a" }))
            Assert.Equal(415, (int)response.StatusCode);
        using (var response = await sandbox.Api.GetAsync("video/split"))
            Assert.Equal("""{"code":405,"msg":"Method not allowed","data":null}""", await response.Content.ReadAsStringAsync());
        using (var response = await sandbox.Api.GetAsync("tasks/0f3c9a6be1d24c7f8a55d0b1c2e3f4a5/status"))
        {
            Assert.Equal(404, (int)response.StatusCode);
            Assert.Equal(
                ["error", "path", "requestId", "status", "timestamp"],
                (await SandboxHost.ReadAsync(response)).EnumerateObject().Select(field => field.Name).Order());
        }
    }

    [Fact]
    public async Task An_upload_without_a_file_or_cut_short_leaves_no_asset()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var other = new MultipartFormDataContent { { new StringContent("x"), "video", "a.mp4" } };
        using (var response = await sandbox.Api.PostAsync("upload", other))
            await AssertErrorAsync(response, 400, "file cannot be null or empty");

        using var cut = new StringContent("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\nhalf of it");
        cut.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        using (var response = await sandbox.Api.PostAsync("upload", cut))
            Assert.Equal(400, (int)response.StatusCode);
        Assert.Equal(0, (await sandbox.JournalAsync()).GetProperty("accepted").GetProperty("upload").GetInt32());
    }

    [Theory]
    [InlineData("download?blob=b", "Bucket cannot be null or empty")]
    [InlineData("download?bucket=b", "Blob cannot be null or empty")]
    [InlineData("download?bucket=b&blob=b", "Resource does not exist")]
    [InlineData("re_700000000000000001/download", "Asset not found")]
    public async Task A_refused_download_is_json_with_both_flags(string path, string msg)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var response = await sandbox.Api.GetAsync(path);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        await AssertErrorAsync(response, 400, msg);
        var envelope = await SandboxHost.ReadAsync(response);
        Assert.False(envelope.GetProperty("success").GetBoolean());
        Assert.True(envelope.GetProperty("failed").GetBoolean());
    }

    [Theory]
    [InlineData("re_700000000000000001")]
    [InlineData("imc_700000000000000001_0")]
    [InlineData("nonsense")]
    public async Task Unknown_ids_have_no_metadata_and_cannot_be_deleted(string id)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var metadata = await sandbox.Api.GetAsync($"{id}/metadata");
        await AssertErrorAsync(metadata, 400, "Asset not found");
        using var delete = await sandbox.Api.DeleteAsync(id);
        await AssertErrorAsync(delete, 400, "Asset not found");
    }

    static async Task AssertErrorAsync(HttpResponseMessage response, int code, string msg)
    {
        var envelope = await SandboxHost.ReadAsync(response);
        Assert.Equal(code, (int)response.StatusCode);
        Assert.Equal(code, envelope.GetProperty("code").GetInt32());
        Assert.Equal(msg, envelope.GetProperty("msg").GetString());
        Assert.Equal(JsonValueKind.Null, envelope.GetProperty("data").ValueKind);
    }
}
