using System.Text;
using System.Text.Json;
using RabbitMQ.Client;

namespace Mavi.Tests.Support;

/// <summary>A message as it lay in the queue.</summary>
sealed class AmqpMessage(byte[] body, BasicProperties properties)
{
    public byte[] Body { get; } = body;

    public BasicProperties Properties { get; } = properties;

    /// <summary>The body as text, for error texts and plain JSON.</summary>
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>The body as JSON: the MassTransit envelope, where it is one.</summary>
    public JsonElement Envelope => JsonDocument.Parse(Body).RootElement;

    /// <summary>The envelope's <c>message</c>.</summary>
    public JsonElement Message => Envelope.GetProperty("message");

    /// <summary>The envelope's <c>messageId</c>.</summary>
    public Guid MessageId => Envelope.GetProperty("messageId").GetGuid();

    /// <summary>The envelope's <c>correlationId</c>, or null.</summary>
    public Guid? CorrelationId => Envelope.TryGetProperty("correlationId", out var id) && id.ValueKind == JsonValueKind.String ? id.GetGuid() : null;

    /// <summary>A header as text, such as <c>MT-Fault-Message</c>; null where it is missing.</summary>
    public string? Header(string name) => Properties.Headers?.TryGetValue(name, out var value) is not true ? null : value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString();

    /// <summary>The <c>message</c> of the envelope, or a plain body, as one of our records.</summary>
    public T Read<T>() => (Envelope.TryGetProperty("message", out var message) ? message : Envelope).Deserialize<T>(JsonSerializerOptions.Web)!;
}
