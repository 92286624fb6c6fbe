using System.Globalization;
using System.Text.Json;

namespace Mavi.Contracts;

/// <summary>Times on the wire: UTC as <c>yyyy-MM-ddTHH:mm:ss.fffZ</c>. Reads any ISO 8601 time.</summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc />
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().ToUniversalTime();

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
}

/// <summary>A request id: a UUID, with or without dashes. Anything else is refused with a sentence, because an id that is guessed joins the wrong request.</summary>
public sealed class RequestIdConverter : JsonConverter<Guid>
{
    /// <inheritdoc />
    public override Guid Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String && Guid.TryParse(reader.GetString(), out var id))
            return id;

        throw new JsonException(
            $"requestId is {Received.Describe(ref reader)}; expected a UUID as a JSON string, with or without dashes. Publish the command again with one.");
    }

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, Guid value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

/// <summary>An id of Mavi: always a JSON string, because its 18 digits are beyond what a JSON number keeps exactly in most languages.</summary>
public sealed class IdConverter : JsonConverter<string>
{
    /// <inheritdoc />
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();

        throw new JsonException(
            $"assetId or taskId is {Received.Describe(ref reader)}; expected a JSON string: numbers of this length are rounded before they leave. Publish the command again with a string.");
    }

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}

static class Received
{
    const int Shown = 64;

    /// <summary>The value under the reader in a few words for an error text, cut to 64 characters.</summary>
    public static string Describe(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
            return $"\"{Cut(reader.GetString()!)}\"";
        if (reader.TokenType == JsonTokenType.Number)
            return "the number " + Cut(System.Text.Encoding.UTF8.GetString(reader.HasValueSequence ? [] : reader.ValueSpan));
        return reader.TokenType switch
        {
            JsonTokenType.StartArray => "an array",
            JsonTokenType.StartObject => "an object",
            _ => reader.TokenType.ToString().ToLowerInvariant(),
        };
    }

    static string Cut(string text) => text.Length <= Shown ? text : text[..Shown] + "…";
}
