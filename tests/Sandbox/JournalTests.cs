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

        Assert.Equal([split, frames, null], journal.GetProperty("submissions").EnumerateArray().Select(entry => entry.GetProperty("taskId").GetString()));
        Assert.Equal([id, id, "re_1"], journal.GetProperty("submissions").EnumerateArray().Select(entry => entry.GetProperty("assetId").GetString()));
        Assert.Equal(new[] { split, frames }.Order(), journal.GetProperty("callbacks").EnumerateArray().Select(entry => entry.GetProperty("taskId").GetString()).Order());
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
        Assert.Equal(1, (await sandbox.JournalAsync($"?since={whole.GetProperty("submissions")[0].GetProperty("n").GetInt64()}")).GetProperty("submissions").GetArrayLength());

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
        Assert.Equal(accepted.Order(), sandbox.Webhook.Bodies.Select(body => JsonSerializer.Deserialize<JsonElement>(body).GetProperty("task_id").GetString()!).Order());
        var assets = sandbox.Webhook.Bodies.SelectMany(body => body.Split('"')).Where(part => part.StartsWith("re_", StringComparison.Ordinal) || part.StartsWith("im_", StringComparison.Ordinal)).ToList();
        Assert.Equal(requests / 2 * 3 + requests / 2, assets.Distinct().Count());
        Assert.Equal(assets.Count, assets.Distinct().Count());
        Assert.Equal(requests / 2, journal.GetProperty("accepted").GetProperty("split").GetInt32());
    }
}
