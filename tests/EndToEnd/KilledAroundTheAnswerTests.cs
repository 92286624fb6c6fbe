using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

/// <summary>
/// A worker dies at one named moment after the other, from the POST's arrival at Mavi to the outcome on the bus. A lock on a table holds it at the
/// moment; PostgreSQL goes on with a statement whose client has died meanwhile, so that what the statement writes is the last that the worker did.
/// </summary>
public sealed class KilledAroundTheAnswerTests(ITestOutputHelper log)
{
    // Both write history. The callback of a slow answer comes before it, and may be the one that waits where the statement is not told apart.
    const string TheAnswer = "insert into history % from submissions";
    const string TheJoin = "insert into history % from tasks";

    [Fact]
    public async Task There_is_one_post_and_one_outcome_by_its_message_id()
    {
        await using var installation = await Installation.StartAsync(log, worker: [("Worker__ExclusiveAccount", "true")]);
        Func<Installation, Request, Task>[] moments =
            [BeforeTheAnswerAsync, BeforeItIsRecordedAsync, RecordedAndNotSaidAsync, SaidAndNotTakenAsync, JoinedAndNotSaidAsync, OutcomeOnTheBusAsync];
        var requests = await installation.RequestsAsync(moments.Length);

        foreach (var (request, moment) in requests.Zip(moments))
        {
            await moment(installation, request);
            await installation.StartWorkerAsync();
            if (await installation.StateAsync(request.Id) is "Submitting" or "Uncertain")
                await installation.AgeTheOrphanAsync();
            await installation.Events.OutcomesAsync([request]);
        }

        // What one of the dead had taken to publish is another's after half a minute.
        await installation.AgeAsync();
        var outcomes = await installation.EndAsync(requests, mayRepeat: true);
        Assert.All(outcomes.Values, outcome => Assert.False(outcome.Read<SplitVideoSucceeded>().Late));
    }

    static async Task BeforeTheAnswerAsync(Installation installation, Request request)
    {
        await SubmitAsync(installation, request, """[{ "fault": "slow", "seconds": 60 }]""");
        await installation.PostAsync("in flight", request.AssetId, post => post is { Accepted: true, Status: null });
        await installation.Workers[^1].KillAsync();
        Assert.Equal("Submitting", await installation.StateAsync(request.Id));
    }

    static async Task BeforeItIsRecordedAsync(Installation installation, Request request)
    {
        await using (await AnsweredAsync(installation, request))
        {
            await installation.Workers[^1].KillAsync();
            await installation.ReadAsync<bool>("select bool_and(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'worker-%'");
        }

        Assert.Equal("Submitting", await installation.StateAsync(request.Id));
    }

    static async Task RecordedAndNotSaidAsync(Installation installation, Request request)
    {
        await using (await AnsweredAsync(installation, request))
            await installation.Workers[^1].KillAsync();

        await Eventually.TrueAsync("the answer to be recorded", async () => await installation.StateAsync(request.Id) == "Submitted");
        Assert.DoesNotContain(await installation.Events.AllOthersAsync(), other => other.Name == nameof(TaskSubmitted) && other.RequestId == request.Id);
    }

    static async Task SaidAndNotTakenAsync(Installation installation, Request request)
    {
        await using (await LedgerLock.TakeAsync(installation.Ledger, "tasks"))
        {
            await SubmitAsync(installation, request, "[]");
            await installation.Events.OtherAsync<TaskSubmitted>(request.Id);
            await installation.WaitsForLockAsync("tasks");
            await installation.Workers[^1].KillAsync();
        }
    }

    static async Task JoinedAndNotSaidAsync(Installation installation, Request request)
    {
        await SubmitAsync(installation, request, """[{ "fault": "delayed", "seconds": 1 }]""");
        await Eventually.TrueAsync("the task to wait for its callback", async () => await TaskAsync() == "AwaitingCallback");
        await using (await LedgerLock.TakeAsync(installation.Ledger, "history", "share"))
        {
            await installation.WaitsForLockAsync(TheJoin);
            await installation.Workers[^1].KillAsync();
        }

        await Eventually.TrueAsync("the join to be recorded", async () => await TaskAsync() == "Succeeded");
        Assert.DoesNotContain(await installation.Events.AllOutcomesAsync(), outcome => outcome.RequestId == request.Id);

        Task<string?> TaskAsync() => installation.ReadAsync<string>($"select state from tasks where request_id = '{request.Id}'");
    }

    static async Task OutcomeOnTheBusAsync(Installation installation, Request request)
    {
        await SubmitAsync(installation, request, "[]");
        await installation.Events.OutcomesAsync([request]);
        await installation.Workers[^1].KillAsync();
    }

    /// <summary>Mavi has answered, and the worker waits with the record of it for as long as the lock is held.</summary>
    static async Task<LedgerLock> AnsweredAsync(Installation installation, Request request)
    {
        await SubmitAsync(installation, request, """[{ "fault": "slow", "seconds": 1 }]""");
        await installation.PostAsync("in flight", request.AssetId, post => post.Accepted);
        var held = await LedgerLock.TakeAsync(installation.Ledger, "history", "share");
        await installation.PostAsync("answered", request.AssetId, post => post.Status == 200);
        await installation.WaitsForLockAsync(TheAnswer);
        return held;
    }

    static async Task SubmitAsync(Installation installation, Request request, string faults)
    {
        await installation.ArmAsync(faults);
        await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
    }
}
