using MassTransit;
using Mavi.CallbackGateway.Classifying;
using RabbitMQ.Client.Exceptions;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>How an attempt to publish ended.</summary>
enum PublishOutcome
{
    /// <summary>A queue has it.</summary>
    Confirmed,

    /// <summary>No queue is bound to the event's exchange.</summary>
    Returned,

    /// <summary>The broker refused this one event.</summary>
    Refused,

    /// <summary>No answer in time, or no connection. It may have arrived all the same: another attempt carries the same message id.</summary>
    Unanswered,
}

/// <summary>An attempt to publish; <paramref name="Reason"/> is why it failed.</summary>
readonly record struct PublishResult(PublishOutcome Outcome, string? Reason = null);

/// <summary>Publishes mandatory and confirmed, within <see cref="GatewayOptions.PublishTimeout"/> whatever the client library does.</summary>
sealed class EventPublisher(IBus bus, GatewayOptions options, BrokerState broker, TimeProvider time) : IDisposable
{
    // MassTransit puts no bound on unconfirmed publishes; a confirm takes milliseconds, so this many are enough for thousands a second.
    const int MostUnconfirmed = 64;

    readonly SemaphoreSlim _slots = new(MostUnconfirmed);

    /// <summary>One attempt for a callback whose sender is waiting.</summary>
    public async Task<PublishResult> PublishAsync(CallbackEvent callback, Guid messageId)
    {
        var deadline = NewDeadline();
        try
        {
            await _slots.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            deadline.Dispose();
            return new(PublishOutcome.Unanswered, $"{MostUnconfirmed} events already wait for their confirm.");
        }

        return await AttemptAsync(callback, messageId, deadline, ended: () => _slots.Release());
    }

    /// <summary>One attempt for a callback out of the spool: it is alone, and must get through even while every slot is held by a publish that hangs.</summary>
    public Task<PublishResult> PublishSpooledAsync(CallbackEvent callback, Guid messageId) =>
        AttemptAsync(callback, messageId, NewDeadline(), ended: () => { });

    public void Dispose() => _slots.Dispose();

    CancellationTokenSource NewDeadline() => new(options.PublishTimeout, time);

    async Task<PublishResult> AttemptAsync(CallbackEvent callback, Guid messageId, CancellationTokenSource deadline, Action ended)
    {
        var token = deadline.Token;
        try
        {
            await PublishToTheEndAsync().WaitAsync(token);
            broker.Took();
            return new(PublishOutcome.Confirmed);
        }
        catch (MessageReturnedException)
        {
            broker.Took();
            return new(PublishOutcome.Returned, "No queue is bound to its exchange.");
        }
        catch (OperationCanceledException)
        {
            return Unanswered($"No confirm within {options.PublishTimeout.TotalSeconds:0.###} s.");
        }
        catch (Exception exception) when (exception is ConnectionException or AlreadyClosedException or BrokerUnreachableException or IOException)
        {
            return Unanswered(exception.GetBaseException().Message);
        }
#pragma warning disable CA1031 // Whatever else the library throws concerns this event alone; it is not lost, the spool takes it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new(PublishOutcome.Refused, exception.GetBaseException().Message);
        }

        // A publish that we no longer wait for keeps its slot until the library lets go of it.
        async Task PublishToTheEndAsync()
        {
            try
            {
                await bus.Publish(callback.Message, callback.Message.GetType(), Address, token);
            }
            finally
            {
                deadline.Dispose();
                ended();
            }
        }

        void Address(PublishContext context)
        {
            context.MessageId = messageId;
            // A confirm alone does not mean that a queue took it; mandatory makes the broker return what none did.
            context.Mandatory = true;
        }
    }

    PublishResult Unanswered(string reason)
    {
        broker.Failed(reason);
        return new(PublishOutcome.Unanswered, reason);
    }
}
