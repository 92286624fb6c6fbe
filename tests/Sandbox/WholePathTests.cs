using System.IO.Compression;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mavi.Tests.Sandbox;

public sealed partial class WholePathTests
{
    [Theory]
    [InlineData("C")]
    [InlineData("A")]
    public async Task A_video_is_split_into_segments_that_play_and_add_up(string generation)
    {
        await using var sandbox = await SandboxHost.StartAsync("SegmentSeconds=2", $"Generation={generation}");
        var taskId = await sandbox.AcceptedAsync("split", await sandbox.UploadAsync(Videos.Mp4.Value));
        var callback = await sandbox.Webhook.CallbackOfAsync(taskId);

        AssertSuccess(callback, generation);
        Assert.Equal("application/json", sandbox.Webhook.ContentType);
        Assert.Matches("^[0-9a-f]{32}$", taskId);
        var splits = callback.GetProperty("data").GetProperty("splits").EnumerateArray().ToList();
        Assert.Equal(4, splits.Count);
        var total = 0.0;
        foreach (var (index, split) in splits.Index())
        {
            var name = SegmentName().Match(split.GetProperty("original_filename").GetString()!);
            Assert.Equal(index.ToString("D4", null), name.Groups["index"].Value);
            Assert.Equal("SUCCESS", split.GetProperty("upload_status").GetString());
            Assert.Equal("mp4", split.GetProperty("extension").GetString());

            var file = await DownloadAsync(sandbox, split.GetProperty("asset_id").GetString()!);
            Assert.Equal(new FileInfo(file).Length, split.GetProperty("file_size").GetInt64());
            var seconds = Videos.PlayedSeconds(file);
            Assert.Equal(index < 3 ? 2 : 1, seconds, tolerance: 0.05);
            total += seconds;
        }

        Assert.Equal(7, total, tolerance: 3 * 0.04);
    }

    [Theory]
    [InlineData("C")]
    [InlineData("A")]
    public async Task Frames_come_one_by_one_and_as_a_zip(string generation)
    {
        await using var sandbox = await SandboxHost.StartAsync($"Generation={generation}");
        var taskId = await sandbox.AcceptedAsync("extract-frames", await sandbox.UploadAsync(Videos.Mp4.Value));
        var callback = await sandbox.Webhook.CallbackOfAsync(taskId);

        AssertSuccess(callback, generation);
        var collection = callback.GetProperty("data").GetProperty("asset_id").GetString()!;
        var frames = callback.GetProperty("data").GetProperty("asset_ch_ids").EnumerateArray().Select(id => id.GetString()!).ToList();
        Assert.Matches("^im_[0-9]{18,}$", collection);
        Assert.Equal(Enumerable.Range(0, 7).Select(index => $"imc_{collection[3..]}_{index}"), frames);

        using var zipped = await sandbox.Api.GetAsync($"{collection}/download", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("application/zip", zipped.Content.Headers.ContentType!.MediaType);
        Assert.Null(zipped.Content.Headers.ContentLength);
        await using var zip = new ZipArchive(await zipped.Content.ReadAsStreamAsync());
        Assert.Equal(7, zip.Entries.Count);
        for (var index = 0; index < frames.Count; index++)
        {
            var single = await sandbox.Api.GetByteArrayAsync($"{frames[index]}/download");
            Assert.Equal([0xFF, 0xD8], single[..2]);
            using var packed = new MemoryStream();
            await using (var entry = await zip.Entries[index].OpenAsync())
                await entry.CopyToAsync(packed);
            Assert.Equal(single, packed.ToArray());
        }
    }

    [Fact]
    public async Task The_frames_are_those_shown_at_the_interval_from_the_start()
    {
        await using var sandbox = await SandboxHost.StartAsync("FrameIntervalSeconds=2.5");
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("extract-frames", await sandbox.UploadAsync(Videos.Mp4.Value)));

        // At 0, 2.5 and 5 s of 7.
        Assert.Equal(3, callback.GetProperty("data").GetProperty("asset_ch_ids").GetArrayLength());
    }

