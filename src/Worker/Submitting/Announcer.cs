using MassTransit;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;

namespace Mavi.Worker.Submitting;

/// <summary>Says how a request or a task stands: the event of its state, built from the ledger's row alone, so that anybody can say it again.</summary>
public sealed class Announcer(Lazy<IBus> bus, IEnumerable<Operation> operations)
{
    readonly Dictionary<string, Operation> _operations = operations.ToDictionary(static operation => operation.Name);

    /// <summary>Publishes the event of the request's state, where it has one.</summary>
    public async Task PublishAsync(SubmissionRow row)
    {
        if (EventOf(row) is { } outgoing)
            await bus.Value.PublishAsync(outgoing);
    }

    /// <summary>Publishes the event of the task's state, where it has one.</summary>
    public async Task PublishAsync(TaskRow row)
    {
        if (EventOf(row) is { } outgoing)
            await bus.Value.PublishAsync(outgoing);
    }

    /// <summary>Whether this worker knows the operation; a newer worker may know more.</summary>
    internal bool Knows(string? operation) => operation is not null && _operations.ContainsKey(operation);

    /// <summary>The event of the request's state; null where it has none (it is on its way, or put off).</summary>
    internal Outgoing? EventOf(SubmissionRow row) => row.State switch
    {
        SubmissionState.Submitted => new Outgoing(
            new TaskSubmitted
            {
                RequestId = row.Request,
                Operation = row.Operation,
                AssetId = row.AssetId,
                TaskId = row.TaskId!,
                SubmittedAt = row.SubmittedAt!.Value.ToTime(),
                Late = row.LateFlag == 1,
            },
            MessageIds.Of(nameof(TaskSubmitted), row.RequestId, row.TaskId!), row.Request, MustArrive: true),
        SubmissionState.Uncertain => new Outgoing(
            new SubmissionUncertain
            {
                RequestId = row.Request,
                Operation = row.Operation,
                AssetId = row.AssetId,
                Reason = row.Message ?? "A POST left and its answer is not known.",
                AttemptedAt = row.AttemptedAt!.Value.ToTime(),
            },
            MessageIds.Of(nameof(SubmissionUncertain), row.RequestId, row.AttemptId!), row.Request),
        SubmissionState.Rejected or SubmissionState.Failed => _operations[row.Operation].FailedEvent(row),
        _ => null,
    };

    /// <summary>The event of the task's state; null where it has none, or where a failure was published before and this would be a second.</summary>
    internal Outgoing? EventOf(TaskRow row) => row switch
    {
        { State: TaskStates.AwaitingCallback, Overdue: 1 } => new Outgoing(
            new TaskOverdue
            {
                RequestId = Guid.Parse(row.RequestId!),
                Operation = row.Operation!,
                AssetId = row.AssetId!,
                TaskId = row.TaskId,
                SubmittedAt = row.SubmittedAt!.Value.ToTime(),
            },
            MessageIds.Of(nameof(TaskOverdue), row.TaskId), Guid.Parse(row.RequestId!)),
        { State: TaskStates.Succeeded } => _operations[row.Operation!].SucceededEvent(row),
        { State: TaskStates.Failed or TaskStates.Lost, Late: 0 } => _operations[row.Operation!].FailedEvent(row),
        _ => null,
    };
}
