using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Mavi.Tests.Worker;

/// <summary>The broker gave a command to a second worker while the first one's POST was on its way: the first may die after its answer, and nobody has the command any more.</summary>
public sealed class OwnerTests
{
    [Fact]
    public async Task An_owner_that_dies_before_it_publishes_loses_no_task_though_the_command_is_gone()
    {
        await using var system = await WorkerSystem.StartAsync();
        var ledger = system.Worker.GetRequiredService<SubmissionLedger>();
        var request = new SubmissionRequest(Guid.NewGuid(), Operations.Split, system.Asset, null);
        var attempt = await ClaimAsync(ledger, request);

        await system.PublishAsync<SplitVideoRequested>(request.RequestId);
        await Eventually.TrueAsync("the second worker to leave the request to its owner", async () => await IsOwedAsync(system, request.RequestId));
        await ledger.FinishAsync(
            attempt, new AttemptEnd(SubmissionState.Submitted, AccountEffect.Healthy, new HistoryNote("Submitted", attempt.Worker)) { TaskId = "66302abc66302abc66302abc66302abc" }, CancellationToken.None);

        Assert.Equal(request.RequestId, (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().RequestId);
        Assert.Empty(await system.PostsAsync());
    }

    [Fact]
    public async Task An_owner_whose_answer_comes_after_its_lease_and_that_dies_then_loses_no_task_either()
    {
        await using var system = await WorkerSystem.StartAsync();
        var ledger = system.Worker.GetRequiredService<SubmissionLedger>();
        var request = new SubmissionRequest(Guid.NewGuid(), Operations.Split, system.Asset, null);
        var attempt = await ClaimAsync(ledger, request, TimeSpan.FromMilliseconds(1));
        await system.TakeAsync<SubmissionUncertain>();

        await ledger.FinishAsync(
            attempt, new AttemptEnd(SubmissionState.Submitted, AccountEffect.Healthy, new HistoryNote("Submitted", attempt.Worker)) { TaskId = "66302abc66302abc66302abc66302abc" }, CancellationToken.None);
        Assert.Equal(request.RequestId, (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().RequestId);
    }

    [Fact]
    public async Task A_slot_that_was_waited_for_while_another_worker_put_the_request_off_and_took_the_command_loses_no_task()
    {
        await using var system = await WorkerSystem.StartAsync();
        var ledger = system.Worker.GetRequiredService<SubmissionLedger>();
        var request = new SubmissionRequest(Guid.NewGuid(), Operations.Split, system.Asset, null);
        var attempt = AttemptOf(request, TimeSpan.FromMinutes(1));
        var reserved = await ledger.ReserveAsync(attempt, evenDeferred: false, TimeSpan.FromMilliseconds(10), CancellationToken.None);
        await ledger.RecordAsync(
            request, SubmissionState.Deferred, TimeSpan.FromHours(1), null, "the account is paused", new HistoryNote("Deferred", "another worker"), CancellationToken.None);

        Claim claim;
        do
            claim = await ledger.ClaimAsync(attempt, reserved.Slot!.Generation, CancellationToken.None);
        while (!claim.IsOurs && !claim.Slot.IsVoid);
        await ledger.FinishAsync(
            attempt, new AttemptEnd(SubmissionState.Submitted, AccountEffect.Healthy, new HistoryNote("Submitted", attempt.Worker)) { TaskId = "66302abc66302abc66302abc66302abc" }, CancellationToken.None);

        Assert.Equal(request.RequestId, (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().RequestId);
    }

    [Fact]
    public async Task A_submission_whose_event_went_missing_is_joined_with_its_callback_by_the_sweep()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock());
        var ledger = system.Worker.GetRequiredService<SubmissionLedger>();
        var request = new SubmissionRequest(Guid.NewGuid(), Operations.Split, system.Asset, null);
        const string Task = "66302abc66302abc66302abc66302abc";
        await ledger.FinishAsync(
            await ClaimAsync(ledger, request), new AttemptEnd(SubmissionState.Submitted, AccountEffect.Healthy, new HistoryNote("Submitted", "test")) { TaskId = Task }, CancellationToken.None);
        await system.CallBackAsync(CallbackBodies.Split(Task));

        await Eventually.TrueAsync("the sweep to find that the two belong together", async () =>
        {
            system.Clock.Advance(TimeSpan.FromSeconds(11));
            await system.SweepAsync();
            return await system.CountAsync<SplitVideoSucceeded>() > 0;
        });
        Assert.Equal(request.RequestId, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
    }

    static async Task<Attempt> ClaimAsync(SubmissionLedger ledger, SubmissionRequest request, TimeSpan? lease = null)
    {
        var attempt = AttemptOf(request, lease ?? TimeSpan.FromMinutes(1));
        Assert.True((await ledger.TakeAsync(attempt, evenDeferred: false, TimeSpan.FromMilliseconds(10), CancellationToken.None)).IsOurs);
        return attempt;
    }

    static Attempt AttemptOf(SubmissionRequest request, TimeSpan lease) =>
        new(SubmissionLedger.NewId(), request, "a worker that dies", lease, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(15), 100);

    static async Task<bool> IsOwedAsync(WorkerSystem system, Guid requestId)
    {
        await using var connection = new NpgsqlConnection(system.LedgerAddress);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"select count(*) from submissions where request_id = '{requestId}' and announce_at is not null", connection);
        return (long)(await command.ExecuteScalarAsync())! == 1;
    }
}
