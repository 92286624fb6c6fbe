using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Mavi.HistoryChecker;

/// <summary>
/// Queues of the checker's own that get a copy of every command, outcome and alarm. The gateway's events are left alone: they are published
/// mandatory, and a tap would hide that no queue of the Worker's took them.
/// </summary>
static class Taps
{
    /// <summary>What a tap's name begins with.</summary>
    public const string Prefix = "checker-";

    static readonly string[] Kinds =
    [
        "SplitVideoRequested", "ExtractFramesRequested", "SplitVideoSucceeded", "SplitVideoFailed", "ExtractFramesSucceeded", "ExtractFramesFailed",
        "TaskSubmitted", "TaskOverdue", "SubmissionUncertain",
    ];

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Declares and binds the taps; again changes nothing.</summary>
    public static async Task ListenAsync(string broker)
    {
        await using var connection = await ConnectAsync(broker);
        await using var channel = await connection.CreateChannelAsync();
        var arguments = new Dictionary<string, object?> { ["x-queue-type"] = "quorum" };
        // From version 4 on a quorum queue drops what is given back 20 times, and reading gives back.
        if (VersionOf(connection).Major >= 4)
            arguments["x-delivery-limit"] = -1;
        foreach (var kind in Kinds)
        {
            await channel.ExchangeDeclareAsync($"Mavi.Contracts:{kind}", ExchangeType.Fanout, durable: true, autoDelete: false);
            await channel.QueueDeclareAsync(Prefix + kind, durable: true, exclusive: false, autoDelete: false, arguments);
            await channel.QueueBindAsync(Prefix + kind, $"Mavi.Contracts:{kind}", routingKey: "");
        }
    }

    /// <summary>Everything in the taps, which keep it.</summary>
    public static async Task<IReadOnlyList<Message>> ReadAsync(string broker)
    {
        await using var connection = await ConnectAsync(broker);
        var messages = new List<Message>();
        foreach (var kind in Kinds)
            messages.AddRange(await ReadAsync(connection, kind));
        return messages;
    }

    // Never acknowledged: the broker puts all of it back when the channel closes.
    static async Task<IReadOnlyList<Message>> ReadAsync(IConnection connection, string kind)
    {
        await using var channel = await connection.CreateChannelAsync();
        var count = (await channel.QueueDeclarePassiveAsync(Prefix + kind)).MessageCount;
        var messages = new List<Message>();
        if (count == 0)
            return messages;

        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            messages.Add(Parse(kind, delivery.Body, delivery.BasicProperties.MessageId));
            if (messages.Count == count)
                all.TrySetResult();
            return Task.CompletedTask;
        };
        // A quorum queue takes "no limit" for 2000.
        await channel.BasicQosAsync(0, (ushort)Math.Min(count, ushort.MaxValue), global: false);
        await channel.BasicConsumeAsync(Prefix + kind, autoAck: false, consumer);
        await all.Task.WaitAsync(Patience);
        await channel.CloseAsync();
        return messages;
    }

    /// <summary>The message in MassTransit's envelope or as plain JSON.</summary>
    internal static Message Parse(string kind, ReadOnlyMemory<byte> body, string? amqpMessageId)
    {
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(body);
            root = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return new Message(kind, amqpMessageId, null, default);
        }

        var isEnvelope = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("message", out var inner) && inner.ValueKind == JsonValueKind.Object;
        var message = new Message(kind, amqpMessageId, null, isEnvelope ? root.GetProperty("message") : root);
        return message with
        {
            MessageId = isEnvelope && root.TryGetProperty("messageId", out var id) ? id.GetString() : amqpMessageId,
            RequestId = Id(message.Text("requestId")) ?? (isEnvelope ? null : Id(amqpMessageId)),
        };
    }

    static string? Id(string? text) => Guid.TryParse(text, out var id) ? id.ToString() : null;

    static Task<IConnection> ConnectAsync(string broker) =>
        new ConnectionFactory { Uri = new Uri(broker), ClientProvidedName = "history checker", AutomaticRecoveryEnabled = false }.CreateConnectionAsync();

    static Version VersionOf(IConnection connection) =>
        connection.ServerProperties?.TryGetValue("version", out var value) is true && value is byte[] text
            && Version.TryParse(System.Text.Encoding.ASCII.GetString(text), out var version) ? version : new Version(0, 0);
}
