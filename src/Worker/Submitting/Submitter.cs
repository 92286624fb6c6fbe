using System.Collections.Concurrent;
using System.Data.Common;
using Mavi.Client;
using Mavi.Ledger;
using Mavi.Worker.Operating;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Submitting;

/// <summary>Where a submission starts: it decides who tries again.</summary>
public enum SubmitFrom
{
    /// <summary>A command in hand, whose redelivery heals a crash: a deferred request is left to its time.</summary>
    Command,

    /// <summary>The ledger, which owes the event: a deferred request that is due.</summary>
    Ledger,
}

/// <summary>
/// Brings one request to Mavi, at most once: reserve a slot and wait for it, record the intent, POST, record the answer. Whatever dies in
/// between, the ledger knows whether a POST may have left.
/// </summary>
public sealed partial class Submitter(
    SubmissionLedger ledger, MaviClient mavi, IOptions<MaviOptions> maviOptions, Preparation preparation, WorkerIdentity identity, WorkerMetrics metrics,
    TimeProvider time, ILogger<Submitter> logger)
{
    /// <summary>Slots are that much further apart than the limit asks for: network and scheduling move a POST by some milliseconds.</summary>
    const double Guard = 1.014;

    /// <summary>And none is let go closer to the last one than this. What is between the two makes up for a POST that was late, or each one would move all that follow.</summary>
    const double LeastGap = 1.009;

    static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(15);
    static readonly TimeSpan LeaseBeyondTimeout = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Late = TimeSpan.FromMilliseconds(3);
    static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(500);

    readonly ConcurrentDictionary<string, SlotWaiters> _waiters = new();
    readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new();
    readonly double _rate = maviOptions.Value.RequestsPerSecond;

    /// <summary>Submits the request unless it is known already.</summary>
    /// <returns>The request's row as it now is; somebody else may have made it so.</returns>
    public async Task<SubmissionRow> SubmitAsync(Operation operation, SubmissionRequest request, SubmitFrom from, CancellationToken stopping)
    {
        await preparation.Done.WaitAsync(stopping);
        using var span = Traces.Start("mavi.submit")?.About(request);
        var row = await BringAsync(operation, request, from, stopping);
        span?.About(row);
        return row;
    }

    async Task<SubmissionRow> BringAsync(Operation operation, SubmissionRequest request, SubmitFrom from, CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            using var slotSpan = Traces.Start("mavi.slot")?.About(request);
            var attempt = new Attempt(
                SubmissionLedger.NewId(), request, identity.Name, maviOptions.Value.Timeout + LeaseBeyondTimeout,
                TimeSpan.FromSeconds(LeastGap / _rate), ProbeEvery, MostUnanswered: (int)Math.Max(4, 4 * _rate));
            var (row, claimedAt) = await TakeSlotAsync(attempt, from, stopping);
            if (row is null)
                continue;
            if (row.AttemptId != attempt.Id || row.State != SubmissionState.Submitting)
                return row;
            slotSpan?.Stop();
            metrics.SlotTaken(operation.Name, time.GetElapsedTime(began));
            return await PostAsync(operation, attempt, row, claimedAt);
        }
    }

    /// <summary>One that is free at once, or the next one when its time has come.</summary>
    /// <returns>The request's row, submitting under this attempt if the POST is to leave now, else as it stands without it; null where the slot became void.</returns>
    async Task<(SubmissionRow? Row, long ClaimedAt)> TakeSlotAsync(Attempt attempt, SubmitFrom from, CancellationToken stopping)
    {
        var (evenDeferred, interval) = (from == SubmitFrom.Ledger, TimeSpan.FromSeconds(Guard / _rate));
        // In turn: all slots of an operation are one row. Who meets there waits all the same, but each with a connection, and with a process of the database that is
        // put to sleep and woken.
        var turn = _turns.GetOrAdd(attempt.Request.Operation, static _ => new SemaphoreSlim(1));
        var (taken, takenAt) = await UntilAnsweredAsync(attempt, turn, token => ledger.TakeAsync(attempt, evenDeferred, interval, token), stopping);
        if (taken.IsOurs || !IsWanted(taken.Existing))
            return (taken.Existing, takenAt);

        var (reservation, reservedAt) = await UntilAnsweredAsync(attempt, null, token => ledger.ReserveAsync(attempt, evenDeferred, interval, token), stopping);
        if (!IsWanted(reservation.Existing))
            return (reservation.Existing, reservedAt);
        if (reservation.Slot is not { } slot)
            return (await PutOffAsync(attempt.Request, reservation, stopping), reservedAt);

        var waiters = _waiters.GetOrAdd(attempt.Request.Operation, static (_, clock) => new SlotWaiters(clock), time);
        await waiters.WaitAsync(Moment.ToSpan(slot.Wait), stopping);
        if (reservation.Account.PausedKind == PauseKind.Outage && !await AnswersAsync(attempt.Request.AssetId))
            return (await PutOffAsync(attempt.Request, reservation with { Account = await ledger.ProbeFailedAsync(ProbeEvery, stopping) }, stopping), reservedAt);

        var (claim, claimedAt) = await ClaimAsync(attempt, slot.Generation, stopping);
        if (!claim.IsOurs && MayBeClaimed(claim.Existing, attempt.Request))
            return (null, claimedAt);
        if (!claim.IsOurs)
            waiters.HandOn();
        return (claim.Existing, claimedAt);

        bool IsWanted(SubmissionRow? known) => known is null || (evenDeferred && known.State == SubmissionState.Deferred);
    }

    /// <summary>Tries to take the slot until it is taken, or void.</summary>
    async Task<(Claim Claim, long At)> ClaimAsync(Attempt attempt, long generation, CancellationToken stopping)
    {
        while (true)
        {
            var (claim, asked) = await UntilAnsweredAsync(attempt, null, token => ledger.ClaimAsync(attempt, generation, token), stopping);
            if (claim.IsOurs || claim.Slot.IsVoid || !MayBeClaimed(claim.Existing, attempt.Request))
                return (claim, asked);
            if (claim.Slot.Unanswered >= attempt.MostUnanswered)
                await Task.Delay(BetweenTries, time, stopping);
            else
                await WaitAsync(Math.Max(claim.Slot.Wait, 1000), stopping);
        }
    }

    /// <summary>Whether the request still needs a POST, and this one: its id may have been used for another asset meanwhile.</summary>
    static bool MayBeClaimed(SubmissionRow? existing, SubmissionRequest request) => existing is null
        || (existing.State == SubmissionState.Deferred && existing.Operation == request.Operation && existing.AssetId == request.AssetId);

    /// <summary>Repeats what may write the intent, where its own answer was lost, under the same attempt: it may have been written, and then it is ours.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="turn">Held while the ledger is asked; null where nobody else is in the way.</param>
    /// <param name="ask">Asks the ledger.</param>
    /// <param name="stopping">Ends the waiting.</param>
    /// <returns>The answer, and when it was first asked for: an answer that was lost may have been the one that counts.</returns>
    async Task<(T Answer, long Asked)> UntilAnsweredAsync<T>(Attempt attempt, SemaphoreSlim? turn, Func<CancellationToken, Task<T>> ask, CancellationToken stopping)
    {
        long? asked = null;
        while (true)
        {
            // It only saves work: where one hangs, because the database is away or silent, the others go on without it, and wait no longer than they would have alone.
            var isHeld = turn is not null && await turn.WaitAsync(BetweenTries, stopping);
            try
            {
                asked ??= time.GetTimestamp();
                return (await ask(stopping), asked.Value);
            }
            catch (DbException failed)
            {
                LogNotClaimed(attempt.Request.RequestId, failed.Message);
            }
            finally
            {
                if (isHeld)
                    turn!.Release();
            }

            await Task.Delay(BetweenTries, time, stopping);
        }
    }

    // From here on nothing is cancelled: the POST is about to leave, and its answer must be recorded.
    async Task<SubmissionRow> PostAsync(Operation operation, Attempt attempt, SubmissionRow row, long claimedAt)
    {
        AttemptEnd end;
        var told = Task.CompletedTask;
        try
        {
            var accepted = await operation.SubmitAsync(mavi, attempt.Request.AssetId, () =>
            {
                // A busy machine, a new connection: it leaves later than the ledger believes, and the next one, of another worker perhaps, has to wait for that.
                // Told on another thread: this one has a POST to send, and would hold it up behind code that is cold where the POST is late.
                // Where slots are closer to each other than that, which no account's are today, being late means nothing.
                if (time.GetElapsedTime(claimedAt) > Late && Late.TotalSeconds < 1 / _rate)
                    told = Task.Run(() => ledger.LeavesNowAsync(attempt, CancellationToken.None));
            });
            end = AnswerPolicy.Accepted(accepted, attempt, row);
        }
        catch (MaviException refused)
        {
            var asset = AnswerPolicy.NeedsAssetCheck(refused, row) ? await LookUpAsync(attempt.Request.AssetId) : AssetCheck.NotAsked;
            end = AnswerPolicy.Refused(refused, attempt, row, asset);
        }

        row = await RecordAsync(attempt, end);
        await told.ContinueWith(static _ => { }, TaskScheduler.Default); // It served its purpose or came too late; what was recorded counts.
        metrics.PostEnded(operation.Name, row.State);
        LogEnd(operation.Name, row.RequestId, row.AssetId, row.State, row.TaskId, row.Message);
        return row;
    }

    /// <summary>Repeats until the ledger has it: a task id that is lost here was paid for and can never be asked again.</summary>
    async Task<SubmissionRow> RecordAsync(Attempt attempt, AttemptEnd end)
    {
        while (true)
        {
            try
            {
                var row = await ledger.FinishAsync(attempt, end, CancellationToken.None);
                if (end.TaskId is not null && row.TaskId != end.TaskId)
                    LogTaskNotRecorded(row.RequestId, end.TaskId, row.State);
                return row;
            }
            catch (Exception failed) when (failed is DbException or OperationCanceledException)
            {
                // Cancelled by nobody: the ledger has lost patience with its database, and here there is nothing that could be handed back.
                LogNotRecorded(attempt.Request.RequestId, end.State, end.TaskId, failed.Message);
                await Task.Delay(BetweenTries, time, CancellationToken.None);
            }
        }
    }

    async Task<SubmissionRow> PutOffAsync(SubmissionRequest request, Reservation reservation, CancellationToken stopping)
    {
        var reason = reservation.Account.PausedReason ?? "the account's next slot is more than ten minutes away";
        if (reservation.Existing is { } deferred)
            return deferred;

        // Spread, so that the probe is one request and the rest do not come back with it all at once.
        var delay = Moment.ToSpan(Math.Max(reservation.Account.ProbeIn, 0)) + ProbeEvery * Random.Shared.NextDouble();
        return (await ledger.RecordAsync(
            request, SubmissionState.Deferred, delay, null, $"Not submitted yet: {reason}", new HistoryNote("Deferred", identity.Name), stopping)).Row;
    }

    /// <summary>A read costs nothing and is never in doubt: during an outage it goes first.</summary>
    async Task<bool> AnswersAsync(string assetId) => await LookUpAsync(assetId) != AssetCheck.NoAnswer;

    async Task<AssetCheck> LookUpAsync(string assetId)
    {
        try
        {
            await mavi.GetMetadataAsync(assetId, CancellationToken.None);
            return AssetCheck.Exists;
        }
        catch (MaviException exception)
        {
            return exception.Kind switch
            {
                MaviFailure.NotFound => AssetCheck.Unknown,
                MaviFailure.NotSent or MaviFailure.Unavailable or MaviFailure.Unknown => AssetCheck.NoAnswer,
                _ => AssetCheck.Unclear,
            };
        }
    }

    Task WaitAsync(long microseconds, CancellationToken stopping) =>
        microseconds <= 0 ? Task.CompletedTask : Task.Delay(Moment.ToSpan(microseconds) + TimeSpan.FromMilliseconds(0.5), time, stopping);

    [LoggerMessage(LogLevel.Information, "{Operation} {RequestId} of {AssetId}: {State} {TaskId} {Message}")]
    partial void LogEnd(string operation, string requestId, string assetId, SubmissionState state, string? taskId, string? message);

    [LoggerMessage(LogLevel.Warning, "The intent to submit {RequestId} may not be recorded, trying again: {Reason}")]
    partial void LogNotClaimed(Guid requestId, string reason);

    [LoggerMessage(LogLevel.Warning, "The answer for {RequestId} ({State} {TaskId}) is not recorded yet, trying again: {Reason}")]
    partial void LogNotRecorded(Guid requestId, SubmissionState state, string? taskId, string reason);

    [LoggerMessage(LogLevel.Error, "Mavi accepted {RequestId} as task {TaskId}, but the request is {State} by now or the task belongs to another: adopt the task by hand")]
    partial void LogTaskNotRecorded(string requestId, string taskId, SubmissionState state);
}
