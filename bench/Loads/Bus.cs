using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Mavi.Bench.Loads;

/// <summary>The driver's own view of a virtual host: publishes what other services would, and notes when which event came, by <see cref="Stopwatch"/>.</summary>
sealed class Bus : IAsyncDisposable
{
    readonly IConnection _connection;
    readonly IChannel _publishing;

    Bus(IConnection connection, IChannel publishing) => (_connection, _publishing) = (connection, publishing);

    public static async Task<Bus> ConnectAsync(string amqp, CancellationToken stop)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(amqp), ClientProvidedName = "bench", AutomaticRecoveryEnabled = false }.CreateConnectionAsync(stop);
        return new(connection, await connection.CreateChannelAsync(new CreateChannelOptions(true, true), stop));
    }

    /// <summary>Publishes to <c>Mavi.Contracts:</c><paramref name="message"/>, mandatory; ends with the confirm.</summary>
    public ValueTask PublishAsync(string message, string contentType, ReadOnlyMemory<byte> body, CancellationToken stop) => _publishing.BasicPublishAsync(
        ExchangeOf(message), "", mandatory: true, new BasicProperties { ContentType = contentType, Persistent = true, MessageId = Guid.NewGuid().ToString() }, body, stop);

    /// <summary>Notes when an event with a <c>taskId</c> came first, from now on.</summary>
    public async Task<Arrivals> ListenAsync(string[] messages, CancellationToken stop)
    {
        var channel = await _connection.CreateChannelAsync(cancellationToken: stop);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: stop)).QueueName;
        foreach (var message in messages)
        {
            await channel.ExchangeDeclareAsync(ExchangeOf(message), ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: stop);
            await channel.QueueBindAsync(queue, ExchangeOf(message), "", cancellationToken: stop);
        }

        var arrivals = new Arrivals();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            arrivals.Note(delivery.Body.Span);
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer, stop);
        return arrivals;
    }

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync();

    static string ExchangeOf(string message) => $"Mavi.Contracts:{message}";
}

/// <summary>When the event of each task came first; and how many came in all.</summary>
sealed class Arrivals
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    readonly ConcurrentDictionary<string, long> _at = new();
    int _count;

    public IReadOnlyDictionary<string, long> At => _at;

    public int Repeats => _count - _at.Count;

    public void Note(ReadOnlySpan<byte> body)
    {
        var now = Stopwatch.GetTimestamp();
        var reader = new Utf8JsonReader(body);
        // The envelope has one member of that name, within its message.
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("taskId"u8))
                continue;
            reader.Read();
            _at.TryAdd(reader.GetString()!, now);
            break;
        }

        Interlocked.Increment(ref _count);
    }

    /// <summary>Returns when as many tasks have theirs.</summary>
    /// <exception cref="TimeoutException">That took too long.</exception>
    public async Task UntilAsync(int count, TimeSpan limit, CancellationToken stop)
    {
        for (var watch = Stopwatch.StartNew(); _at.Count < count; await Task.Delay(Look, stop))
        {
            if (watch.Elapsed > limit)
                throw new TimeoutException($"{_at.Count} of {count} outcomes came within {limit.TotalSeconds:0} s.");
        }
    }
}
