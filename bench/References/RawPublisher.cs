using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mavi.CallbackGateway.Classifying;
using Mavi.Contracts;
using RabbitMQ.Client;

namespace Mavi.Bench.References;

/// <summary>Publishes events with the broker's client alone: persistent, mandatory, confirmed.</summary>
sealed class RawPublisher(IReadOnlyList<IChannel> channels)
{
    // A few, so that one publish does not wait for another to be written.
    const int Channels = 4;

    static readonly RawHost Host = new(
        Environment.MachineName, "Mavi.Bench", Environment.ProcessId, "Mavi.Bench", "0.1.0.0", $"{Environment.Version}", "8.4.0.0", $"{Environment.OSVersion}");

    static readonly Dictionary<string, string> NoHeaders = [];

    int _next;

    public static async Task<RawPublisher> ConnectAsync(string address)
    {
        var connection = await new ConnectionFactory { Uri = new Uri(address), ClientProvidedName = "raw gateway" }.CreateConnectionAsync();
        var confirmed = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
        return new([.. await Task.WhenAll(Enumerable.Range(0, Channels).Select(_ => connection.CreateChannelAsync(confirmed)))]);
    }

    /// <summary>Returns when a queue has it.</summary>
    /// <exception cref="RabbitMQ.Client.Exceptions.PublishException">None took it.</exception>
    public async Task PublishAsync(CallbackEvent callback, Guid messageId)
    {
        var body = callback.Message switch
        {
            VideoSplitCompleted split => BytesOf(split, messageId, RawJson.Default.Split),
            FramesExtracted frames => BytesOf(frames, messageId, RawJson.Default.Frames),
            TaskFailed failed => BytesOf(failed, messageId, RawJson.Default.Failed),
            _ => BytesOf((CallbackReceived)callback.Message, messageId, RawJson.Default.Received),
        };
        var properties = new BasicProperties { ContentType = "application/vnd.masstransit+json", MessageId = $"{messageId}", Persistent = true };
        var channel = channels[(int)((uint)Interlocked.Increment(ref _next) % channels.Count)];
        await channel.BasicPublishAsync($"Mavi.Contracts:{callback.Name}", "", mandatory: true, properties, body);
    }

    static byte[] BytesOf<T>(T message, Guid messageId, JsonTypeInfo<RawEnvelope<T>> type)
    {
        var name = typeof(T).Name;
        return JsonSerializer.SerializeToUtf8Bytes(
            new RawEnvelope<T>(
                messageId, messageId, "rabbitmq://127.0.0.1/raw-gateway", $"rabbitmq://127.0.0.1/Mavi.Contracts:{name}", [$"urn:message:Mavi.Contracts:{name}"],
                message, DateTime.UtcNow, NoHeaders, Host),
            type);
    }
}
