using Dapper;

namespace Mavi.Ledger;

/// <summary>The ways out of <see cref="SubmissionState.Uncertain"/>: adopt a task, submit again, give up. Each happens once, whoever asks and however often.</summary>
public sealed class OperatorLedger(LedgerDatabase database, SubmissionSweeps sweeps)
{
    /// <summary>A request that had its failure already, but whose task may exist all the same.</summary>
    const string EndedInDoubt = "(state = 'Failed' and reason in ('SubmissionUncertain', 'Abandoned') and uncertain_at is not null)";

    // A failure that was published stays published: the result comes late then.
    const string Adopted = """
        late = case when state = 'Failed' then 1 else late end, state = 'Submitted', task_id = @TaskId, submitted_at = {now},
        uncertain_at = null, reason = null, message = null, announce_at = {now}
        """;

    /// <summary>Joins a task to a request that is uncertain, or that failed as such. Nothing is submitted.</summary>
    /// <returns>The row after it; null where the request is in no such state, or the task belongs to another.</returns>
    public Task<SubmissionRow?> AdoptAsync(Guid requestId, string taskId, HistoryNote note, CancellationToken cancellationToken) => sweeps.ChangeAsync(
        $"(state = 'Uncertain' or {EndedInDoubt}) and not exists (select 1 from submissions o where o.account = submissions.account and o.task_id = @TaskId)",
        Adopted, note, Values(requestId, taskId), cancellationToken);

    /// <summary>Submits an uncertain request again.</summary>
    /// <returns>The row after it; null where the request is not uncertain.</returns>
    public Task<SubmissionRow?> ResubmitAsync(Guid requestId, HistoryNote note, CancellationToken cancellationToken) => sweeps.ChangeAsync(
        "state = 'Uncertain'", "state = 'Deferred', due_at = {now}, announce_at = null", note, Values(requestId), cancellationToken);

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
    /// Only where no other program submits on the account: an unclaimed callback can be nobody's but an uncertain request's. Adopts where exactly
    /// one request fits exactly one callback; where two fit, a person decides.
    /// </summary>
    /// <param name="operation">The operation both must be of.</param>
    /// <param name="grace">How long a callback waits for its submission to be recorded before it counts as unclaimed.</param>
    /// <param name="note">For the history.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    /// <returns>The row after it; null where nothing or too much fits.</returns>
    public async Task<SubmissionRow?> AdoptOnlyFitAsync(string operation, TimeSpan grace, HistoryNote note, CancellationToken cancellationToken)
    {
        var parameters = new { Operation = operation, Grace = Moment.From(grace) };
        var fit = await database.RunAsync(
            """
            select o.task_id as TaskId, o.created_at as CreatedAt, (select min(request_id) from submissions where operation = @Operation and uncertain_at <= o.created_at) as RequestId
              from tasks o where o.state = 'AwaitingSubmission' and o.operation = @Operation and o.created_at <= {now} - @Grace limit 2
            """,
            parameters, static async results => (await results.ReadAsync<Fit>()).AsList(), cancellationToken);
        if (fit is not [{ RequestId: { } requestId } only])
            return null;

        var values = Values(Guid.Parse(requestId), only.TaskId);
        values.Add("Operation", operation);
        values.Add("Arrived", only.CreatedAt);
        // Judged again inside the statement that adopts: every POST that may have made this task counts, in flight or in doubt, resubmitted or not.
        return await sweeps.ChangeAsync(
            """
            state = 'Uncertain'
            and (select count(*) from submissions o where o.operation = @Operation
                  and (o.uncertain_at <= @Arrived or (o.state = 'Submitting' and o.attempted_at <= @Arrived))) = 1
            and (select count(*) from tasks t where t.state = 'AwaitingSubmission' and t.operation = @Operation) = 1
            and not exists (select 1 from submissions o where o.account = submissions.account and o.task_id = @TaskId)
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

    sealed class Fit
    {
        public string TaskId { get; init; } = "";
        public long CreatedAt { get; init; }
        public string? RequestId { get; init; }
    }
}
