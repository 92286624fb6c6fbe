using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.Support;
using Npgsql;

namespace Mavi.Tests.Worker;

/// <summary>The account's limit and its trouble, shared by every worker.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData("429", false)]
    [InlineData("throttle400", false)]
    [InlineData("503", false)]
    [InlineData("429", true)]
    public async Task What_was_not_accepted_is_tried_again_by_itself(string fault, bool sqlite)
    {
        await using var system = await WorkerSystem.StartAsync(sqlite: sqlite);
        await system.Mavi.ArmAsync($$"""[{ "fault": "{{fault}}", "count": 1 }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        Assert.Equal([false, true], (await system.PostsAsync()).Select(post => post.GetProperty("accepted").GetBoolean()));
    }

    [Fact]
    public async Task Retry_after_is_obeyed_by_every_worker()
    {
        await using var system = await WorkerSystem.StartAsync(workers: 2);
        await system.Mavi.ArmAsync("""[{ "fault": "429", "count": 1, "retryAfterSeconds": 3 }]""");
        // Recorded, not only answered: a POST that leaves before that cannot know.
        await system.StateAsync(await system.PublishAsync<SplitVideoRequested>(), SubmissionState.Deferred);
        for (var i = 0; i < 4; i++)
            await system.PublishAsync<SplitVideoRequested>();
        for (var i = 0; i < 5; i++)
            await system.TakeAsync<SplitVideoSucceeded>();
        var times = (await system.PostsAsync()).Select(post => post.GetProperty("monotonicMs").GetDouble()).ToList();
        Assert.True(times[1] - times[0] >= 3000, $"the next POST came {times[1] - times[0]} ms after a Retry-After of 3 s");
    }

    [Theory]
    [InlineData("401")]
    [InlineData("402")]
    [InlineData("403")]
    public async Task A_blocked_account_pauses_everybody_visibly_and_one_probe_finds_the_end(string status)
    {
        await using var system = await WorkerSystem.StartAsync(workers: 2, clock: new FakeClock());
        await system.Mavi.ArmAsync($$"""[{ "fault": "{{status}}", "count": 2 }]""");
        var requests = new List<Guid> { await system.PublishAsync<SplitVideoRequested>() };
        await system.StateAsync(requests[0], SubmissionState.Deferred);
        for (var i = 0; i < 3; i++)
        {
            requests.Add(await system.PublishAsync<SplitVideoRequested>());
            await system.StateAsync(requests[^1], SubmissionState.Deferred);
        }

        Assert.Single(await system.PostsAsync());
        using (var http = new HttpClient())
        {
            var health = await http.GetStringAsync(new Uri(system.WorkerUrl + "/health/ready"));
            Assert.Contains("\"status\":\"paused\"", health, StringComparison.Ordinal);
            Assert.Contains($"HTTP {status}", health, StringComparison.Ordinal);
        }

        // Each worker's own log, too: the one that was refused is not the only one that stops.
        await AdvanceUntilAsync(system, () => Task.FromResult(Said(system, "Warning", $"HTTP {status}") == 2), TimeSpan.FromMilliseconds(100));
        Assert.Single(await system.PostsAsync());

        // The first probe is refused too, the second one is not; then everybody goes on.
        await AdvanceUntilAsync(system, async () => (await system.PostsAsync()).Count == 2);
        Assert.Equal(2, (await system.PostsAsync()).Count);
        await AdvanceUntilAsync(system, async () => await system.CountAsync<SplitVideoSucceeded>() == 4);
        Assert.Equal(6, (await system.PostsAsync()).Count);
        await AdvanceUntilAsync(system, () => Task.FromResult(Said(system, "Information", "open again") == 2));
    }

    static int Said(WorkerSystem system, string level, string text) =>
        system.Logs.All.Count(line => line.StartsWith($"{level} Mavi.Worker.Submitting.AccountWatch:", StringComparison.Ordinal) && line.Contains(text, StringComparison.Ordinal));

    [Fact]
    public async Task A_request_that_waits_for_its_slot_when_the_account_is_paused_goes_on_with_the_end_of_the_pause()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock(), worker: ["--Mavi:RequestsPerSecond", "1"]);
        await system.Mavi.ArmAsync("""[{ "fault": "503", "count": 2, "retryAfterSeconds": 120 }]""");
        Guid[] requests = [await system.PublishAsync<SplitVideoRequested>(), await system.PublishAsync<SplitVideoRequested>()];
        foreach (var request in requests)
            await AdvanceUntilAsync(system, async () => (await system.FindAsync(request))?.State == SubmissionState.Deferred);

        // Both are due and taken; the first one's answer pauses the account while the second waits for its slot.
        await system.Mavi.ArmAsync("""[{ "fault": "402", "count": 1 }]""");
        system.Clock.Advance(await DueAsync(requests) - system.Clock.GetUtcNow());
        await Eventually.TrueAsync("the POST that is refused", async () => (await system.PostsAsync()).Count == 3);
        var paused = system.Clock.GetUtcNow();
        await AdvanceUntilAsync(system, async () => await system.CountAsync<SplitVideoSucceeded>() == 2);
        Assert.InRange(system.Clock.GetUtcNow() - paused, TimeSpan.Zero, TimeSpan.FromMinutes(1));

        async Task<DateTimeOffset> DueAsync(Guid[] deferred)
        {
            var rows = await Task.WhenAll(deferred.Select(system.FindAsync));
            return rows.Max(static row => row!.DueAt!.Value.ToTime()) + TimeSpan.FromSeconds(1);
        }
    }

    [Fact]
    public async Task A_command_that_came_twice_leaves_its_second_slot_to_the_next_request()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock(), worker: ["--Mavi:RequestsPerSecond", "1"]);
        await system.PublishAsync<SplitVideoRequested>();
        await Eventually.TrueAsync("the POST that finds a free slot", async () => (await system.PostsAsync()).Count == 1);
        var twice = await system.PublishAsync<SplitVideoRequested>();
        await ReservedAsync(system, 1);
        await system.PublishAsync<SplitVideoRequested>(twice);
        await ReservedAsync(system, 2);
        await system.PublishAsync<SplitVideoRequested>();
        await ReservedAsync(system, 3);

        system.Clock.Advance(TimeSpan.FromSeconds(1.1));
        await Eventually.TrueAsync("the POST of the first copy", async () => (await system.PostsAsync()).Count == 2);
        await system.StateAsync(twice, SubmissionState.Submitted);
        system.Clock.Advance(TimeSpan.FromSeconds(1.05));
        await Eventually.TrueAsync("the next request's POST, a second before its own slot", async () => (await system.PostsAsync()).Count == 3);
    }

    [Fact]
    public async Task A_request_id_that_is_used_again_for_another_asset_while_both_wait_for_their_slots_costs_nothing()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock(), worker: ["--Mavi:RequestsPerSecond", "1"]);
        await system.PublishAsync<SplitVideoRequested>();
        await Eventually.TrueAsync("the POST that finds a free slot", async () => (await system.PostsAsync()).Count == 1);
        var request = await system.PublishAsync<SplitVideoRequested>();
        await ReservedAsync(system, 1);
        var another = await system.Mavi.MadeUpAssetAsync();
        await system.PublishAsync<SplitVideoRequested>(request, another);
        await ReservedAsync(system, 2);

        // The first one is put off; then the other one's slot comes.
        await system.Mavi.ArmAsync("""[{ "fault": "503", "count": 1, "retryAfterSeconds": 60 }]""");
        system.Clock.Advance(TimeSpan.FromSeconds(1.1));
        await system.StateAsync(request, SubmissionState.Deferred);
        system.Clock.Advance(TimeSpan.FromSeconds(1.05));
        Assert.Contains($"was used before for Split of asset {system.Asset}", await system.ErrorAsync("mavi-split-video"), StringComparison.Ordinal);

        await AdvanceUntilAsync(system, async () => await system.CountAsync<SplitVideoSucceeded>() == 2);
        Assert.All(await system.PostsAsync(), post => Assert.Equal(system.Asset, post.GetProperty("assetId").GetString()));
    }

    [Fact]
    public async Task A_command_whose_slot_is_an_hour_away_is_put_off_and_not_kept_in_hand()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock());
        await system.Mavi.ArmAsync("""[{ "fault": "429", "count": 1, "retryAfterSeconds": 3600 }]""");
        var refused = await system.PublishAsync<SplitVideoRequested>();
        await system.StateAsync(refused, SubmissionState.Deferred);
        // RabbitMQ takes back what is held for half an hour, and a command that was taken back 20 times ends in the error queue.
        var waiting = await system.PublishAsync<SplitVideoRequested>();
        await system.StateAsync(waiting, SubmissionState.Deferred);
        Assert.Single(await system.PostsAsync());

        await AdvanceUntilAsync(system, async () => await system.CountAsync<SplitVideoSucceeded>() == 2, TimeSpan.FromMinutes(1));
        Assert.Equal(3, (await system.PostsAsync()).Count);
    }

    /// <summary>So many slots are reserved from now on.</summary>
    static async Task ReservedAsync(WorkerSystem system, int slots)
    {
        await using var connection = new NpgsqlConnection(system.LedgerAddress);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select next_at from rate_slots where operation = 'Split'", connection);
        await Eventually.TrueAsync(
            $"{slots} reserved slots", async () => (long)(await command.ExecuteScalarAsync())! >= Moment.From(system.Clock.GetUtcNow()) + (slots + 1) * 1_000_000);
    }

    [Fact]
    public async Task An_outage_costs_a_handful_of_uncertain_requests_and_the_rest_waits_for_its_end()
    {
        // So slow that an answer is recorded before many more POSTs have left, however busy the machine is.
        await using var system = await WorkerSystem.StartAsync(workers: 2, clock: new FakeClock(), worker: ["--Mavi:RequestsPerSecond", "5"]);
        await system.Mavi.ArmAsync("""[{ "fault": "500", "every": 1 }, { "fault": "500", "operation": "metadata", "every": 1 }]""");
        for (var i = 0; i < 30; i++)
            await system.PublishAsync<SplitVideoRequested>();
        await AdvanceUntilAsync(system, async () => await system.Bus.CountAsync("mavi-split-video") == 0, TimeSpan.FromMilliseconds(20));
        for (var minute = 0; minute < 10; minute++)
        {
            system.Clock.Advance(TimeSpan.FromMinutes(1));
            await system.SweepAsync();
        }

        var view = (LedgerView)system.Worker.GetService(typeof(LedgerView))!;
        var inDoubt = (await view.RequestsAsync(SubmissionState.Uncertain, 100, CancellationToken.None)).Count;
        Assert.InRange(inDoubt, 3, 8);
        await system.Mavi.ArmAsync("[]");
        await AdvanceUntilAsync(system, async () => await system.CountAsync<SplitVideoSucceeded>() == 30 - inDoubt);
        Assert.Equal(0u, await system.CountAsync<SplitVideoFailed>());
    }

    [Fact]
    public async Task The_limit_text_that_keeps_coming_is_waited_out_where_the_asset_exists()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock());
        await system.Mavi.ArmAsync("""[{ "fault": "throttle400", "count": 7 }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        await AdvanceUntilAsync(system, async () => await system.CountAsync<SplitVideoSucceeded>() == 1);
        Assert.Equal(8, (await system.PostsAsync()).Count);
        Assert.Contains((await system.Mavi.JournalAsync()).GetProperty("calls").EnumerateArray(), call => call.GetProperty("operation").GetString() == "metadata");
        Assert.Equal(SubmissionState.Submitted, (await system.FindAsync(request))!.State);
    }

    /// <summary>Moves the clock in small steps: what waits for a moment on it waits for one that comes.</summary>
    static Task AdvanceUntilAsync(WorkerSystem system, Func<Task<bool>> condition, TimeSpan? step = null) => Eventually.TrueAsync("the clock to bring it about", async () =>
    {
        if (await condition())
            return true;
        system.Clock.Advance(step ?? TimeSpan.FromSeconds(1));
        return false;
    }, TimeSpan.FromSeconds(60));
}
