using System.Text.Json;

namespace Mavi.HistoryChecker;

/// <summary>What the witnesses said.</summary>
sealed record Evidence(
    IReadOnlyList<Post> Posts, IReadOnlyList<CallbackAttempt> Callbacks, IReadOnlyList<Message> Messages, IReadOnlyList<QueueDepth> Queues, LedgerRecords Ledger);

/// <summary>A POST that reached the Sandbox.</summary>
/// <param name="Operation"><c>Split</c> or <c>ExtractFrames</c>.</param>
/// <param name="AssetId">The asset; every request of a run has one of its own.</param>
/// <param name="IsAccepted">It made a task and is billed, whatever was answered.</param>
/// <param name="TaskId">The task, where it made one.</param>
sealed record Post(string Operation, string? AssetId, bool IsAccepted, string? TaskId);

/// <summary>One attempt of the Sandbox to deliver one callback.</summary>
/// <param name="TaskId">The body's task id.</param>
/// <param name="IsDelivered">The webhook answered 2xx: from then on nobody will send it again.</param>
/// <param name="Body">As it was sent.</param>
sealed record CallbackAttempt(string? TaskId, bool IsDelivered, string Body);

/// <summary>A message out of a tap.</summary>
/// <param name="Kind">The contract's name, such as <c>SplitVideoSucceeded</c>.</param>
/// <param name="MessageId">The envelope's, or AMQP's.</param>
/// <param name="RequestId">In lower case with dashes; null where it has none.</param>
/// <param name="Content">The message itself, without its envelope.</param>
sealed record Message(string Kind, string? MessageId, string? RequestId, JsonElement Content)
{
    /// <summary>A member as text; null where it is missing or null.</summary>
    public string? Text(string name) =>
        Content.ValueKind == JsonValueKind.Object && Content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A member as true or false; false where it is missing.</summary>
    public bool Flag(string name) =>
        Content.ValueKind == JsonValueKind.Object && Content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}

/// <summary>A queue that is no tap, and what is in it: ready and unacknowledged.</summary>
sealed record QueueDepth(string Name, long Messages);

/// <summary>The ledger's tables, as far as they matter.</summary>
sealed record LedgerRecords(
    IReadOnlyList<SubmissionRecord> Submissions, IReadOnlyList<TaskRecord> Tasks, IReadOnlyList<KeptRecord> Kept, IReadOnlyList<HistoryRecord> History);

/// <summary>A row of <c>submissions</c>.</summary>
sealed record SubmissionRecord(string RequestId, string State, string? TaskId, string Transition, bool IsOwed);

/// <summary>A row of <c>tasks</c>.</summary>
sealed record TaskRecord(string TaskId, string State, string? RequestId, string? ResultKind, bool IsOwed);

/// <summary>A row of <c>callbacks</c>.</summary>
sealed record KeptRecord(string? TaskId, string Body);

/// <summary>A row of <c>history</c>; <paramref name="At"/> is in microseconds since 1970 by the database's clock.</summary>
sealed record HistoryRecord(string Id, string? RequestId, string? TaskId, string Kind, string Actor, long At = 0, string? Detail = null);
