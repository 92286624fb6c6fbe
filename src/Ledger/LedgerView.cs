using System.Diagnostics;

namespace Mavi.Ledger;

/// <summary>What an operator asks the ledger; nothing here changes anything.</summary>
public sealed class LedgerView(LedgerDatabase database)
{
    internal const string Waiting = """
        select 'requests' as Kind, 'Submitting' as State, count(*) as Count, coalesce({now} - min(created_at), 0) / 1000000 as OldestSeconds from submissions
         where state = 'Submitting'
        union all
        select 'requests', 'Deferred', count(*), coalesce({now} - min(created_at), 0) / 1000000 from submissions where state = 'Deferred'
        union all
        select 'requests', 'Uncertain', count(*), coalesce({now} - min(created_at), 0) / 1000000 from submissions where state = 'Uncertain' and uncertain_at is not null
        union all
        select 'requests', 'AwaitingCallback', count(*), coalesce({now} - min(created_at), 0) / 1000000 from tasks where state = 'AwaitingCallback' and due_at is not null
        union all
        select 'orphans', 'AwaitingSubmission', count(*), coalesce({now} - min(created_at), 0) / 1000000 from tasks where state = 'AwaitingSubmission'
        union all
        select 'pauses', 'Outage', count(*), coalesce({now} - min(paused_at), 0) / 1000000 from accounts where paused_kind = 'Outage'
        union all
        select 'pauses', 'Blocked', count(*), coalesce({now} - min(paused_at), 0) / 1000000 from accounts where paused_kind = 'Blocked'
        """;

    /// <summary>How many requests, tasks and kept callbacks stand where, and the age of the oldest of each in seconds.</summary>
    public Task<IReadOnlyList<StateCount>> CountAsync(CancellationToken cancellationToken) => database.RunAsync(
        """
        select 'submissions' as Kind, state as State, count(*) as Count, ({now} - min(created_at)) / 1000000 as OldestSeconds from submissions
         where state not in ('Submitted', 'Rejected', 'Failed') group by state
        union all
        select 'tasks', state, count(*), ({now} - min(created_at)) / 1000000 from tasks where state in ('AwaitingCallback', 'AwaitingSubmission', 'Lost') group by state
        union all
        select 'callbacks', 'Kept', count(*), ({now} - min(created_at)) / 1000000 from callbacks having count(*) > 0
        """,
        new { }, static async results => (IReadOnlyList<StateCount>)[.. await results.ReadAsync<StateCount>()], cancellationToken);

    /// <summary>
    /// What waits, for gauges: requests by state, orphans, and whether the account is paused (0 or 1), each with the age of the oldest in seconds. A line for
    /// each, also where there is none. Cheap however much has ended, because every line has its partial index in <c>schema.sql</c>.
    /// </summary>
    public Task<IReadOnlyList<StateCount>> WaitingAsync(CancellationToken cancellationToken) => database.RunAsync(
        Waiting, new { }, static async results => (IReadOnlyList<StateCount>)[.. await results.ReadAsync<StateCount>()], cancellationToken);

    /// <summary>The trace in which a request first came; null where it was not traced.</summary>
    public Task<ActivityContext?> TraceOfAsync(Guid requestId, CancellationToken cancellationToken) => database.RunAsync(
        "select detail from history where request_id = @Request and detail like '%\"traceparent\":%' order by at limit 1", new { Request = requestId.ToString() },
        static async results => HistoryTrace.Of(await results.ReadSingleOrDefaultAsync<string?>()), cancellationToken);

    /// <summary>The database's time.</summary>
    public Task<long> NowAsync(CancellationToken cancellationToken) => database.RunAsync(
        "select {now}", new { }, static results => results.ReadSingleAsync<long>(), cancellationToken);

    /// <summary>Requests in a state, oldest first.</summary>
    public Task<IReadOnlyList<SubmissionRow>> RequestsAsync(SubmissionState state, int most, CancellationToken cancellationToken) => database.RunAsync(
        $"select {SubmissionRow.Columns} from submissions where state = @State order by created_at limit @Most", new { State = state.ToString(), Most = most },
        static async results => (IReadOnlyList<SubmissionRow>)[.. await results.ReadAsync<SubmissionRow>()], cancellationToken);

    /// <summary>Callbacks that no submission claims, oldest first.</summary>
    public Task<IReadOnlyList<TaskRow>> OrphansAsync(int most, CancellationToken cancellationToken) => database.RunAsync(
        $"select {TaskRow.Columns} from tasks where state = 'AwaitingSubmission' order by created_at limit @Most", new { Most = most },
        static async results => (IReadOnlyList<TaskRow>)[.. await results.ReadAsync<TaskRow>()], cancellationToken);

    /// <summary>Kept callbacks, newest first.</summary>
    public Task<IReadOnlyList<KeptCallback>> CallbacksAsync(int most, CancellationToken cancellationToken) => database.RunAsync(
        "select id as Id, task_id as TaskId, body as Body, reason as Reason, received_at as ReceivedAt from callbacks order by created_at desc limit @Most", new { Most = most },
        static async results => (IReadOnlyList<KeptCallback>)[.. await results.ReadAsync<KeptCallback>()], cancellationToken);

    /// <summary>Everything that happened to a request, in order.</summary>
    public Task<IReadOnlyList<HistoryRow>> HistoryAsync(Guid requestId, CancellationToken cancellationToken) => database.RunAsync(
        """
        select id as Id, request_id as RequestId, task_id as TaskId, at as At, kind as Kind, actor as Actor, detail as Detail from history
         where request_id = @Request or task_id = (select task_id from submissions where request_id = @Request) order by at, id
        """,
        new { Request = requestId.ToString() }, static async results => (IReadOnlyList<HistoryRow>)[.. await results.ReadAsync<HistoryRow>()], cancellationToken);
}

/// <summary>How many stand in one state.</summary>
public sealed class StateCount
{
    /// <summary>What is counted, such as <c>submissions</c>.</summary>
    public string Kind { get; init; } = "";
    /// <summary>The state.</summary>
    public string State { get; init; } = "";
    /// <summary>How many.</summary>
    public long Count { get; init; }
    /// <summary>Age of the oldest, in seconds.</summary>
    public long OldestSeconds { get; init; }
}

/// <summary>One transition, as it was recorded with it.</summary>
public sealed class HistoryRow
{
    /// <summary>The transition's id.</summary>
    public string Id { get; init; } = "";
    /// <summary>The request, where it is known.</summary>
    public string? RequestId { get; init; }
    /// <summary>The task, where it is known.</summary>
    public string? TaskId { get; init; }
    /// <summary>When, by the database's clock.</summary>
    public long At { get; init; }
    /// <summary>What happened.</summary>
    public string Kind { get; init; } = "";
    /// <summary>Who did it.</summary>
    public string Actor { get; init; } = "";
    /// <summary>Small JSON, or null.</summary>
    public string? Detail { get; init; }
}
