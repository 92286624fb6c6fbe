using System.Text.Json;
using MassTransit;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;
using Mavi.Worker.Submitting;

namespace Mavi.Worker.Operating;

/// <summary>Carries out what an operator decided about a request in doubt. A repeat of the same decision is silent; one that comes too late says so.</summary>
public sealed class OperatorConsumer(OperatorLedger decisions, SubmissionLedger ledger, LedgerView view, Announcer announcer) :
    IConsumer<AdoptTask>,
    IConsumer<ResubmitRequest>,
    IConsumer<AbandonRequest>
{
    const int LongestActor = 200;
    const int LongestText = 2000;

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<AdoptTask> context)
    {
        var message = context.Message;
        var requestId = Needed(message.RequestId);
        if (string.IsNullOrWhiteSpace(message.TaskId) || message.TaskId.Length > 128 || message.TaskId.Any(char.IsControl))
            throw new UnusableMessageException("taskId is missing, empty, longer than 128 characters or holds control characters; expected the id of the task to adopt. Publish AdoptTask again with it.");

        var note = Note(context, requestId, "Adopted", message.Actor, message.Reason);
        var row = await decisions.AdoptAsync(requestId, message.TaskId, note, context.CancellationToken);
        await SayAsync(context, requestId, row, note, existing => existing.TaskId == message.TaskId, "adopted: it must be Uncertain, or have failed as such, and the task must be no other request's");
    }

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<ResubmitRequest> context)
    {
        var message = context.Message;
        var requestId = Needed(message.RequestId);
        var note = Note(context, requestId, "Resubmitted", message.Actor, message.Reason);
        // The doubt may be a new one by now, about the POST that this very message asked for.
        var row = await WasCarriedOutAsync(context, requestId, note) ? null : await decisions.ResubmitAsync(requestId, note, context.CancellationToken);
        await SayAsync(context, requestId, row, note, static existing => existing.State == SubmissionState.Deferred, "submitted again: it must be Uncertain");
    }

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<AbandonRequest> context)
    {
        var message = context.Message;
        var requestId = Needed(message.RequestId);
        var sentence = PlainText.Clean($"{message.Actor ?? "An operator"} gave the request up{(message.Reason is null ? "." : $": {message.Reason}")}", LongestText);
        var note = Note(context, requestId, "Abandoned", message.Actor, message.Reason);
        var row = await decisions.AbandonAsync(requestId, sentence, note, context.CancellationToken);
        await SayAsync(context, requestId, row, note, static existing => existing.Reason == FailureReasons.Abandoned, "abandoned: it must be Uncertain or Deferred");
    }

    // The event is owed by the ledger until it is published; publishing it here saves the wait for the sweep.
    async Task SayAsync(ConsumeContext context, Guid requestId, SubmissionRow? row, HistoryNote note, Func<SubmissionRow, bool> isDone, string expected)
    {
        if (row is null)
        {
            var existing = await ledger.FindAsync(requestId, context.CancellationToken)
                ?? throw new UnusableMessageException($"Request {requestId} is not in the ledger; expected one that is. Look the request id up and publish the decision again.");
            if (!isDone(existing) && !await WasCarriedOutAsync(context, requestId, note))
                throw new UnusableMessageException($"Request {requestId} is {existing.State} and cannot be {expected}. Nothing was changed.");
            row = existing;
        }

        await announcer.PublishAsync(row);
    }

    // A message that comes again after a crash may find that others have decided since. One without an id cannot be told from another of its kind:
    // it is not carried out twice then, because a POST costs money and an operator can ask again.
    async Task<bool> WasCarriedOutAsync(ConsumeContext context, Guid requestId, HistoryNote note)
    {
        if (note.Id is null && !context.ReceiveContext.Redelivered && context.GetRetryAttempt() == 0)
            return false;
        var history = await view.HistoryAsync(requestId, context.CancellationToken);
        return history.Any(row => note.Id is null ? row.Kind == note.Kind : row.Id == note.Id);
    }

    static Guid Needed(Guid? requestId) => requestId is { } id && id != Guid.Empty ? id
        : throw new UnusableMessageException("requestId is missing; expected the UUID of the request to decide about. Publish the decision again with it.");

    static HistoryNote Note(ConsumeContext context, Guid requestId, string kind, string? actor, string? reason) =>
        new(kind, PlainText.Clean(actor ?? "operator", LongestActor), reason is null ? null : JsonSerializer.Serialize(new { reason = PlainText.Clean(reason, LongestText) }))
        {
            Id = context.MessageId is { } id ? MessageIds.Of(kind, requestId.ToString(), id.ToString()).ToString() : null,
        };
}

/// <summary>How <see cref="OperatorConsumer"/>'s queue is kept.</summary>
public sealed class OperatorConsumerDefinition : ConsumerDefinition<OperatorConsumer>
{
    /// <summary>Names the queue.</summary>
    public OperatorConsumerDefinition() => Endpoint(static endpoint => endpoint.Name = Queues.Operator);

    /// <inheritdoc />
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpoint, IConsumerConfigurator<OperatorConsumer> consumer, IRegistrationContext context)
    {
        endpoint.PrefetchCount = 8;
        endpoint.UseQueueDefaults(context, typeof(AdoptTask), typeof(ResubmitRequest), typeof(AbandonRequest));
    }
}
