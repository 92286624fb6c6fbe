using MassTransit;

namespace Mavi.Worker.Messaging;

/// <summary>
/// The one way a message leaves the Worker: with its id, confirmed by the broker, within a time limit. From the bus, never from the message in hand: MassTransit
/// would hand that one's headers on, which are its sender's business, and one that AMQP cannot carry would keep an event of ours from ever leaving.
/// </summary>
public static class Publishing
{
    /// <summary>A broker that crashed with publishes in flight is usable again after about 33 s; waiting longer than this helps nobody.</summary>
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Publishes, and returns when the broker has confirmed.</summary>
    /// <exception cref="TimeoutException">The broker did not confirm in time, or its connection went; the message may be published all the same.</exception>
    public static async Task PublishAsync(this IBus bus, Outgoing outgoing)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await bus.Publish(outgoing.Message, outgoing.Message.GetType(), Pipe.Execute<PublishContext>(context =>
            {
                context.MessageId = outgoing.MessageId;
                context.CorrelationId = outgoing.RequestId;
                context.Mandatory = outgoing.MustArrive;
            }), limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException($"RabbitMQ did not confirm {outgoing.Message.GetType().Name} within {Limit.TotalSeconds:0} s; it is published again when the message in hand is redelivered.");
        }
        catch (Exception lost) when (lost is ObjectDisposedException or OperationCanceledException)
        {
            // The client library's own locks and channels die with its connection, under a publish too: that says nothing about the message.
            throw new TimeoutException($"RabbitMQ's connection went before it confirmed {outgoing.Message.GetType().Name}; it is published again when the message in hand is redelivered.", lost);
        }
    }
}
