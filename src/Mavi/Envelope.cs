using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mavi.Client;

/// <summary>What every JSON answer comes in. Three generations of the API differ in types and names, so each is read as loosely as it stays certain.</summary>
sealed class Envelope
{
    /// <summary><c>200</c>, <c>"200"</c> or <c>"0000"</c>; absent from what a proxy answers (<c>timestamp, path, status, error, requestId</c>).</summary>
    [JsonConverter(typeof(LooseText))]
    public string? Code { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Msg { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Message { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Error { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Success { get; init; }

    [JsonConverter(typeof(LooseText))]
    public string? Failed { get; init; }

    public JsonElement Data { get; init; }

    [JsonIgnore]
    public string? Text => Msg ?? Message ?? Error;

    /// <summary>Null where there is no code; -1 where it is no number (an error nobody has listed).</summary>
    [JsonIgnore]
    public int? CodeNumber => string.IsNullOrEmpty(Code) ? null
        : int.TryParse(Code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    [JsonIgnore]
    public bool IsNegative =>
        string.Equals(Success, "false", StringComparison.OrdinalIgnoreCase) || string.Equals(Failed, "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The envelope in <paramref name="body"/>, or null where it is no JSON object (HTML, nothing, cut).</summary>
    public static Envelope? TryRead(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith("\uFEFF"u8))
            body = body[3..];
        try
        {
            return JsonSerializer.Deserialize(body, MaviJson.Default.Envelope);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

sealed record AssetRequest(string AssetId);

sealed record SignedUrlRequest(string OriginalFilename);

sealed record TaskData(string? TaskId);

sealed record UploadData(string? AssetId);

sealed record SignedUrlData(string? AssetId, string? SignedUrl, [property: JsonConverter(typeof(LooseText))] string? ExpiresIn);

sealed record MetadataData(IReadOnlyList<MetadataEntry>? Resource);

sealed record MetadataEntry(
    string? AssetId,
    [property: JsonConverter(typeof(LooseText))] string? Extension,
    [property: JsonConverter(typeof(LooseText))] string? OriginalFilename,
    [property: JsonConverter(typeof(LooseText))] string? FileSize,
    [property: JsonConverter(typeof(LooseText))] string? UploadStatus,
    [property: JsonConverter(typeof(LooseText))] string? CreateTime,
    [property: JsonConverter(typeof(LooseText))] string? ModifyTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Envelope))]
[JsonSerializable(typeof(AssetRequest))]
[JsonSerializable(typeof(SignedUrlRequest))]
[JsonSerializable(typeof(TaskData))]
[JsonSerializable(typeof(UploadData))]
[JsonSerializable(typeof(SignedUrlData))]
[JsonSerializable(typeof(MetadataData))]
sealed partial class MaviJson : JsonSerializerContext;

/// <summary>A string, number or boolean as text: the same field is a string on one page and a number on the next. Objects and arrays read as null.</summary>
sealed class LooseText : JsonConverter<string?>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.Number:
                return System.Text.Encoding.ASCII.GetString(reader.ValueSpan);
            case JsonTokenType.True:
                return "true";
            case JsonTokenType.False:
                return "false";
            default:
                reader.Skip();
                return null;
        }
    }

    public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
