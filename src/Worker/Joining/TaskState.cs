using System.Text.Json;
using MassTransit;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;

namespace Mavi.Worker.Joining;

/// <summary>The saga's instance: the ledger's row of one task, and what one event changed in it.</summary>
public sealed class TaskState : SagaStateMachineInstance
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The task id as a UUID, see <see cref="MessageIds.OfTask"/>.</summary>
    public Guid CorrelationId { get; set; }

    /// <summary>The row.</summary>
    public TaskRow Row { get; init; } = new();

    /// <summary>One of <see cref="TaskStates"/>; null before the first event.</summary>
    public string? CurrentState
    {
        get => Row.State;
        set => Row.State = value;
    }

    /// <summary>What to write into the history; null where the event changed nothing.</summary>
    public HistoryNote? Change { get; private set; }

    /// <summary>What to publish once the row is committed.</summary>
    internal Outgoing? Outcome { get; set; }

    /// <summary>A callback that says something else than the one that decides; null where there is none.</summary>
    internal KeptCallback? Contradiction { get; private set; }

    /// <summary>A request claims the task.</summary>
    public void Claim(TaskSubmitted submitted, TimeSpan overdueAfter, string actor)
    {
        Row.TaskId = submitted.TaskId;
        Row.Operation = submitted.Operation;
        Row.RequestId = submitted.RequestId.ToString();
        Row.AssetId = submitted.AssetId;
        Row.SubmittedAt = Moment.From(submitted.SubmittedAt);
        Row.Late = submitted.Late ? 1 : 0;
        Row.DueIn = overdueAfter;
        Change = new HistoryNote(nameof(TaskSubmitted), actor);
    }

    /// <summary>The callback came.</summary>
    public void Keep(string kind, object result, CallbackFacts facts, Guid? messageId, string actor)
    {
        Row.TaskId = facts.TaskId;
        Row.ResultKind = kind;
        Row.Result = JsonSerializer.Serialize(result, result.GetType(), Json);
        Row.ResultMessage = result;
        Row.ReceivedAt = Moment.From(facts.ReceivedAt);
        Change = new HistoryNote(kind, actor, JsonSerializer.Serialize(new { facts.ReceivedAt, facts.BodyBytes, facts.BodySha256, messageId }, Json));
    }

    /// <summary>A further callback came. Where it is no repeat of the one that decides, it is kept to be seen: one of the two is wrong, and nobody here knows which.</summary>
    public void Contradict(string kind, string result, CallbackFacts facts, Guid? messageId)
    {
        if (Row.ResultKind == kind && Row.Result is { } deciding && BodyOf(deciding) == facts.BodySha256)
            return;
        Contradiction = new KeptCallback
        {
            Id = (messageId ?? MessageIds.Of(kind, result)).ToString(),
            TaskId = facts.TaskId,
            Body = result,
            Reason = $"A further callback of this task, as {kind}; the task is {CurrentState} by {Row.ResultKind ?? "the passing of time"}.",
            ReceivedAt = Moment.From(facts.ReceivedAt),
        };
    }

    static string? BodyOf(string result)
    {
        using var json = JsonDocument.Parse(result);
        return json.RootElement.TryGetProperty("bodySha256", out var hash) ? hash.GetString() : null;
    }

    /// <summary>Both came: the row is final.</summary>
    public void End(string? reason, string? code, string? message)
    {
        Row.Reason = reason;
        Row.Code = code is null ? null : PlainText.Clean(code, 200);
        Row.Message = message is null ? null : PlainText.Clean(message, 2000);
        Row.EndedAt = Row.ReceivedAt;
        Row.DueIn = null;
    }
}