    [Fact]
    public async Task A_webm_stays_a_webm_and_plays()
    {
        await using var sandbox = await SandboxHost.StartAsync("SegmentSeconds=4");
        Assert.Equal(7, await SplitAndPlayAsync(sandbox, Videos.WebM.Value, "webm"), tolerance: 0.2);
    }

    [Fact]
    public async Task A_quicktime_with_uncompressed_sound_keeps_it_and_plays()
    {
        await using var sandbox = await SandboxHost.StartAsync("SegmentSeconds=4");
        Assert.Equal(7, await SplitAndPlayAsync(sandbox, Videos.Mov.Value, "mov"), tolerance: 0.2);
    }

    [Fact]
    public async Task Metadata_describes_uploads_collections_and_frames()
    {
        await using var sandbox = await SandboxHost.StartAsync();
        var id = await sandbox.UploadAsync(Videos.Mp4.Value);
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("extract-frames", id));
        var collection = callback.GetProperty("data").GetProperty("asset_id").GetString()!;

        var upload = await MetadataAsync(sandbox, id);
        Assert.Equal(1, upload.GetProperty("total").GetInt32());
        var resource = upload.GetProperty("resource")[0];
        Assert.Equal(id, resource.GetProperty("asset_id").GetString());
        Assert.Equal("holiday at sea", resource.GetProperty("original_filename").GetString());
        Assert.Equal("mp4", resource.GetProperty("extension").GetString());
        Assert.Equal(new FileInfo(Videos.Mp4.Value).Length.ToString(null as IFormatProvider), resource.GetProperty("file_size").GetString());
        // Snowflake ids, as in the vendor's sample: the upper bits are the creation time.
        var created = long.Parse(resource.GetProperty("create_time").GetString()!, null);
        Assert.Equal(created, (long.Parse(id[3..], null) >> 22) + DateTimeOffset.Parse("2021-01-01T00:00:00Z", null).ToUnixTimeMilliseconds());

