using System.Data.Common;
using Mavi.Ledger.Scripts;

namespace Mavi.Ledger;

/// <summary>Where a request stands before Mavi's callback; <c>docs/flow.md</c> has the diagram.</summary>
public enum SubmissionState
{
    /// <summary>The intent is recorded and a POST may have left; one worker answers for it until the lease ends.</summary>
    Submitting,

    /// <summary>Mavi accepted it; the task id is known.</summary>
    Submitted,

    /// <summary>Nothing was accepted; to be tried again at a recorded time.</summary>
    Deferred,

    /// <summary>Refused, by us or by Mavi; terminal.</summary>
    Rejected,

    /// <summary>A POST left and nobody knows whether Mavi accepted it; held until somebody decides.</summary>
    Uncertain,

    /// <summary>Given up, abandoned, or uncertain for too long; terminal, but a task can still be adopted.</summary>
    Failed,
}

/// <summary>One request in the ledger. Times are <see cref="Moment"/>s.</summary>
public sealed class SubmissionRow
{
    internal const string Columns = """
        request_id as RequestId, operation as Operation, asset_id as AssetId, caller as Caller, state as State, attempts as Attempts,
        deferrals as Deferrals, limit_texts as LimitTexts, attempt_id as AttemptId, attempted_at as AttemptedAt, due_at as DueAt, task_id as TaskId,
        submitted_at as SubmittedAt, reason as Reason, code as Code, message as Message, late as LateFlag, created_at as CreatedAt, updated_at as UpdatedAt
        """;

    /// <summary>From a row of exactly <see cref="Columns"/>.</summary>
    internal static SubmissionRow Of(DbDataReader row) => new()
    {
        RequestId = row.GetString(0),
        Operation = row.GetString(1),
        AssetId = row.GetString(2),
        Caller = row.Text(3),
        State = Enum.Parse<SubmissionState>(row.GetString(4)),
        Attempts = row.GetInt32(5),
        Deferrals = row.GetInt32(6),
        LimitTexts = row.GetInt32(7),
        AttemptId = row.Text(8),
        AttemptedAt = row.Number(9),
        DueAt = row.Number(10),
        TaskId = row.Text(11),
        SubmittedAt = row.Number(12),
        Reason = row.Text(13),
        Code = row.Text(14),
        Message = row.Text(15),
        LateFlag = row.GetInt32(16),
        CreatedAt = row.GetInt64(17),
        UpdatedAt = row.GetInt64(18),
    };

    /// <summary>The caller's request id.</summary>
    public Guid Request => Guid.Parse(RequestId);

    /// <summary>The caller's request id as the ledger keeps it.</summary>
    public string RequestId { get; init; } = "";
    /// <summary>The operation's name.</summary>
    public string Operation { get; init; } = "";
    /// <summary>The asset asked for.</summary>
    public string AssetId { get; init; } = "";
    /// <summary>Who asked.</summary>
    public string? Caller { get; init; }
    /// <summary>Where it stands.</summary>
    public SubmissionState State { get; init; }
    /// <summary>POSTs let go so far.</summary>
    public int Attempts { get; init; }
    /// <summary>Times it was put off so far.</summary>
    public int Deferrals { get; init; }
    /// <summary>Answers so far that may mean a throttle or an unknown asset.</summary>
    public int LimitTexts { get; init; }
    /// <summary>The last attempt.</summary>
    public string? AttemptId { get; init; }
    /// <summary>When the last attempt was let go.</summary>
    public long? AttemptedAt { get; init; }
    /// <summary>Deferred: when it is tried again.</summary>
    public long? DueAt { get; init; }
    /// <summary>Mavi's task id.</summary>
    public string? TaskId { get; init; }
    /// <summary>When Mavi accepted it.</summary>
    public long? SubmittedAt { get; init; }
    /// <summary>Why it is where it is.</summary>
    public string? Reason { get; init; }
    /// <summary>Mavi's code, where Mavi answered.</summary>
    public string? Code { get; init; }
    /// <summary>One sentence for a person.</summary>
    public string? Message { get; init; }
    /// <summary>0 or 1: a failure was published before a task was adopted.</summary>
    public int LateFlag { get; init; }
    /// <summary>When the command first came.</summary>
    public long CreatedAt { get; init; }
    /// <summary>When the row last changed.</summary>
    public long UpdatedAt { get; init; }
}

/// <summary>What a command asks for, as the ledger keeps it.</summary>
/// <param name="RequestId">The caller's request id.</param>
/// <param name="Operation">The operation's name.</param>
/// <param name="AssetId">The asset, valid or cut to what may be kept.</param>
/// <param name="Caller">Who asks.</param>
public sealed record SubmissionRequest(Guid RequestId, string Operation, string AssetId, string? Caller);

/// <summary>A row of <c>history</c> to be written with a transition.</summary>
/// <param name="Kind">What happened, such as <c>Submitted</c>.</param>
/// <param name="Actor">Which worker or operator did it.</param>
/// <param name="Detail">A small JSON object, or null.</param>
public sealed record HistoryNote(string Kind, string Actor, string? Detail = null)
{
    /// <summary>As given, with the trace it happens in where there is one.</summary>
    public string? Detail { get; } = HistoryTrace.AddTo(Detail);

    /// <summary>The row's id, where it is made from the message that asks for the transition: the same message again changes nothing.</summary>
    public string? Id { get; init; }
}
