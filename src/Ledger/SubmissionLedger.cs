using Mavi.Ledger.Scripts;
using Mavi.Ledger.Statements;

namespace Mavi.Ledger;

/// <summary>
/// The path of one request to Mavi: take a slot with the intent recorded, or reserve one and claim it when its time has come; then record the answer. Each is
/// one transaction in one round trip; every statement is conditional, so that any number of workers may run it for the same request at the same moment.
/// </summary>
public sealed class SubmissionLedger(LedgerDatabase database)
{
    /// <summary>Makes sure that the rate slots of these operations exist.</summary>
    public Task PrepareAsync(IEnumerable<string> operations, CancellationToken cancellationToken) => database.RunAsync(
        """
        insert into accounts (account) values (@Account) on conflict do nothing;
        """ + string.Concat(operations.Select(operation =>
            $"insert into rate_slots (account, operation) values (@Account, '{operation.Replace("'", "''", StringComparison.Ordinal)}') on conflict do nothing;")),
        new { Account = AccountRow.Default }, cancellationToken);

    /// <summary>
    /// Takes a slot that is free at once and records the intent with it, as <see cref="ClaimAsync"/> does. No slot is spent on a request that is submitted already,
    /// nor while the account is paused. May be repeated where its own answer was lost.
    /// </summary>
    /// <param name="attempt">The POST that is to leave.</param>
    /// <param name="evenDeferred">Whether a deferred request gets a slot too.</param>
    /// <param name="interval">The time between two POSTs of the operation.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    /// <returns>Where it is ours, send the POST now; else the request's row where the ledger knows it, and no slot.</returns>
    public Task<(bool IsOurs, SubmissionRow? Existing)> TakeAsync(Attempt attempt, bool evenDeferred, TimeSpan interval, CancellationToken cancellationToken) => database.RunAsync(
        SubmitStatements.Take, ValuesOf(attempt, evenDeferred, interval),
        async results =>
        {
            var row = await results.NextAsync(SubmissionRow.Of);
            return (IsClaimed(row, attempt), row);
        },
        cancellationToken);

    /// <summary>Finds the request, or reserves the next slot for it; while the account is paused only for a probe that is due.</summary>
    /// <inheritdoc cref="TakeAsync" path="/param"/>
    public Task<Reservation> ReserveAsync(Attempt attempt, bool evenDeferred, TimeSpan interval, CancellationToken cancellationToken) => database.RunAsync(
        SubmitStatements.Reserve, ValuesOf(attempt, evenDeferred, interval),
        static async results =>
        {
            var slot = await results.NextAsync(static row => new Slot { Wait = row.GetInt64(0), Generation = row.GetInt64(1) });
            var row = await results.NextAsync(SubmissionRow.Of);
            return new Reservation(row, slot, (await results.NextAsync(AccountRow.Of))!);
        },
        cancellationToken);

    /// <summary>
    /// Records the intent right before the POST, if the slot still holds. From here on, until the lease ends, this worker alone answers for the request.
    /// </summary>
    /// <param name="attempt">The POST that is to leave.</param>
    /// <param name="generation">Of the slot that was reserved for it.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    public Task<Claim> ClaimAsync(Attempt attempt, long generation, CancellationToken cancellationToken)
    {
        var values = ValuesOf(attempt);
        values.Add("Generation", generation);
        values.Add("ProbeEvery", Moment.From(attempt.ProbeEvery));
        return database.RunAsync(
            SubmitStatements.Claim, values,
            async results =>
            {
                var row = await results.NextAsync(SubmissionRow.Of);
                var slot = await results.NextAsync(static row => new Slot
                {
                    Wait = row.GetInt64(0),
                    Generation = row.GetInt64(1),
                    IsVoid = row.GetInt32(2) != 0,
                    Unanswered = row.GetInt64(3),
                });
                return new Claim(IsClaimed(row, attempt), row, slot!);
            },
            cancellationToken);
    }

    /// <summary>The POST of a claim leaves only now: the next one is counted from here.</summary>
    public Task LeavesNowAsync(Attempt attempt, CancellationToken cancellationToken) => database.RunAsync(
        "update rate_slots set last_at = {now} where account = @Account and operation = @Operation and last_attempt = @Attempt",
        new { Account = AccountRow.Default, attempt.Request.Operation, Attempt = attempt.Id }, cancellationToken);

    /// <summary>Records the answer to a POST, with what it means for the account. May be repeated until it is written.</summary>
    /// <returns>The row as it now is.</returns>
    public async Task<SubmissionRow> FinishAsync(Attempt attempt, AttemptEnd end, CancellationToken cancellationToken)
    {
        var values = new Values
        {
            { "Account", AccountRow.Default },
            { "Operation", attempt.Request.Operation },
            { "Request", attempt.Request.RequestId.ToString() },
            { "Attempt", attempt.Id },
            { "Transition", end.TransitionId },
            { "State", end.State.ToString() },
            { "TaskId", end.TaskId },
            { "Reason", end.Reason },
            { "Code", end.Code },
            { "Message", end.Message },
            { "Delay", Moment.From(end.RetryIn) },
            { "LimitText", end.IsLimitText ? 1 : 0 },
            { "Kind", end.Note.Kind },
            { "Actor", end.Note.Actor },
            { "Detail", end.Note.Detail },
            { "PushBack", Moment.From(end.PushBack) },
            { "PauseReason", end.PauseReason },
            { "ProbeEvery", Moment.From(attempt.ProbeEvery) },
            { "FailuresAllowed", end.FailuresAllowed },
        };
        var (row, isWell) = await database.RunAsync(
            SubmitStatements.Finish(end.Account), values,
            static async results => (await results.NextAsync(SubmissionRow.Of), await results.NextAsync(static row => row.GetInt32(0) == 0)), cancellationToken);
        if (end.Account == AccountEffect.Healthy && !isWell)
            await database.RunAsync(SubmitStatements.Heal, values, static _ => Task.FromResult(true), cancellationToken);
        return row ?? (await FindAsync(attempt.Request.RequestId, cancellationToken))!;
    }

    /// <summary>Records a request that is not submitted now: refused at once, or put off because the account is paused. An existing row stays as it is.</summary>
    /// <returns>The row as it now is, and whether this call made it.</returns>
    public Task<(SubmissionRow Row, bool IsNew)> RecordAsync(
        SubmissionRequest request, SubmissionState state, TimeSpan? retryIn, string? reason, string? message, HistoryNote note, CancellationToken cancellationToken)
    {
        var transition = NewId();
        return database.RunAsync(
            SubmitStatements.Record,
            new Values
            {
                { "Account", AccountRow.Default },
                { "Operation", request.Operation },
                { "Request", request.RequestId.ToString() },
                { "AssetId", request.AssetId },
                { "Caller", request.Caller },
                { "State", state.ToString() },
                { "Delay", Moment.From(retryIn) },
                { "Reason", reason },
                { "Message", message },
                { "Transition", transition },
                { "Kind", note.Kind },
                { "Actor", note.Actor },
                { "Detail", note.Detail },
            },
            static async results =>
            {
                var made = await results.NextAsync(static row => row.GetString(0)) is not null;
                return ((await results.NextAsync(SubmissionRow.Of))!, made);
            },
            cancellationToken);
    }

    /// <summary>
    /// A repeat of the command finds the POST of another worker on its way and leaves it to that one. The repeat may be the last copy of the command
    /// (the broker gave it to us because it lost the owner): from here on the ledger owes the event, whatever becomes of the owner.
    /// </summary>
    /// <returns>The row as it now is; where it is past <c>Submitting</c> its event is to be published.</returns>
    public Task<SubmissionRow> LeaveToOwnerAsync(Guid requestId, CancellationToken cancellationToken) => database.RunAsync(
        SubmitStatements.LeaveToOwner, new Values { { "Request", requestId.ToString() } }, static async results => (await results.NextAsync(SubmissionRow.Of))!, cancellationToken);

    /// <summary>The request's row, or null.</summary>
    public Task<SubmissionRow?> FindAsync(Guid requestId, CancellationToken cancellationToken) => database.RunAsync(
        SubmitStatements.Find, new Values { { "Request", requestId.ToString() } }, static results => results.NextAsync(SubmissionRow.Of), cancellationToken);

    /// <summary>The account as every worker sees it.</summary>
    public Task<AccountRow> AccountAsync(CancellationToken cancellationToken) => database.RunAsync(
        SubmitStatements.Account, new Values { { "Account", AccountRow.Default } }, static async results => (await results.NextAsync(AccountRow.Of))!, cancellationToken);

    /// <summary>A probe of a paused account got no answer: the next one waits longer.</summary>
    /// <returns>The account as it now is.</returns>
    public Task<AccountRow> ProbeFailedAsync(TimeSpan probeEvery, CancellationToken cancellationToken) => database.RunAsync(
        SubmitStatements.ProbeFailed, new Values { { "Account", AccountRow.Default }, { "ProbeEvery", Moment.From(probeEvery) } },
        static async results => (await results.NextAsync(AccountRow.Of))!, cancellationToken);

    static bool IsClaimed(SubmissionRow? row, Attempt attempt) => row?.AttemptId == attempt.Id && row.State == SubmissionState.Submitting;

    static Values ValuesOf(Attempt attempt, bool evenDeferred, TimeSpan interval)
    {
        var values = ValuesOf(attempt);
        values.Add("EvenDeferred", evenDeferred ? 1 : 0);
        values.Add("Interval", Moment.From(interval));
        return values;
    }

    static Values ValuesOf(Attempt attempt) => new()
    {
        { "Account", AccountRow.Default },
        { "Operation", attempt.Request.Operation },
        { "Request", attempt.Request.RequestId.ToString() },
        { "AssetId", attempt.Request.AssetId },
        { "Caller", attempt.Request.Caller },
        { "Attempt", attempt.Id },
        { "Worker", attempt.Worker },
        { "Lease", Moment.From(attempt.Lease) },
        { "Spacing", Moment.From(attempt.Spacing) },
        { "MostUnanswered", attempt.MostUnanswered },
        { "Detail", HistoryTrace.AddTo(null) },
    };

    /// <summary>An id for a transition: time-ordered, so that the history's index grows at its end.</summary>
    public static string NewId() => Guid.CreateVersion7().ToString();
}

/// <summary>What <see cref="SubmissionLedger.ReserveAsync"/> found.</summary>
/// <param name="Existing">The request's row where the ledger knows it; no slot is reserved then, unless it is deferred.</param>
/// <param name="Slot">The reserved slot; null where none was.</param>
/// <param name="Account">The account, paused or not.</param>
public sealed record Reservation(SubmissionRow? Existing, Slot? Slot, AccountRow Account);

/// <summary>A moment at which one POST of one operation may leave.</summary>
public sealed class Slot
{
    /// <summary>Microseconds until then, by the database's clock; 0 or less is now.</summary>
    public long Wait { get; init; }
    /// <summary>Which push back it was reserved after; a later one makes it void.</summary>
    public long Generation { get; init; }
    /// <summary>True where it can no longer be taken, and another must be reserved.</summary>
    public bool IsVoid { get; init; }
    /// <summary>POSTs of the operation that left a while ago and are still unanswered.</summary>
    public long Unanswered { get; init; }
}

/// <summary>One POST that is to leave.</summary>
/// <param name="Id">Unique per attempt.</param>
/// <param name="Request">The request.</param>
/// <param name="Worker">Which worker sends it.</param>
/// <param name="Lease">How long the worker may take to record the answer; over it the request is uncertain.</param>
/// <param name="Spacing">The least time between two POSTs of the operation.</param>
/// <param name="ProbeEvery">The time between two probes of a paused account.</param>
/// <param name="MostUnanswered">No further POST leaves while this many are unanswered for a while.</param>
public sealed record Attempt(
    string Id, SubmissionRequest Request, string Worker, TimeSpan Lease, TimeSpan Spacing, TimeSpan ProbeEvery, int MostUnanswered);

/// <summary>What <see cref="SubmissionLedger.ClaimAsync"/> did.</summary>
/// <param name="IsOurs">True: the intent is recorded, send the POST now. False: do not send.</param>
/// <param name="Existing">The request's row, where there is one.</param>
/// <param name="Slot">Not ours: how long to wait before the next try, or that the slot is void.</param>
public sealed record Claim(bool IsOurs, SubmissionRow? Existing, Slot Slot);

/// <summary>What an answer means for everybody who shares the account.</summary>
public enum AccountEffect
{
    /// <summary>Mavi works: forget throttles and failures, end a pause.</summary>
    Healthy,

