using Mavi.Chaos;
using Mavi.Contracts;
using RabbitMQ.Client;

namespace Mavi.Bench.Loads;

/// <summary>A quorum queue behind every event of a gateway. Nobody consumes it: it is emptied between rounds, so that none finds it longer than another.</summary>
sealed class CallbackQueue : IAsyncDisposable
{
    const string Queue = "bench-callbacks";

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    readonly IConnection _connection;
    readonly IChannel _channel;

    CallbackQueue(IConnection connection, IChannel channel) => (_connection, _channel) = (connection, channel);

    public static async Task<CallbackQueue> BindAsync(Place place, CancellationToken stop)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(place.Amqp) }.CreateConnectionAsync(stop);
        var channel = await connection.CreateChannelAsync(cancellationToken: stop);
        await channel.QueueDeclareAsync(
            Queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: stop);
        foreach (var exchange in new[] { typeof(VideoSplitCompleted), typeof(FramesExtracted), typeof(TaskFailed), typeof(CallbackReceived) }.Select(ExchangeOf))
        {
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: stop);
            await channel.QueueBindAsync(Queue, exchange, routingKey: "", cancellationToken: stop);
        }

        return new(connection, channel);
    }

    /// <summary>The exchange of an event's type.</summary>
    public static string ExchangeOf(Type message) => $"{message.Namespace}:{message.Name}";

    /// <summary>Returns when so many messages are in it, and have been thrown away.</summary>
    /// <exception cref="TimeoutException">They did not come: a callback was answered that is in no queue.</exception>
    public async Task EmptyAsync(int expected, CancellationToken stop)
    {
        await Waiting.ForAsync(
            $"{expected} events in the queue", async () => (await _channel.QueueDeclarePassiveAsync(Queue, stop)).MessageCount >= expected, Limit, stop);
        await _channel.QueuePurgeAsync(Queue, stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
