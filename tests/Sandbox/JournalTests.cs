using System.Text.Json;

namespace Mavi.Tests.Sandbox;

public sealed class JournalTests
{
    [Fact]
    public async Task It_holds_every_submission_every_callback_and_the_cost()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        var id = await sandbox.MadeUpAssetAsync(new { seconds = 600 });
        var split = await sandbox.AcceptedAsync("split", id);
        var frames = await sandbox.AcceptedAsync("extract-frames", id);
        using var refused = await sandbox.SubmitAsync("split", "re_1");
        var journal = await sandbox.SettledJournalAsync();

        IEnumerable<string?> Of(string list, string field) => journal.GetProperty(list).EnumerateArray().Select(entry => entry.GetProperty(field).GetString());
        Assert.Equal([split, frames, null], Of("submissions", "taskId"));
        Assert.Equal([id, id, "re_1"], Of("submissions", "assetId"));
        Assert.Equal(new[] { split, frames }.Order(), Of("callbacks", "taskId").Order());
        Assert.Equal(1, journal.GetProperty("accepted").GetProperty("split").GetInt32());
        Assert.Equal(1, journal.GetProperty("accepted").GetProperty("extract-frames").GetInt32());
        // $0.01 per second of video, for the frames.
        Assert.Equal(6.0, journal.GetProperty("costUsd").GetDouble());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", journal.GetProperty("submissions")[0].GetProperty("time").GetString());
    }

    [Fact]
    public async Task It_can_be_filtered_and_emptied()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        var id = await sandbox.MadeUpAssetAsync();
        var split = await sandbox.AcceptedAsync("split", id);
        await sandbox.AcceptedAsync("extract-frames", id);
        var whole = await sandbox.SettledJournalAsync();

        var ofTask = await sandbox.JournalAsync($"?taskId={split}&bodies=false");
        Assert.Equal(1, ofTask.GetProperty("submissions").GetArrayLength());
        Assert.Equal(1, ofTask.GetProperty("callbacks").GetArrayLength());
        Assert.False(ofTask.GetProperty("callbacks")[0].TryGetProperty("body", out _));
        Assert.Equal(1, (await sandbox.JournalAsync("?operation=extract-frames")).GetProperty("submissions").GetArrayLength());
        var first = whole.GetProperty("submissions")[0].GetProperty("n").GetInt64();
        Assert.Equal(1, (await sandbox.JournalAsync($"?since={first}")).GetProperty("submissions").GetArrayLength());

        using var emptied = await sandbox.Control.DeleteAsync("journal");
        Assert.Equal(0, (await sandbox.JournalAsync()).GetProperty("submissions").GetArrayLength());
    }

    [Fact]
    public async Task Thousands_of_requests_at_once_are_each_answered_and_called_back_once()
    {
        const int requests = 2000;
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        var id = await sandbox.MadeUpAssetAsync();
        var accepted = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (request, _) =>
            accepted.Add(await sandbox.AcceptedAsync(request % 2 == 0 ? "split" : "extract-frames", id)));

        var journal = await sandbox.SettledJournalAsync();
        Assert.Equal(requests, accepted.Distinct().Count());
        var callbacks = sandbox.Webhook.Bodies.Select(body => JsonSerializer.Deserialize<JsonElement>(body)).ToList();
        Assert.Equal(accepted.Order(), callbacks.Select(callback => callback.GetProperty("task_id").GetString()!).Order());
        var assets = sandbox.Webhook.Bodies.SelectMany(body => body.Split('"')).Where(part => part.Length > 3 && part[..3] is "re_" or "im_").ToList();
        Assert.Equal(requests / 2 * 3 + requests / 2, assets.Distinct().Count());
        Assert.Equal(assets.Count, assets.Distinct().Count());
        Assert.Equal(requests / 2, journal.GetProperty("accepted").GetProperty("split").GetInt32());
    }
}
