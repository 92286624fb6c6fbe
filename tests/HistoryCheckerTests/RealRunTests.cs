using Mavi.Contracts;
using Mavi.Ledger;
using RabbitMQ.Client;

namespace Mavi.Tests.HistoryCheckerTests;

/// <summary>The checker on real queues, a real ledger and a real journal: good runs pass, and each violation that is planted there is seen and counted.</summary>
public sealed class RealRunTests
{
    [Fact]
    public async Task A_run_under_faults_that_heal_passes_and_may_be_asked_again()
    {
        await using var run = await CheckedSystem.StartAsync();
        await run.System.Mavi.ArmAsync("""
            [{ "fault": "early", "every": 3 }, { "fault": "duplicated", "every": 2, "atOnce": true }, { "fault": "failed", "skip": 4 }, { "fault": "429", "skip": 1 },
             { "fault": "foreignOperation" }, { "fault": "drift", "skip": 2 }]
            """);
        var requests = await run.RunAsync(splits: 4, frames: 3);
        await run.System.PublishAsync<SplitVideoRequested>(requests[0].Request, requests[0].Asset);

        const string Expected = "requests=7 posts=8 accepted=7 double_paid=0 lost=0 outcomes_missing=0 outcomes_conflicting=0 left_in_queues=0 uncertain_open=0 verdict=PASS";
        Assert.Equal((Expected, 0, ""), await run.VerdictAsync());
        Assert.Equal((Expected, 0, ""), await run.VerdictAsync());
    }

    [Fact]
    public async Task A_second_accepted_post_is_double_paid()
    {
        await using var run = await CheckedSystem.StartAsync();
        var requests = await run.RunAsync(2);
        await run.PostToMaviAsync(requests[1].Asset);
        await run.CountAsync("the second task's callback", "select count(*) from tasks", 3);
        await FailsAsync(run, $"DoublePaid {requests[1].Request}: 2 accepted POSTs", "double_paid=1 lost=0 outcomes_missing=0 outcomes_conflicting=0 left_in_queues=0 uncertain_open=0");
    }

    [Fact]
    public async Task A_resubmission_that_was_not_needed_is_double_paid_and_says_who_asked_for_it()
    {
        await using var run = await CheckedSystem.StartAsync();
        await run.System.Mavi.ArmAsync("""[{ "fault": "cutAfter" }]""");
        var asset = await run.System.Mavi.MadeUpAssetAsync();
        var request = await run.System.PublishAsync<SplitVideoRequested>(assetId: asset);
        await run.System.StateAsync(request, SubmissionState.Uncertain);
        await run.System.PublishBodyAsync<ResubmitRequest>($$"""{"requestId":"{{request}}","actor":"ann"}""");
        await run.CountAsync("both callbacks", "select count(*) from tasks where result_kind is not null", 2);
        await FailsAsync(run, "ann had it submitted again", "double_paid=1 lost=0 outcomes_missing=0 outcomes_conflicting=0 left_in_queues=0 uncertain_open=0");
    }

    [Fact]
    public async Task A_callback_that_the_ledger_forgot_is_lost()
    {
        await using var run = await CheckedSystem.StartAsync();
        var requests = await run.RunAsync(2);
        await run.ExecuteAsync($"delete from tasks where request_id = '{requests[0].Request}'");
        await FailsAsync(run, $"Lost {requests[0].Request}: ", "double_paid=0 lost=1 outcomes_missing=0 outcomes_conflicting=0 left_in_queues=0 uncertain_open=0");
    }

    [Fact]
    public async Task A_request_without_an_outcome_is_missing_it()
    {
        await using var run = await CheckedSystem.StartAsync();
        await run.RunAsync(1);
        var asset = await run.System.Mavi.MadeUpAssetAsync();
        // The tap has it, the Worker's queue never had.
        await run.System.Bus.PublishAsync("", System.Text.Encoding.UTF8.GetBytes($$"""{"requestId":"{{Guid.NewGuid()}}","assetId":"{{asset}}"}"""), routingKey: "checker-SplitVideoRequested");
        await FailsAsync(run, "has no terminal event", "double_paid=0 lost=0 outcomes_missing=1 outcomes_conflicting=0 left_in_queues=0 uncertain_open=0");
    }

    [Fact]
    public async Task A_second_different_outcome_conflicts()
    {
        await using var run = await CheckedSystem.StartAsync();
        var requests = await run.RunAsync(2);
        await run.System.PublishEnvelopeAsync<SplitVideoFailed>(new SplitVideoFailed { RequestId = requests[0].Request, AssetId = requests[0].Asset, Reason = FailureReasons.Rejected, FailedAt = DateTimeOffset.UnixEpoch });
        await FailsAsync(run, "It has SplitVideoFailed because of Rejected and SplitVideoSucceeded", "double_paid=0 lost=0 outcomes_missing=0 outcomes_conflicting=1 left_in_queues=0 uncertain_open=0");
    }

    [Fact]
    public async Task Poison_is_left_in_a_queue()
    {
        await using var run = await CheckedSystem.StartAsync();
        await run.RunAsync(1);
        await run.System.PublishBodyAsync<SplitVideoRequested>("no JSON at all", new BasicProperties { ContentType = "application/json" });
        await run.System.Bus.PeekAsync("mavi-split-video_error");
        await FailsAsync(run, "LeftInQueue mavi-split-video_error: 1 messages", "double_paid=0 lost=0 outcomes_missing=0 outcomes_conflicting=0 left_in_queues=1 uncertain_open=0");
    }

    [Fact]
    public async Task A_request_in_doubt_is_open()
    {
        await using var run = await CheckedSystem.StartAsync();
        await run.RunAsync(1);
        await run.System.Mavi.ArmAsync("""[{ "fault": "cutBefore" }]""");
        var asset = await run.System.Mavi.MadeUpAssetAsync();
        var request = await run.System.PublishAsync<SplitVideoRequested>(assetId: asset);
        await run.System.StateAsync(request, SubmissionState.Uncertain);
        await FailsAsync(run, $"UncertainOpen {request}: The submission is Uncertain", "double_paid=0 lost=0 outcomes_missing=1 outcomes_conflicting=0 left_in_queues=0 uncertain_open=1");
    }

    [Fact]
    public async Task A_transition_without_its_history_fails_though_nothing_is_counted()
    {
        await using var run = await CheckedSystem.StartAsync();
        var requests = await run.RunAsync(1);
        await run.ExecuteAsync($"delete from history where request_id = '{requests[0].Request}' and kind = 'Submitted'");
        await FailsAsync(run, $"History {requests[0].Request}: The history has no row for", "double_paid=0 lost=0 outcomes_missing=0 outcomes_conflicting=0 left_in_queues=0 uncertain_open=0");
    }

    static async Task FailsAsync(CheckedSystem run, string sentence, string counts)
    {
        var (line, code, errors) = await run.VerdictAsync();
        Assert.EndsWith($"{counts} verdict=FAIL", line, StringComparison.Ordinal);
        Assert.Equal(1, code);
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
    }
}
