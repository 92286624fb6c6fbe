using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.Client;
using Mavi.Tests.Support;

namespace Mavi.Tests.Worker;

/// <summary>A POST left and its answer is not known: held, said once, and ended by a decision or by time, never by a second POST of our own.</summary>
public sealed class UncertainTests
{
    [Theory]
    [InlineData("cutAfter")]
    [InlineData("cutBefore")]
    [InlineData("cutBody")]
    [InlineData("badJson")]
    [InlineData("500")]
    [InlineData("500After")]
    [InlineData("502")]
    [InlineData("504")]
    public async Task An_answer_that_leaves_doubt_is_held_and_said_once(string fault)
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync($$"""[{ "fault": "{{fault}}" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        var uncertain = (await system.TakeAsync<SubmissionUncertain>()).Read<SubmissionUncertain>();
        Assert.Equal((request, Operations.Split, system.Asset), (uncertain.RequestId, uncertain.Operation, uncertain.AssetId));
        Assert.NotEmpty(uncertain.Reason);
        Assert.Equal(SubmissionState.Uncertain, (await system.FindAsync(request))!.State);

        // The command again changes nothing, and says the same again.
        await system.PublishAsync<SplitVideoRequested>(request);
        await system.TakeAsync<SubmissionUncertain>();
        Assert.Single(await system.PostsAsync());
        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<SplitVideoSucceeded>() + await system.CountAsync<SplitVideoFailed>());
    }

    [Theory]
    [InlineData("\0\u0001 no HTTP at all\r\n\r\n", SubmissionState.Uncertain)]
    [InlineData("HTTP/1.1 422 X\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{\"code\":\"a\\u0000\",\"msg\":\"no\"}", SubmissionState.Rejected)]
    public async Task An_answer_with_text_that_no_database_keeps_is_recorded_all_the_same(string answer, SubmissionState state)
    {
        using var mavi = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(answer);
            connection.Close();
        });
        await using var system = await WorkerSystem.StartAsync(worker: ["--Mavi:BaseUrl", mavi.BaseUrl]);
        await system.StateAsync(await system.PublishAsync<SplitVideoRequested>(), state);
        Assert.Single(mavi.Requests);
    }

    [Fact]
    public async Task A_post_that_is_not_answered_in_time_is_held()
    {
        await using var system = await WorkerSystem.StartAsync(worker: ["--Mavi:Timeout", "00:00:01"]);
        await system.Mavi.ArmAsync("""[{ "fault": "slow", "seconds": 5 }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        Assert.Equal(request, (await system.TakeAsync<SubmissionUncertain>()).Read<SubmissionUncertain>().RequestId);
    }

    [Fact]
    public async Task An_operator_adopts_the_task_and_the_outcome_follows()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync("""[{ "fault": "cutAfter" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        var task = (await system.PostsAsync())[0].GetProperty("taskId").GetString();

        await system.PublishBodyAsync<AdoptTask>($$"""{"requestId":"{{request}}","taskId":"{{task}}","actor":"ann","reason":"seen in the console"}""");
        var done = (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>();
        Assert.Equal((request, task, false), (done.RequestId, done.TaskId, done.Late));
        Assert.Single(await system.PostsAsync());
        var history = await ((LedgerView)system.Worker.GetService(typeof(LedgerView))!).HistoryAsync(request, CancellationToken.None);
        Assert.Contains(history, note => note is { Kind: "Adopted", Actor: "ann", Detail: """{"reason":"seen in the console"}""" });

        // The same decision again is silent; another one comes too late and says so.
        await system.PublishBodyAsync<AbandonRequest>($$"""{"requestId":"{{request}}"}""");
        Assert.Contains("is Submitted and cannot be abandoned", await system.ErrorAsync("mavi-operator"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operator_resubmits_and_the_outcome_follows()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync("""[{ "fault": "cutBefore" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        await system.PublishEnvelopeAsync<ResubmitRequest>(new ResubmitRequest { RequestId = request, Actor = "ann" });
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        Assert.Equal(2, (await system.PostsAsync()).Count);
    }

    [Fact]
    public async Task An_operator_abandons_and_a_task_that_is_found_later_is_published_late()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync("""[{ "fault": "cutAfter" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        await system.PublishBodyAsync<AbandonRequest>($$"""{"requestId":"{{request}}","actor":"ann","reason":"not needed"}""");
        var failed = (await system.TakeAsync<SplitVideoFailed>()).Read<SplitVideoFailed>();
        Assert.Equal((request, FailureReasons.Abandoned), (failed.RequestId, failed.Reason));
        Assert.Contains("ann gave the request up: not needed", failed.Message!, StringComparison.Ordinal);

        var task = (await system.PostsAsync())[0].GetProperty("taskId").GetString();
        await system.PublishBodyAsync<AdoptTask>($$"""{"requestId":"{{request}}","taskId":"{{task}}"}""");
        var late = (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>();
        Assert.Equal((request, true), (late.RequestId, late.Late));
    }

    [Fact]
    public async Task On_an_exclusive_account_the_only_request_that_fits_adopts_the_callback_by_itself()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock(), worker: ["--Worker:ExclusiveAccount", "true"]);
        await system.Mavi.ArmAsync("""[{ "fault": "cutAfter" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        await OrphansAsync(system, 1);

        Assert.Equal(0, (await system.SweepAsync()).Adopted);
        system.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        Assert.Single(await system.PostsAsync());
    }

    [Fact]
    public async Task On_an_exclusive_account_nothing_is_adopted_where_two_requests_fit()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock(), worker: ["--Worker:ExclusiveAccount", "true"]);
        await system.Mavi.ArmAsync("""[{ "fault": "cutBefore" }, { "fault": "cutAfter" }]""");
        await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        system.Clock.Advance(TimeSpan.FromSeconds(1));
        await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        await OrphansAsync(system, 1);

        for (var i = 0; i < 3; i++)
        {
            system.Clock.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(0, (await system.SweepAsync()).Adopted);
        }

        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<SplitVideoSucceeded>());
    }

    [Fact]
    public async Task Doubt_that_nobody_resolves_ends_as_a_failure_with_that_reason()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock());
        await system.Mavi.ArmAsync("""[{ "fault": "cutBefore" }]""");
        var request = await system.PublishAsync<ExtractFramesRequested>();
        await system.TakeAsync<SubmissionUncertain>();
        system.Clock.Advance(TimeSpan.FromDays(1));
        var failed = (await system.TakeAsync<ExtractFramesFailed>()).Read<ExtractFramesFailed>();
        Assert.Equal((request, FailureReasons.SubmissionUncertain), (failed.RequestId, failed.Reason));
    }

    [Fact]
    public async Task Where_the_installation_says_so_doubt_is_resubmitted()
    {
        await using var system = await WorkerSystem.StartAsync(worker: ["--Worker:OnUncertain", "Resubmit"]);
        await system.Mavi.ArmAsync("""[{ "fault": "cutBefore" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        Assert.Equal(2, (await system.PostsAsync()).Count);
    }

    static Task OrphansAsync(WorkerSystem system, int count) => Eventually.TrueAsync(
        $"{count} orphans", async () => (await ((LedgerView)system.Worker.GetService(typeof(LedgerView))!).OrphansAsync(10, CancellationToken.None)).Count == count);
}
