using Dapper;

namespace Mavi.Ledger;

/// <summary>What happens to requests by time alone, and what operators decide. Safe on any number of workers: each row changes once.</summary>
public sealed class SubmissionSweeps(LedgerDatabase database)
{
    const int Batch = 100;

    /// <summary>Whoever held the lease is gone, and the POST may have left: nobody knows, so the request is held.</summary>
    /// <returns>How many requests became uncertain.</returns>
    public Task<int> ExpireLeasesAsync(string actor, CancellationToken cancellationToken) => SweepAsync(
        "state = 'Submitting' and lease_until <= {asOf}",
        """
        state = 'Uncertain', uncertain_at = coalesce(uncertain_at, attempted_at), lease_until = null, announce_at = {now},
        message = 'The worker ' || worker || ' did not record an answer in time; it may have crashed after the POST left.'
        """,
        "Uncertain", actor, new { }, cancellationToken);

    /// <summary>
    /// A callback waits for a submission that has long been recorded: the event that joins the two went missing after it was published, so the ledger owes it
    /// again. Of callbacks of the last day, because those of other programs stay much longer.
    /// </summary>
    /// <returns>How many requests owe their event again.</returns>
    public Task<int> OweUnjoinedAsync(TimeSpan after, CancellationToken cancellationToken) => database.RunAsync(
        """
        update submissions set announce_at = {now}
         where state = 'Submitted' and announce_at is null and account = @Account
           and task_id in (select task_id from tasks where state = 'AwaitingSubmission' and created_at <= {asOf} - @After and created_at > {asOf} - 86400000000)
        returning request_id
        """,
        new { Account = AccountRow.Default, After = Moment.From(after) },
        static async results => (await results.ReadAsync<string>()).Count(), cancellationToken);

    /// <summary>Uncertain requests that nobody decided about end as failed; a task can still be adopted.</summary>
    public Task<int> EndUncertainAsync(TimeSpan after, string actor, CancellationToken cancellationToken) => SweepAsync(
        "state = 'Uncertain' and uncertain_at <= {asOf} - @After",
        """
        state = 'Failed', reason = 'SubmissionUncertain', announce_at = {now}, due_at = null,
        message = 'Nobody could find out whether Mavi accepted the request. ' || coalesce(message, '')
        """,
        "Failed", actor, new { After = Moment.From(after) }, cancellationToken);

    /// <summary>
    /// Deferred requests that were not accepted for too long end as failed. One that was submitted again after a doubt gets at least one try, however
    /// old it is, and ends as what it is: its first POST may have been taken, so a task can still be adopted.
    /// </summary>
    public Task<int> GiveUpAsync(TimeSpan after, string actor, CancellationToken cancellationToken) => SweepAsync(
        "state = 'Deferred' and created_at <= {asOf} - @After and (uncertain_at is null or deferrals > 0)",
        """
        state = 'Failed', announce_at = {now}, due_at = null,
        reason = case when uncertain_at is null then 'GaveUp' else 'SubmissionUncertain' end,
        message = case when uncertain_at is null then 'Mavi took the request at no time since it was published. '
                       else 'Nobody could find out whether Mavi accepted the request, and it took it at no time since it was submitted again. ' end || coalesce(message, '')
        """,
        "Failed", actor, new { After = Moment.From(after) }, cancellationToken);

    /// <summary>Under <c>Worker:OnUncertain=Resubmit</c>: uncertain requests are tried again at once, at the price that Mavi may be paid twice.</summary>
    public Task<int> ResubmitUncertainAsync(string actor, CancellationToken cancellationToken) => SweepAsync(
        "state = 'Uncertain' and announce_at is null", "state = 'Deferred', due_at = {now}, deferrals = 0", "Resubmitted", actor, new { }, cancellationToken);

    /// <summary>
    /// Takes deferred requests whose time has come. Each is put off by <paramref name="hold"/>, so that no other worker takes it meanwhile and
    /// nothing is lost when this one dies.
    /// </summary>
    public Task<IReadOnlyList<SubmissionRow>> TakeDueAsync(string operation, int most, TimeSpan hold, CancellationToken cancellationToken) => database.RunAsync(
        $$"""
        update submissions set due_at = {now} + @Hold
         where request_id in (select request_id from submissions where state = 'Deferred' and due_at <= {asOf} and operation = @Operation order by due_at limit @Most)
           and state = 'Deferred' and due_at <= {asOf}
        returning {{SubmissionRow.Columns}}
        """,
        new { Operation = operation, Most = most, Hold = Moment.From(hold) },
        static async results => (IReadOnlyList<SubmissionRow>)[.. await results.ReadAsync<SubmissionRow>()],
        cancellationToken);

    /// <summary>Hands a taken request back, to be taken again at once.</summary>
    public Task<int> HandBackAsync(SubmissionRow row, CancellationToken cancellationToken) => database.RunAsync(
        "update submissions set due_at = {now} where request_id = @RequestId and state = 'Deferred' returning 1",
        new { row.RequestId }, static results => results.ReadSingleOrDefaultAsync<int>(), cancellationToken);

    // One row a statement keeps the rows and their history in step; the batch keeps a transaction short.
    async Task<int> SweepAsync(string condition, string change, string kind, string actor, object parameters, CancellationToken cancellationToken)
    {
        var select = $"select request_id from submissions where {condition} limit {Batch}";
        var ids = await database.RunAsync(select, parameters, static async results => (await results.ReadAsync<string>()).AsList(), cancellationToken);
        var changed = 0;
        foreach (var id in ids)
        {
            var values = new DynamicParameters(parameters);
            values.Add("Request", id);
            if (await ChangeAsync(condition, change, new HistoryNote(kind, actor), values, cancellationToken) is not null)
                changed++;
        }

        return changed;
    }

    /// <summary>Changes the request <c>@Request</c> where it fits, with its history row, in one transaction.</summary>
    /// <returns>The row after the change; null where it did not fit.</returns>
    internal async Task<SubmissionRow?> ChangeAsync(
        string condition, string change, HistoryNote note, DynamicParameters values, CancellationToken cancellationToken)
    {
        var transition = note.Id ?? SubmissionLedger.NewId();
        values.Add("Transition", transition);
        values.Add("Kind", note.Kind);
        values.Add("Actor", note.Actor);
        values.Add("Detail", note.Detail);
        return await database.RunAsync(
            $$"""
            update submissions set {{change}}, transition = @Transition, updated_at = {now} where request_id = @Request and {{condition}}
               and not exists (select 1 from history where id = @Transition);

            insert into history (id, account, request_id, task_id, at, kind, actor, detail)
            select @Transition, account, request_id, task_id, {now}, @Kind, @Actor, @Detail from submissions where request_id = @Request and transition = @Transition
            on conflict (id) do nothing;

            select {{SubmissionRow.Columns}} from submissions where request_id = @Request and transition = @Transition;
            """,
            values, static results => results.ReadSingleOrDefaultAsync<SubmissionRow?>(), cancellationToken);
    }
}
