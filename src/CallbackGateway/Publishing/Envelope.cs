using System.Collections.Frozen;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mavi.CallbackGateway.Classifying;
using Mavi.Contracts;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>MassTransit's message envelope, written without MassTransit: what its consumers and those in other languages read.</summary>
static class Envelope
{
    public const string ContentType = "application/vnd.masstransit+json";

    /// <summary>The AMQP header by which MassTransit's consumers go on in a trace.</summary>
    public const string TraceHeader = "MT-Activity-Id";

    const int Least = 1024;

    static readonly JsonEncodedText MessageId = JsonEncodedText.Encode("messageId");
    static readonly JsonEncodedText ConversationId = JsonEncodedText.Encode("conversationId");
    static readonly JsonEncodedText MessageType = JsonEncodedText.Encode("messageType");
    static readonly JsonEncodedText Message = JsonEncodedText.Encode("message");
    static readonly JsonEncodedText SentTime = JsonEncodedText.Encode("sentTime");
    static readonly JsonEncodedText Headers = JsonEncodedText.Encode("headers");
    static readonly JsonEncodedText Host = JsonEncodedText.Encode("host");
    static readonly byte[] ThisHost = JsonSerializer.SerializeToUtf8Bytes(HostFacts.OfThisProcess(), EventJson.Default.HostFacts);

    // A raw body is JSON within JSON: the default encoder would write each of its quotes in six bytes.
    static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    static readonly FrozenDictionary<string, string> ExchangeByEvent =
        ((string[])[nameof(VideoSplitCompleted), nameof(FramesExtracted), nameof(TaskFailed), nameof(CallbackReceived)])
        .ToFrozenDictionary(static name => name, static name => $"{nameof(Mavi)}.{nameof(Contracts)}:{name}");

    /// <summary>Every exchange that an event may go to.</summary>
    public static IReadOnlyList<string> Exchanges => ExchangeByEvent.Values;

    public static string ExchangeOf(string eventName) => ExchangeByEvent[eventName];

    /// <summary>The envelope of an event, in memory that the caller returns.</summary>
    public static PooledBytes Of(CallbackEvent callback, Guid messageId, DateTimeOffset now)
    {
        // Ids are the bulk of the event that has them; what grows step by step would leave as much behind once more.
        var envelope = new PooledBytes(Least + (callback.Message is FramesExtracted { FrameIds: FrameIds ids } ? ids.Json.Length : 0));
        using var json = new Utf8JsonWriter(envelope, Compact);
        json.WriteStartObject();
        json.WriteString(MessageId, messageId);
        json.WriteString(ConversationId, messageId);
        json.WriteStartArray(MessageType);
        json.WriteStringValue("urn:message:" + ExchangeOf(callback.Name));
        json.WriteEndArray();
        json.WritePropertyName(Message);
        JsonSerializer.Serialize(json, callback.Message, callback.Message.GetType(), EventJson.Default);
        json.WriteString(SentTime, now.UtcDateTime);
        json.WriteStartObject(Headers);
        json.WriteEndObject();
        json.WritePropertyName(Host);
        json.WriteRawValue(ThisHost, skipInputValidation: true);
        json.WriteEndObject();
        json.Flush();
        return envelope;
    }
}

/// <summary>Who published, for a person who looks at a message.</summary>
sealed record HostFacts(string MachineName, string ProcessName, int ProcessId, string Assembly, string AssemblyVersion, string FrameworkVersion)
{
    public static HostFacts OfThisProcess()
    {
        var assembly = typeof(HostFacts).Assembly.GetName();
        return new(
            Environment.MachineName, Path.GetFileNameWithoutExtension(Environment.ProcessPath) ?? "", Environment.ProcessId,
            assembly.Name ?? "", $"{assembly.Version}", $"{Environment.Version}");
    }
}

/// <summary>Frame ids that are JSON already stay as they are.</summary>
sealed class FrameIdsConverter : JsonConverter<IReadOnlyList<string>>
{
    public override IReadOnlyList<string>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("The gateway writes events, and reads none.");

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options) =>
        writer.WriteRawValue(((FrameIds)value).Json.Span, skipInputValidation: true);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(FrameIdsConverter)])]
[JsonSerializable(typeof(VideoSplitCompleted))]
[JsonSerializable(typeof(FramesExtracted))]
[JsonSerializable(typeof(TaskFailed))]
[JsonSerializable(typeof(CallbackReceived))]
[JsonSerializable(typeof(HostFacts))]
sealed partial class EventJson : JsonSerializerContext;
