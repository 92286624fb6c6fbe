using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Mavi.Chaos.Spools;

/// <summary>A queue for all the gateway publishes, and what is in it in the end.</summary>
sealed class Arrivals(string broker)
{
    const string Queue = "long-run-callbacks";

    static readonly string[] Events = ["VideoSplitCompleted", "FramesExtracted", "TaskFailed", "CallbackReceived"];
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public async Task ListenAsync(CancellationToken stop)
    {
        await using var connection = await ConnectAsync(stop);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: stop);
        await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: stop);
        foreach (var name in Events)
        {
            await channel.ExchangeDeclareAsync($"Mavi.Contracts:{name}", ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: stop);
            await channel.QueueBindAsync(Queue, $"Mavi.Contracts:{name}", "", cancellationToken: stop);
        }
    }

    /// <summary>Takes all of them, in the order in which the queue has them.</summary>
    public async Task<IReadOnlyList<Arrival>> TakeAsync(CancellationToken stop)
    {
        await using var connection = await ConnectAsync(stop);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: stop);
        var count = (await channel.QueueDeclarePassiveAsync(Queue, stop)).MessageCount;
        var arrivals = new List<Arrival>((int)count);
        if (count == 0)
            return arrivals;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            arrivals.Add(Read(delivery.Body));
            if (arrivals.Count % 500 == 0 || arrivals.Count == count)
                await channel.BasicAckAsync(delivery.DeliveryTag, multiple: true, stop);
            if (arrivals.Count == count)
                all.TrySetResult();
        };
        await channel.BasicQosAsync(0, 2000, global: false, stop);
        await channel.BasicConsumeAsync(Queue, autoAck: false, consumer, stop);
        await all.Task.WaitAsync(Patience, stop);
        return arrivals;
    }

    static Arrival Read(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body);
        var message = document.RootElement.GetProperty("message");
        return new Arrival(
            document.RootElement.GetProperty("messageId").GetGuid(), message.GetProperty("taskId").GetString() ?? "", message.GetProperty("receivedAt").GetDateTimeOffset());
    }

    Task<IConnection> ConnectAsync(CancellationToken stop) =>
        new ConnectionFactory { Uri = new Uri(broker), ClientProvidedName = "long run", AutomaticRecoveryEnabled = false }.CreateConnectionAsync(stop);
}

/// <summary>An event as it came out of the queue.</summary>
sealed record Arrival(Guid MessageId, string TaskId, DateTimeOffset ReceivedAt);
