using Dapper;

namespace Mavi.Ledger;

/// <summary>The ways out of <see cref="SubmissionState.Uncertain"/>: adopt a task, submit again, give up. Each happens once, whoever asks and however often.</summary>
public sealed class OperatorLedger(LedgerDatabase database, SubmissionSweeps sweeps)
{
    /// <summary>A request that had its failure already, but whose task may exist all the same.</summary>
    const string EndedInDoubt = "(state = 'Failed' and reason in ('SubmissionUncertain', 'Abandoned') and uncertain_at is not null)";

    // A failure that was published stays published: the result comes late then. A doubt about an earlier POST than the last stays, too: that one may
    // have made another task.
    const string Adopted = """
        late = case when state = 'Failed' then 1 else late end, state = 'Submitted', task_id = @TaskId, submitted_at = {now},
        uncertain_at = case when uncertain_at < attempted_at then uncertain_at end, reason = null, message = null, announce_at = {now}
        """;

    /// <summary>Every POST that may have made a task nobody claims, by its request: in doubt, in flight, or in doubt once and submitted again.</summary>
    const string Doubts = """
        (select * from (select request_id, state, uncertain_at as since from submissions where operation = @Operation and uncertain_at is not null order by uncertain_at limit 2) d
         union all
         select * from (select request_id, state, attempted_at as since from submissions
                         where state = 'Submitting' and operation = @Operation and uncertain_at is null order by attempted_at limit 2) f)
        """;

    const string Orphans = """
        tasks t where t.state = 'AwaitingSubmission' and t.operation = @Operation
                  and not exists (select 1 from submissions s where s.account = t.account and s.task_id = t.task_id)
        """;

    /// <summary>Joins a task to a request that is uncertain, or that failed as such. Nothing is submitted.</summary>
    /// <returns>The row after it; null where the request is in no such state, or the task belongs to another.</returns>
    public Task<SubmissionRow?> AdoptAsync(Guid requestId, string taskId, HistoryNote note, CancellationToken cancellationToken) => sweeps.ChangeAsync(
        $"(state = 'Uncertain' or {EndedInDoubt}) and not exists (select 1 from submissions o where o.account = submissions.account and o.task_id = @TaskId)",
        Adopted, note, Values(requestId, taskId), cancellationToken);

    /// <summary>Submits an uncertain request again.</summary>
    /// <returns>The row after it; null where the request is not uncertain.</returns>
    public Task<SubmissionRow?> ResubmitAsync(Guid requestId, HistoryNote note, CancellationToken cancellationToken) => sweeps.ChangeAsync(
        "state = 'Uncertain'", "state = 'Deferred', due_at = {now}, deferrals = 0, announce_at = null", note, Values(requestId), cancellationToken);

    /// <summary>Gives up a request that is uncertain or deferred.</summary>
    /// <returns>The row after it; null where the request is neither.</returns>
    public Task<SubmissionRow?> AbandonAsync(Guid requestId, string message, HistoryNote note, CancellationToken cancellationToken)
    {
        var values = Values(requestId);
        values.Add("Message", message);
        return sweeps.ChangeAsync(
            "state in ('Uncertain', 'Deferred')",
            "state = 'Failed', reason = 'Abandoned', message = @Message, due_at = null, announce_at = {now}", note, values, cancellationToken);
    }

    /// <summary>
    /// Only where no other program submits on the account: an unclaimed callback can be nobody's but that of a request in doubt whose POST left before
    /// it came. Callbacks that came after the first such POST and before the second fit the first request alone; where there is exactly one of them, and no
    /// other callback contradicts it, it is adopted. Once it is, the second is the first: called until it returns null, this resolves whatever can be, and a person decides the rest.
    /// </summary>
    /// <param name="operation">The operation both must be of.</param>
    /// <param name="grace">How long a callback waits for its submission to be recorded before it counts as unclaimed.</param>
    /// <param name="note">For the history.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    /// <returns>The row after it; null where nothing or too much fits.</returns>
    public async Task<SubmissionRow?> AdoptOnlyFitAsync(string operation, TimeSpan grace, HistoryNote note, CancellationToken cancellationToken)
    {
        var doubts = await database.RunAsync(
            $"select request_id as RequestId, state as State, since as Since from {Doubts} a order by since, request_id limit 2",
            new { Operation = operation }, static async results => (await results.ReadAsync<Doubt>()).AsList(), cancellationToken);
        if (doubts is not [{ State: nameof(SubmissionState.Uncertain) } first, ..])
            return null;

        var window = new { Operation = operation, From = first.Since, Until = doubts is [_, var second] ? second.Since : long.MaxValue };
        var fits = await database.RunAsync(
            $$"""
            select t.task_id as TaskId, t.created_at - ({now} - @Grace) as YoungBy, exists (select 1 from callbacks c where c.task_id = t.task_id) as IsContradicted from {{Orphans}} and t.created_at >= @From and t.created_at < @Until limit 2
            """,
            new { window.Operation, window.From, window.Until, Grace = Moment.From(grace) }, static async results => (await results.ReadAsync<Fit>()).AsList(), cancellationToken);
        if (fits is not [{ YoungBy: <= 0, IsContradicted: false } only])
            return null;

        // Judged again inside the statement that adopts.
        var values = Values(Guid.Parse(first.RequestId), only.TaskId);
        values.AddDynamicParams(window);
        return await sweeps.ChangeAsync(
            $"""
            state = 'Uncertain' and not exists (select 1 from submissions o where o.account = submissions.account and o.task_id = @TaskId)
            and (select count(*) from {Doubts} a where since < @Until) = 1
            and (select count(*) from {Orphans} and t.created_at >= @From and t.created_at < @Until) = 1
            """,
            Adopted, note, values, cancellationToken);
    }

    static DynamicParameters Values(Guid requestId, string? taskId = null)
    {
        var values = new DynamicParameters();
        values.Add("Request", requestId.ToString());
        values.Add("TaskId", taskId);
        return values;
    }

    sealed class Doubt
    {
        public string RequestId { get; init; } = "";
        public string State { get; init; } = "";
        public long Since { get; init; }
    }

    sealed class Fit
    {
        public string TaskId { get; init; } = "";
        public long YoungBy { get; init; }
        public bool IsContradicted { get; init; }
    }
}
