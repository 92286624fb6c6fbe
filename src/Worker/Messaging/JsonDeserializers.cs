using System.Net.Mime;
using System.Runtime.Serialization;
using System.Text.Json;
using MassTransit;
using MassTransit.Serialization;

namespace Mavi.Worker.Messaging;

/// <summary>
/// Reads a message as plain JSON from any language, whatever its content type says. What cannot be read goes to the error queue with a sentence
/// that a person can act on; nothing is skipped.
/// </summary>
/// <param name="types">The messages the queue takes. Where there are several, the exchange the message was published to tells which it is.</param>
sealed class PlainJsonDeserializer(IReadOnlyList<Type> types) : IMessageDeserializer, ISerializerFactory
{
    static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    public ContentType ContentType => SystemTextJsonRawMessageSerializer.JsonContentType;

    public ConsumeContext Deserialize(ReceiveContext receiveContext)
    {
        var root = Parse(receiveContext.Body);
        if (IsEnvelope(root))
            return new EnvelopeDeserializer(types).Deserialize(receiveContext);

        var type = TypeOf(receiveContext);
        var context = new SystemTextJsonRawSerializerContext(
            SystemTextJsonMessageSerializer.Instance, SystemTextJsonMessageSerializer.Options, ContentType,
            new RawMessageContext(receiveContext.TransportHeaders, receiveContext.InputAddress, RawSerializerOptions.Default),
            [MessageUrn.ForTypeString(type)], RawSerializerOptions.Default, root);
        Addressing.Check(context);
        return new BodyConsumeContext(receiveContext, context);
    }

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) => new SystemTextJsonRawSerializerContext(
        SystemTextJsonMessageSerializer.Instance, SystemTextJsonMessageSerializer.Options, ContentType,
        new RawMessageContext(headers, destinationAddress, RawSerializerOptions.Default), [MessageUrn.ForTypeString(types[0])], RawSerializerOptions.Default, Parse(body));

    public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

    public IMessageSerializer CreateSerializer() => new SystemTextJsonRawMessageSerializer();

    public IMessageDeserializer CreateDeserializer() => this;

    public void Probe(ProbeContext context) => context.CreateScope("plainJson");

    Type TypeOf(ReceiveContext context)
    {
        if (types.Count == 1)
            return types[0];
        var exchange = context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) ? delivery.Exchange : "";
        return types.FirstOrDefault(type => exchange == $"{type.Namespace}:{type.Name}") ?? throw new SerializationException(
            $"The message came by the exchange \"{exchange}\", which does not tell what it is; publish plain JSON to the exchange of its type, such as {types[0].Namespace}:{types[0].Name}.");
    }

    static JsonElement Parse(MessageBody body)
    {
        var bytes = body.GetBytes().AsSpan();
        if (bytes.StartsWith(ByteOrderMark))
            bytes = bytes[ByteOrderMark.Length..];
        if (bytes.IsEmpty)
            throw new SerializationException("The message has no body; expected a JSON object. Publish the command again with one.");
        try
        {
            var root = JsonSerializer.Deserialize<JsonElement>(bytes, SystemTextJsonMessageSerializer.Options);
            return root.ValueKind == JsonValueKind.Object ? root : throw new SerializationException(
                $"The body is a JSON {root.ValueKind.ToString().ToLowerInvariant()}; expected a JSON object. Publish the command again as one.");
        }
        catch (JsonException exception)
        {
            throw new SerializationException($"The body of {bytes.Length} bytes is not JSON ({exception.Message}); expected a JSON object in UTF-8. Publish the command again as one.");
        }
    }

    // Some clients send MassTransit's envelope with the content type of plain JSON.
    static bool IsEnvelope(JsonElement root) =>
        root.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.Object && root.TryGetProperty("messageType", out _);
}

/// <summary>Reads a message in MassTransit's envelope; one that names no type of this queue goes to the error queue with a sentence.</summary>
sealed class EnvelopeDeserializer(IReadOnlyList<Type> types) : IMessageDeserializer, ISerializerFactory
{
    static readonly SystemTextJsonMessageSerializer Inner = SystemTextJsonMessageSerializer.Instance;

    public ContentType ContentType => SystemTextJsonMessageSerializer.JsonContentType;

    public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
        new BodyConsumeContext(receiveContext, Deserialize(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress));

    public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null)
    {
        var context = Read(body, headers, destinationAddress);
        if (types.Any(context.IsSupportedMessageType))
            return context;
        throw new SerializationException(
            $"The envelope's messageType is [{string.Join(", ", context.SupportedMessageTypes)}]; expected {string.Join(" or ", types.Select(MessageUrn.ForTypeString))}. Publish it again with that type, or as plain JSON with content type application/json.");
    }

    static SerializerContext Read(MessageBody body, Headers headers, Uri? destinationAddress)
    {
        try
        {
            var context = Inner.Deserialize(body, headers, destinationAddress);

            Addressing.Check(context);
            return context;
        }
        catch (Exception exception) when (exception is SerializationException or FormatException)
        {
            var why = exception.GetBaseException().Message;
            throw new SerializationException(
                $"The body of {body.Length ?? 0} bytes is no MassTransit envelope ({why}); expected a JSON object with messageType and message, as its content type says. Publish it again as one, or as plain JSON with content type application/json.");
        }
    }

    public MessageBody GetMessageBody(string text) => Inner.GetMessageBody(text);

    public IMessageSerializer CreateSerializer() => Inner;

    public IMessageDeserializer CreateDeserializer() => this;

    public void Probe(ProbeContext context) => context.CreateScope("envelope");
}

static class Addressing
{
    /// <summary>Reads every id and address now: one that is none, read later, would fail a message that has been handled by then.</summary>
    /// <exception cref="FormatException">One is none.</exception>
    public static void Check(MessageContext context) => _ = (
        context.MessageId, context.RequestId, context.CorrelationId, context.ConversationId, context.InitiatorId,
        context.SourceAddress, context.DestinationAddress, context.ResponseAddress, context.FaultAddress);
}