    /// <summary>Push the operation's slots back for everybody.</summary>
    Throttled,

    /// <summary>Count a failure; after several in a row everybody stops and one probes.</summary>
    Failing,

    /// <summary>Everybody stops at once; one probes.</summary>
    Blocked,
}

/// <summary>The end of an attempt.</summary>
public sealed record AttemptEnd(SubmissionState State, AccountEffect Account, HistoryNote Note)
{
    /// <summary>The transition's id; the same on every repetition of the same end.</summary>
    public string TransitionId { get; } = SubmissionLedger.NewId();
    /// <summary>Submitted: Mavi's task id.</summary>
    public string? TaskId { get; init; }
    /// <summary>Why, one of the failure reasons.</summary>
    public string? Reason { get; init; }
    /// <summary>Mavi's code.</summary>
    public string? Code { get; init; }
    /// <summary>One sentence for a person.</summary>
    public string? Message { get; init; }
    /// <summary>Deferred: how long.</summary>
    public TimeSpan? RetryIn { get; init; }
    /// <summary>Deferred by an answer that may mean a throttle or an unknown asset.</summary>
    public bool IsLimitText { get; init; }
    /// <summary>Throttled: how long everybody waits at least; null doubles with each throttle in a row, 1 s to 32 s.</summary>
    public TimeSpan? PushBack { get; init; }
    /// <summary>Blocked or failing: one sentence for the operator.</summary>
    public string? PauseReason { get; init; }
    /// <summary>Failing: so many in a row before everybody stops.</summary>
    public int FailuresAllowed { get; init; } = 3;
}
