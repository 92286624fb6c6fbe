using MassTransit;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;

namespace Mavi.Worker.Joining;

/// <summary>
/// Keeps every callback that is no typed event, so that what nobody subscribes to is still there to be seen. One that carries the id of a task of
/// ours is that task's answer, whatever its shape: success is strict, so it failed.
/// </summary>
public sealed class CallbackReceivedConsumer(CallbackLedger ledger, IBus bus, WorkerIdentity identity) : IConsumer<CallbackReceived>
{
    /// <summary>A callback may come before its submission is recorded; by then it is.</summary>
    static readonly TimeSpan RecheckIn = TimeSpan.FromMinutes(1);

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<CallbackReceived> context)
    {
        var received = context.Message;
        var callback = new KeptCallback
        {
            Id = (context.MessageId ?? MessageIds.Of(nameof(CallbackReceived), received.Body)).ToString(),
            TaskId = received.TaskId is null ? null : PlainText.Clean(received.TaskId, 128),
            Body = PlainText.Clean(received.Body, int.MaxValue),
            Reason = PlainText.Clean(received.Reason, 2000),
            ReceivedAt = Moment.From(received.ReceivedAt),
        };
        if (!await ledger.KeepAsync(callback, RecheckIn, identity.Name, context.CancellationToken))
            return;

        await bus.PublishAsync(FailureOf(callback));
        await ledger.SettleAsync(callback.Id, context.CancellationToken);
    }

    /// <summary>The failure of the task that the callback belongs to.</summary>
    internal static Outgoing FailureOf(KeptCallback callback) => new(
        new TaskFailed
        {
            TaskId = callback.TaskId!,
            Message = $"The callback for this task is no result of its operation: {callback.Reason}",
            Body = callback.Body,
            ReceivedAt = callback.ReceivedAt.ToTime(),
        },
        MessageIds.Of(nameof(TaskFailed), callback.Id), null, MustArrive: true);
}

/// <summary>How <see cref="CallbackReceivedConsumer"/>'s queue is kept.</summary>
public sealed class CallbackReceivedConsumerDefinition : ConsumerDefinition<CallbackReceivedConsumer>
{
    /// <summary>Names the queue.</summary>
    public CallbackReceivedConsumerDefinition() => Endpoint(static endpoint => endpoint.Name = Queues.Callbacks);

    /// <inheritdoc />
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpoint, IConsumerConfigurator<CallbackReceivedConsumer> consumer, IRegistrationContext context)
    {
        endpoint.PrefetchCount = 16;
        endpoint.UseQueueDefaults(context, typeof(CallbackReceived));
    }
}
