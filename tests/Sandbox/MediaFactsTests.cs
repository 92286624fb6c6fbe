using System.Text.Json;
using Mavi.Tests.Support;

namespace Mavi.Tests.Sandbox;

/// <summary>A video is looked into once, when it has been uploaded; the ffprobe of these tests notes that it was called.</summary>
public sealed class MediaFactsTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("sandbox-test-").FullName;

    [Fact]
    public async Task A_video_is_looked_into_once_for_all_tasks_also_after_a_restart()
    {
        string id;
        await using (var before = await StartAsync())
        {
            id = await before.UploadAsync(Videos.Mp4.Value);
            await Eventually.TrueAsync("the upload to be looked into", () => Task.FromResult(Calls == 1));
            await AssertSuccessAsync(before, "split", id);
            await AssertSuccessAsync(before, "extract-frames", id);
        }

        await using var after = await StartAsync();
        await AssertSuccessAsync(after, "extract-frames", id);
        Assert.Equal(1, Calls);
        // 7 s at $0.01.
        Assert.Equal(0.07, (await after.SettledJournalAsync()).GetProperty("costUsd").GetDouble());
    }

    [Fact]
    public async Task A_task_right_after_the_upload_does_not_look_a_second_time()
    {
        await using var sandbox = await StartAsync();
        await AssertSuccessAsync(sandbox, "split", await sandbox.UploadAsync(Videos.Mp4.Value));
        Assert.Equal(1, Calls);
    }

    [Fact]
    public async Task A_file_that_has_gone_since_is_told_by_the_callback()
    {
        await using var sandbox = await StartAsync();
        var id = await sandbox.UploadAsync(Videos.Mp4.Value);
        await AssertSuccessAsync(sandbox, "split", id);
        File.Delete(Path.Combine(Data, "assets", $"{id}.mp4"));

        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", id));
        Assert.Equal("The asset was deleted before the task began.", callback.GetProperty("message").GetString());
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    string Data => Path.Combine(folder, "data");

    string Noted => Path.Combine(folder, "calls");

    int Calls => File.Exists(Noted) ? File.ReadAllLines(Noted).Length : 0;

    Task<SandboxHost> StartAsync()
    {
        var ffprobe = Path.Combine(folder, "ffprobe.sh");
        if (!File.Exists(ffprobe))
        {
            // A copy keeps the mode that makes a file a program.
            File.Copy("/bin/sh", ffprobe);
            File.WriteAllText(ffprobe, $"#!/bin/sh\necho called >> '{Noted}'\nexec ffprobe \"$@\"\n");
        }

        return SandboxHost.StartAsync(time: null, Data, $"FfprobePath={ffprobe}");
    }

    static async Task AssertSuccessAsync(SandboxHost sandbox, string operation, string id)
    {
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync(operation, id));
        Assert.Equal(JsonValueKind.Object, callback.GetProperty("data").ValueKind);
    }
}
