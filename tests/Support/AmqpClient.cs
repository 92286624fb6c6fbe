using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Mavi.Tests.Support;

/// <summary>Another service on the bus, as any language would write it: queues, raw bytes, no MassTransit.</summary>
sealed class AmqpClient : IAsyncDisposable
{
    static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(20);
    static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(50);

    readonly IConnection _connection;

    AmqpClient(IConnection connection) => _connection = connection;

    public static async Task<AmqpClient> ConnectAsync(string uri) =>
        new(await new ConnectionFactory { Uri = new Uri(uri), ClientProvidedName = "test" }.CreateConnectionAsync());

    /// <summary>The exchange of a message type, as MassTransit names it.</summary>
    public static string ExchangeOf<T>() => $"{typeof(T).Namespace}:{typeof(T).Name}";

    /// <summary>Binds a durable queue (a new one unless named) to the exchange of <typeparamref name="T"/>; returns the queue's name.</summary>
    public Task<string> BindQueueAsync<T>(string? queue = null, IDictionary<string, object?>? arguments = null) => BindQueueAsync(ExchangeOf<T>(), queue, arguments);

    /// <summary>Declares a fanout exchange the way MassTransit does (durable, no arguments) and a durable queue bound to it; returns the queue's name.</summary>
    public async Task<string> BindQueueAsync(string exchange, string? queue = null, IDictionary<string, object?>? arguments = null)
    {
        queue ??= $"test-{Guid.NewGuid():N}";
        await using var channel = await _connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, autoDelete: false);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments);
        await channel.QueueBindAsync(queue, exchange, routingKey: "");
        return queue;
    }

    /// <summary>Publishes bytes persistent, mandatory and confirmed; returned or refused is an exception.</summary>
    public async Task PublishAsync(string exchange, ReadOnlyMemory<byte> body, BasicProperties? properties = null, string routingKey = "")
    {
        properties ??= new BasicProperties { ContentType = "application/json" };
        properties.Persistent = true;
        await using var channel = await _connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body);
    }

    /// <summary>The next message of the queue, taken out of it. The queue itself may appear while we wait.</summary>
    /// <exception cref="TimeoutException">None came within the limit (20 s unless given).</exception>
    public Task<AmqpMessage> TakeAsync(string queue, TimeSpan? within = null) => NextAsync(queue, within ?? DefaultLimit, keep: false);

    /// <summary>The next message of the queue, left in it: what is in an <c>_error</c> queue, for instance.</summary>
    /// <exception cref="TimeoutException">None came within the limit (20 s unless given).</exception>
    public Task<AmqpMessage> PeekAsync(string queue, TimeSpan? within = null) => NextAsync(queue, within ?? DefaultLimit, keep: true);

    /// <summary>How many messages are ready in the queue; 0 where there is no such queue.</summary>
    public async Task<uint> CountAsync(string queue)
    {
        try
        {
            await using var channel = await _connection.CreateChannelAsync();
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return 0;
        }
    }

    /// <summary>Deletes a queue with what is in it.</summary>
    public async Task DeleteQueueAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.QueueDeleteAsync(queue);
    }

    /// <summary>Deletes the exchange of <typeparamref name="T"/> with its bindings.</summary>
    public async Task DeleteExchangeAsync<T>()
    {
        await using var channel = await _connection.CreateChannelAsync();
        await channel.ExchangeDeleteAsync(ExchangeOf<T>());
    }

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync();

    async Task<AmqpMessage> NextAsync(string queue, TimeSpan limit, bool keep)
    {
        using var stop = new CancellationTokenSource(limit);
        using var timer = new PeriodicTimer(RetryEvery);
        try
        {
            while (true)
            {
                try
                {
                    return await ConsumeOneAsync(queue, keep, stop.Token);
                }
                catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
                {
                    await timer.WaitForNextTickAsync(stop.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No message came to queue {queue} within {limit.TotalSeconds:0.#} s.");
        }
    }

    async Task<AmqpMessage> ConsumeOneAsync(string queue, bool keep, CancellationToken cancellation)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: cancellation);
        await channel.BasicQosAsync(0, prefetchCount: 1, global: false, cancellation);
        var first = new TaskCompletionSource<(ulong Tag, AmqpMessage Message)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            // The client takes its buffer back after this handler.
            first.TrySetResult((delivery.DeliveryTag, new AmqpMessage(delivery.Body.ToArray(), new BasicProperties(delivery.BasicProperties))));
            return Task.CompletedTask;
        };
        var tag = await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancellation);
        var (deliveryTag, message) = await first.Task.WaitAsync(cancellation);

        // Cancelled before acknowledged: the next message stays in the queue, and order is kept.
        await channel.BasicCancelAsync(tag, cancellationToken: cancellation);
        if (keep)
            await channel.BasicNackAsync(deliveryTag, multiple: false, requeue: true, cancellation);
        else
            await channel.BasicAckAsync(deliveryTag, multiple: false, cancellation);
        return message;
    }
}