        var frames = await MetadataAsync(sandbox, collection);
        Assert.Equal(7, frames.GetProperty("total").GetInt32());
        Assert.Equal($"imc_{collection[3..]}_6", frames.GetProperty("resource")[6].GetProperty("asset_id").GetString());
        Assert.Equal(1, (await MetadataAsync(sandbox, $"imc_{collection[3..]}_3")).GetProperty("resource").GetArrayLength());
    }

    [Fact]
    public async Task A_download_is_the_file_that_was_uploaded_under_its_name()
    {
        await using var sandbox = await SandboxHost.StartAsync();
        using var response = await sandbox.Api.GetAsync($"{await sandbox.UploadAsync(Videos.Mp4.Value)}/download");

        Assert.Equal(await File.ReadAllBytesAsync(Videos.Mp4.Value), await response.Content.ReadAsByteArrayAsync());
        Assert.Equal("video/mp4", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment; filename=\"holiday at sea.mp4\"", response.Content.Headers.GetValues("Content-Disposition").Single());
        Assert.Equal(new FileInfo(Videos.Mp4.Value).Length, response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task A_signed_url_takes_the_file_without_the_key_and_only_then_it_can_be_used()
    {
        await using var sandbox = await SandboxHost.StartAsync();
        using var asked = await sandbox.Api.PostAsJsonAsync("upload/signed-url", new { original_filename = "a.mp4" });
        var data = (await SandboxHost.ReadAsync(asked)).GetProperty("data");
        var id = data.GetProperty("asset_id").GetString()!;
        var url = data.GetProperty("signed_url").GetString()!;
        Assert.Equal(93600, data.GetProperty("expires_in").GetInt32());
        Assert.Equal("WAITING", await StatusAsync(sandbox, id));
        using (var tooEarly = await sandbox.SubmitAsync("split", id))
            Assert.Equal(400, (int)tooEarly.StatusCode);

        using (var withKey = await PostFileAsync(sandbox.Api, url))
            Assert.Contains("must not be sent", await withKey.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using (var foreign = await PostFileAsync(sandbox.Control, url[..^4] + "0000"))
            Assert.Equal(403, (int)foreign.StatusCode);
        using (var stored = await PostFileAsync(sandbox.Control, url))
            Assert.Equal(204, (int)stored.StatusCode);

        Assert.Equal("SUCCESS", await StatusAsync(sandbox, id));
        Assert.Equal(await File.ReadAllBytesAsync(Videos.Mp4.Value), await sandbox.Api.GetByteArrayAsync($"{id}/download"));
        await sandbox.AcceptedAsync("split", id);
    }

    [Fact]
    public async Task What_is_deleted_is_gone_for_good()
    {
        await using var sandbox = await SandboxHost.StartAsync();
        var id = await sandbox.UploadAsync(Videos.Mp4.Value);
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("extract-frames", id));
        var collection = callback.GetProperty("data").GetProperty("asset_id").GetString()!;

        foreach (var gone in new[] { $"imc_{collection[3..]}_2", collection, id })
        {
            using var first = await sandbox.Api.DeleteAsync(gone);
            Assert.Equal("""{"code":200,"msg":"success","data":null,"failed":false,"success":true}""", await first.Content.ReadAsStringAsync());
            using var second = await sandbox.Api.DeleteAsync(gone);
            Assert.Equal("Asset not found", (await SandboxHost.ReadAsync(second)).GetProperty("msg").GetString());
            using var download = await sandbox.Api.GetAsync($"{gone}/download");
            Assert.Equal(400, (int)download.StatusCode);
        }
    }

    [Fact]
    public async Task Assets_and_their_files_survive_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("sandbox-test-").FullName;
        string kept, deleted, collection;
        await using (var before = await SandboxHost.StartAsync(time: null, folder))
        {
            kept = await before.UploadAsync(Videos.Mp4.Value);
            deleted = await before.MadeUpAssetAsync();
            using var _ = await before.Api.DeleteAsync(deleted);
            var callback = await before.Webhook.CallbackOfAsync(await before.AcceptedAsync("extract-frames", kept));
            collection = callback.GetProperty("data").GetProperty("asset_id").GetString()!;
        }

        await using var after = await SandboxHost.StartAsync(time: null, folder);
        Assert.Equal(await File.ReadAllBytesAsync(Videos.Mp4.Value), await after.Api.GetByteArrayAsync($"{kept}/download"));
        Assert.Equal(7, (await MetadataAsync(after, collection)).GetProperty("total").GetInt32());
        using var gone = await after.Api.GetAsync($"{deleted}/metadata");
        Assert.Equal(400, (int)gone.StatusCode);
        Directory.Delete(folder, recursive: true);
    }

    static void AssertSuccess(JsonElement callback, string generation)
    {
        Assert.Equal(generation == "A" ? "\"0000\"" : "200", callback.GetProperty("code").GetRawText());
        Assert.Equal(["code", "data", "message", "task_id"], callback.EnumerateObject().Select(field => field.Name).Order());
        Assert.Equal("SUCCESS", callback.GetProperty("message").GetString());
    }

    static async Task<double> SplitAndPlayAsync(SandboxHost sandbox, string video, string extension)
    {
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", await sandbox.UploadAsync(video)));
        var total = 0.0;
        foreach (var split in callback.GetProperty("data").GetProperty("splits").EnumerateArray())
        {
            Assert.Equal(extension, split.GetProperty("extension").GetString());
            total += Videos.PlayedSeconds(await DownloadAsync(sandbox, split.GetProperty("asset_id").GetString()!));
        }

        return total;
    }

    static async Task<string> DownloadAsync(SandboxHost sandbox, string id) => Videos.Write(id, await sandbox.Api.GetByteArrayAsync($"{id}/download"));

    static async Task<JsonElement> MetadataAsync(SandboxHost sandbox, string id) =>
        (await sandbox.Api.GetFromJsonAsync<JsonElement>($"{id}/metadata")).GetProperty("data");

    static async Task<string?> StatusAsync(SandboxHost sandbox, string id) =>
        (await MetadataAsync(sandbox, id)).GetProperty("resource")[0].GetProperty("upload_status").GetString();

    static async Task<HttpResponseMessage> PostFileAsync(HttpClient client, string url)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(await File.ReadAllBytesAsync(Videos.Mp4.Value)), "file", "a.mp4" } };
        return await client.PostAsync(url, form);
    }

    [GeneratedRegex("^segment_video_[0-9a-f]{8}_(?<index>[0-9]{4})$")]
    private static partial Regex SegmentName();
}
