using System.Data.Common;
using Mavi.Ledger.Scripts;

namespace Mavi.Ledger;

/// <summary>Where a task of Mavi stands between its submission and its callback, which come in either order.</summary>
public static class TaskStates
{
    /// <summary>Submitted; the callback has not come.</summary>
    public const string AwaitingCallback = nameof(AwaitingCallback);

    /// <summary>The callback came; no submission claims it (yet): an orphan.</summary>
    public const string AwaitingSubmission = nameof(AwaitingSubmission);

    /// <summary>Both came, and the result is whole; terminal.</summary>
    public const string Succeeded = nameof(Succeeded);

    /// <summary>Both came, and the task failed; terminal.</summary>
    public const string Failed = nameof(Failed);

    /// <summary>The callback did not come in time and the failure is published; a later success is still published as late.</summary>
    public const string Lost = nameof(Lost);
}

/// <summary>One task in the ledger, the saga's row. Times are <see cref="Moment"/>s.</summary>
public sealed class TaskRow
{
    internal const string Columns = """
        id as Id, task_id as TaskId, state as State, operation as Operation, request_id as RequestId, asset_id as AssetId, submitted_at as SubmittedAt,
        late as Late, overdue as Overdue, result_kind as ResultKind, result as Result, received_at as ReceivedAt, reason as Reason, code as Code,
        message as Message, ended_at as EndedAt, transition as Transition, created_at as CreatedAt
        """;

    /// <summary>From a row of exactly <see cref="Columns"/>.</summary>
    internal static TaskRow Of(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        TaskId = row.GetString(1),
        State = row.Text(2),
        Operation = row.Text(3),
        RequestId = row.Text(4),
        AssetId = row.Text(5),
        SubmittedAt = row.Number(6),
        Late = row.GetInt32(7),
        Overdue = row.GetInt32(8),
        ResultKind = row.Text(9),
        Result = row.Text(10),
        ReceivedAt = row.Number(11),
        Reason = row.Text(12),
        Code = row.Text(13),
        Message = row.Text(14),
        EndedAt = row.Number(15),
        Transition = row.Text(16),
        CreatedAt = row.GetInt64(17),
    };

    /// <summary>The saga's correlation id as text.</summary>
    public string Id { get; set; } = "";
    /// <summary>Mavi's task id.</summary>
    public string TaskId { get; set; } = "";
    /// <summary>One of <see cref="TaskStates"/>; null before the first event.</summary>
    public string? State { get; set; }
    /// <summary>The operation: the submission's; while none has claimed it, the callback's, where its shape tells.</summary>
    public string? Operation { get; set; }
    /// <summary>The request that claims the task.</summary>
    public string? RequestId { get; set; }
    /// <summary>The asset the task works on.</summary>
    public string? AssetId { get; set; }
    /// <summary>When Mavi accepted the request.</summary>
    public long? SubmittedAt { get; set; }
    /// <summary>0 or 1: a failure was published before the result came.</summary>
    public int Late { get; set; }
    /// <summary>0 or 1: the alarm was raised.</summary>
    public int Overdue { get; set; }
    /// <summary>The name of the message that brought the result.</summary>
    public string? ResultKind { get; set; }
    /// <summary>That message as JSON.</summary>
    public string? Result { get; set; }
    /// <summary>That message itself, where it is at hand; not stored.</summary>
    public object? ResultMessage { get; set; }
    /// <summary>When the gateway received the callback.</summary>
    public long? ReceivedAt { get; set; }
    /// <summary>Failed or lost: why.</summary>
    public string? Reason { get; set; }
    /// <summary>Failed: the callback's code.</summary>
    public string? Code { get; set; }
    /// <summary>Failed or lost: one sentence for a person.</summary>
    public string? Message { get; set; }
    /// <summary>When the row became terminal.</summary>
    public long? EndedAt { get; set; }
    /// <summary>The id of the last change.</summary>
    public string? Transition { get; set; }
    /// <summary>Which of its changes the row is at.</summary>
    public TaskVersion Version => new(State, Transition);
    /// <summary>When the first of the two events came.</summary>
    public long CreatedAt { get; set; }
    /// <summary>Set to give the row a deadline that long from now; null takes the deadline away. Not read back.</summary>
    public TimeSpan? DueIn { get; set; }
}
