using Mavi.Contracts;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

/// <summary>A worker dies (SIGKILL) with a request in hand; the broker gives the command to the next one. Whatever happens, Mavi is paid once.</summary>
public sealed class KilledWorkerTests(ITestOutputHelper log)
{
    [Fact]
    public async Task Between_post_and_answer_the_request_is_held_until_an_operator_adopts_its_task()
    {
        await using var installation = await Installation.StartAsync(log);
        var (request, post) = await DieWithThePostInFlightAsync(installation);

        await installation.StartWorkerAsync();
        // The lease is Mavi:Timeout and 30 s; to wait for its end would be most of the time of all these tests.
        await installation.AgeAsync();
        var uncertain = (await installation.Events.OtherAsync<SubmissionUncertain>(request.Id)).Read<SubmissionUncertain>();
        Assert.Equal((Operations.Split, request.AssetId), (uncertain.Operation, uncertain.AssetId));

        await installation.PublishEnvelopeAsync(new AdoptTask { RequestId = request.Id, TaskId = post.TaskId!, Actor = "ann" });
        var outcome = (await installation.EndAsync([request]))[request.Id].Read<SplitVideoSucceeded>();

        Assert.Equal((post.TaskId, false), (outcome.TaskId, outcome.Late));
        Assert.Equal(1, await UncertainAsync(installation));
    }

    [Fact]
    public async Task Between_post_and_answer_on_an_exclusive_account_the_callback_ends_the_request_by_itself()
    {
        await using var installation = await Installation.StartAsync(log, worker: [("Worker__ExclusiveAccount", "true")]);
        var (request, post) = await DieWithThePostInFlightAsync(installation);

        // As above; this time the command comes back to a worker after its lease has ended.
        await installation.AgeAsync();
        await installation.StartWorkerAsync();
        await installation.AgeTheOrphanAsync();
        var outcome = (await installation.EndAsync([request]))[request.Id].Read<SplitVideoSucceeded>();

        Assert.Equal((post.TaskId, false), (outcome.TaskId, outcome.Late));
        // Nobody need be told of a doubt that the sweep which found it has also resolved.
        Assert.InRange(await UncertainAsync(installation), 0, 1);
    }

    /// <summary>The task runs and its callback comes, but the answer with the task id takes a minute; the worker does not live to see it.</summary>
    static async Task<(Request Request, Post Post)> DieWithThePostInFlightAsync(Installation installation)
    {
        await installation.ArmAsync("""[{ "fault": "slow", "seconds": 60 }]""");
        var request = (await installation.RequestsAsync(1))[0];
        await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        var post = await installation.PostAsync("in flight", request.AssetId, post => post is { Accepted: true, Status: null });
        await installation.Workers[^1].KillAsync();
        Assert.Equal("Submitting", await installation.StateAsync(request.Id));
        return (request, post);
    }

    /// <summary>How many messages said that a request is uncertain. The command that comes back and the sweep may both say it: then it is the same message.</summary>
    static async Task<int> UncertainAsync(Installation installation) =>
        (await installation.Events.AllOthersAsync()).Where(other => other.Name == nameof(SubmissionUncertain)).DistinctBy(other => other.Id).Count();
}
