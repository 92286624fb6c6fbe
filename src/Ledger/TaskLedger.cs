using System.Buffers.Binary;
using System.Diagnostics;
using Dapper;

namespace Mavi.Ledger;

/// <summary>Storage of the saga: one row per task, held exclusively from its first read to its commit, in two round trips.</summary>
public sealed class TaskLedger(LedgerDatabase database)
{
    // The advisory lock keeps two events of one new task apart before there is a row; the row lock keeps the sweeps off.
    const string Load = $$"""select {{TaskRow.Columns}} from tasks where id = @Id {forUpdate};""";

    // Sent along only while somebody traces.
    const string LoadTrace = """
        select h.detail from tasks t join history h on h.task_id = t.task_id and h.account = t.account and h.kind = coalesce(t.result_kind, 'TaskSubmitted')
         where t.id = @Id and h.detail is not null limit 1;
        """;

    /// <summary>Reads the task's row for an event; nobody else reads it for one until the session ends.</summary>
    public async Task<TaskSession> OpenAsync(Guid id, CancellationToken cancellationToken)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes);
        var transaction = await database.BeginLockedAsync(BinaryPrimitives.ReadInt64LittleEndian(bytes), cancellationToken);
        try
        {
            var parameters = new DynamicParameters();
            parameters.Add("Id", id.ToString());
            var isTraced = HistoryTrace.IsOn;
            return await transaction.ReadAsync(isTraced ? Load + LoadTrace : Load, parameters, async results => new TaskSession(transaction, id)
            {
                Row = await results.ReadSingleOrDefaultAsync<TaskRow?>(),
                FirstTrace = isTraced ? HistoryTrace.Of(await results.ReadSingleOrDefaultAsync<string?>()) : null,
            });
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    /// <summary>The task's row, or null.</summary>
    public Task<TaskRow?> FindAsync(Guid id, CancellationToken cancellationToken) => database.RunAsync(
        $"select {TaskRow.Columns} from tasks where id = @Id", new { Id = id.ToString() },
        static results => results.ReadSingleOrDefaultAsync<TaskRow?>(), cancellationToken);
}

/// <summary>One event's hold on one task. Disposed without <see cref="SaveAsync"/>, nothing has happened.</summary>
public sealed class TaskSession : IAsyncDisposable
{
    const string Insert = """
        insert into tasks (id, account, task_id, state, operation, request_id, asset_id, submitted_at, late, overdue, result_kind, result, received_at,
                           reason, code, message, ended_at, due_at, created_at, updated_at)
        values (@Id, @Account, @TaskId, @State, @Operation, @RequestId, @AssetId, @SubmittedAt, @Late, @Overdue, @ResultKind, @Result, @ReceivedAt,
                @Reason, @Code, @Message, @EndedAt, {now} + @Due, {now}, {now});

        """;

    const string Update = """
        update tasks
           set state = @State, operation = @Operation, request_id = @RequestId, asset_id = @AssetId, submitted_at = @SubmittedAt, late = @Late,
               overdue = @Overdue, result_kind = @ResultKind, result = @Result, received_at = @ReceivedAt, reason = @Reason, code = @Code,
               message = @Message, ended_at = @EndedAt, due_at = {now} + @Due, updated_at = {now}
         where id = @Id;

        """;

    const string Note = """
        insert into history (id, account, request_id, task_id, at, kind, actor, detail)
        values (@Transition, @Account, @RequestId, @TaskId, {now}, @Kind, @Actor, @Detail);

        """;

    // A callback that is no typed event may have been kept, and looked at in vain, long before a request claims its task.
    const string LookAgain = """
        update callbacks set recheck_at = {now} where task_id = @TaskId and account = @Account and @State = 'AwaitingCallback';

        """;

    readonly LedgerTransaction _transaction;

    internal TaskSession(LedgerTransaction transaction, Guid id) => (_transaction, Id) = (transaction, id);

    /// <summary>The task's correlation id.</summary>
    public Guid Id { get; }

    /// <summary>The row as it was read; null where there is none yet.</summary>
    public TaskRow? Row { get; internal init; }

    /// <summary>The trace of the event that came first, where this one is traced too; of the callback where it came first, else of the submission.</summary>
    public ActivityContext? FirstTrace { get; internal init; }

    /// <summary>Writes the row with its history, and commits.</summary>
    public Task SaveAsync(TaskRow row, HistoryNote note) => _transaction.CommitAsync(
        (Row is null ? Insert : Update) + LookAgain + Note,
        new
        {
            Id = Id.ToString(),
            Account = AccountRow.Default,
            row.TaskId,
            row.State,
            row.Operation,
            row.RequestId,
            row.AssetId,
            row.SubmittedAt,
            row.Late,
            row.Overdue,
            row.ResultKind,
            row.Result,
            row.ReceivedAt,
            row.Reason,
            row.Code,
            row.Message,
            row.EndedAt,
            Due = row.DueIn is { } due ? Moment.From(due) : (long?)null,
            Transition = SubmissionLedger.NewId(),
            note.Kind,
            note.Actor,
            note.Detail,
        });

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _transaction.DisposeAsync();
}
