using System.Diagnostics;
using Mavi.Ledger.Scripts;

namespace Mavi.Ledger;

/// <summary>
/// Storage of the saga: one row per task. Nothing is locked between reading and writing: a change is written on the condition that the row still is the
/// one it was made from. Where it is not, nothing is written; the event is then to be handled anew, on the row as it is.
/// </summary>
public sealed class TaskLedger(LedgerDatabase database)
{
    const string Insert = """
        insert into tasks (id, account, task_id, state, operation, request_id, asset_id, submitted_at, late, overdue, result_kind, result, received_at,
                           reason, code, message, ended_at, due_at, transition, created_at, updated_at)
        values (@Id, @Account, @TaskId, @State, @Operation, @RequestId, @AssetId, @SubmittedAt, @Late, @Overdue, @ResultKind, @Result, @ReceivedAt,
                @Reason, @Code, @Message, @EndedAt, {now} + @Due, @Transition, {now}, {now})
        on conflict (id) do nothing
        returning created_at;

        """;

    // The state as well: a worker of before changes it without a transition of its own.
    const string Update = """
        update tasks
           set state = @State, operation = @Operation, request_id = @RequestId, asset_id = @AssetId, submitted_at = @SubmittedAt, late = @Late,
               overdue = @Overdue, result_kind = @ResultKind, result = @Result, received_at = @ReceivedAt, reason = @Reason, code = @Code,
               message = @Message, ended_at = @EndedAt, due_at = {now} + @Due, transition = @Transition, updated_at = {now}
         where id = @Id and transition is not distinct from @WasTransition and state = @WasState
        returning created_at;

        """;

    // Empty where the change did not take place.
    const string Note = """
        insert into history (id, account, request_id, task_id, at, kind, actor, detail)
        select @Transition, account, request_id, task_id, {now}, @Kind, @Actor, @Detail from tasks where id = @Id and transition = @Transition;

        """;

    // A callback that is no typed event may have been kept, and looked at in vain, long before a request claims its task.
    const string LookAgain = "update callbacks set recheck_at = {now} where task_id = @TaskId and account = @Account;";

    // Sent along, before the change, only while somebody traces.
    const string LoadTrace = """
        select h.detail from tasks t join history h on h.task_id = t.task_id and h.account = t.account and h.kind = coalesce(t.result_kind, 'TaskSubmitted')
         where t.id = @Id and h.detail is not null limit 1;

        """;

    static readonly Script Find = new($"select {TaskRow.Columns} from tasks where id = @Id;");

    static readonly Script[] Writes =
        [.. Enumerable.Range(0, 8).Select(static which => new Script((which / 4 > 0 ? LoadTrace : "") + (which / 2 % 2 > 0 ? Insert : Update) + Note + (which % 2 > 0 ? LookAgain : "")))];

    /// <summary>The task's row, or null.</summary>
    public Task<TaskRow?> FindAsync(Guid id, CancellationToken cancellationToken) => database.RunAsync(
        Find, new Values { { "Id", id.ToString() } }, static results => results.NextAsync(TaskRow.Of), cancellationToken);

    /// <summary>Writes the row with its history, in one transaction and one round trip, if the row in the ledger is still <paramref name="was"/>.</summary>
    /// <param name="was">The version that the change was made from; null where there was no row.</param>
    /// <param name="row">The row as it is to be. Once it is written, it is as it would be read.</param>
    /// <param name="note">For the history.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    public async Task<TaskWrite> WriteAsync(TaskVersion? was, TaskRow row, HistoryNote note, CancellationToken cancellationToken)
    {
        var isTraced = HistoryTrace.IsOn;
        var transition = SubmissionLedger.NewId();
        var (createdAt, firstTrace) = await database.RunAsync(
            ScriptOf(isNew: was is null, isTraced, awaitsCallback: row.State == TaskStates.AwaitingCallback),
            new Values
            {
                { "Id", row.Id },
                { "Account", AccountRow.Default },
                { "TaskId", row.TaskId },
                { "State", row.State },
                { "Operation", row.Operation },
                { "RequestId", row.RequestId },
                { "AssetId", row.AssetId },
                { "SubmittedAt", row.SubmittedAt },
                { "Late", row.Late },
                { "Overdue", row.Overdue },
                { "ResultKind", row.ResultKind },
                { "Result", row.Result },
                { "ReceivedAt", row.ReceivedAt },
                { "Reason", row.Reason },
                { "Code", row.Code },
                { "Message", row.Message },
                { "EndedAt", row.EndedAt },
                { "Due", Moment.From(row.DueIn) },
                { "Transition", transition },
                { "WasState", was?.State },
                { "WasTransition", was?.Transition },
                { "Kind", note.Kind },
                { "Actor", note.Actor },
                { "Detail", note.Detail },
            },
            async results =>
            {
                var trace = isTraced ? HistoryTrace.Of(await results.NextAsync(static row => row.Text(0))) : null;
                return (await results.NextAsync(static row => row.Number(0)), trace);
            },
            cancellationToken);
        if (createdAt is null)
            return default;

        (row.Transition, row.CreatedAt, row.DueIn) = (transition, createdAt.Value, null);
        return new TaskWrite(true, firstTrace);
    }

    static Script ScriptOf(bool isNew, bool isTraced, bool awaitsCallback) => Writes[(isTraced ? 4 : 0) + (isNew ? 2 : 0) + (awaitsCallback ? 1 : 0)];
}

/// <summary>Which of its changes a row is at: every change of a row sets another transition.</summary>
/// <param name="State">One of <see cref="TaskStates"/>.</param>
/// <param name="Transition">The id of the last change; null in rows of before it was kept.</param>
public readonly record struct TaskVersion(string? State, string? Transition);

/// <summary>What became of a change.</summary>
/// <param name="IsDone">False: the row is another than the one the change was made from, and nothing was written.</param>
/// <param name="FirstTrace">Where the change is traced: the trace of the event that came first; of the callback where it was that, else of the submission.</param>
public readonly record struct TaskWrite(bool IsDone, ActivityContext? FirstTrace);
