using System.Text.Json;

namespace Mavi.HistoryChecker;

/// <summary>What a callback or an outcome gives the caller: an operation and the ids of its segments or frames, or nothing.</summary>
sealed record Result(string Operation, string Ids)
{
    /// <summary>The whole success that a callback's body is; null where it is none. Strict, as the vendor's pages are, and by no code of ours.</summary>
    public static Result? OfCallback(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "code") is not ("200" or "0000") || IsNegative(root)
                || !root.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object || IsNegative(data))
                return null;
            if (data.TryGetProperty("splits", out var splits) && splits.ValueKind == JsonValueKind.Array && splits.GetArrayLength() > 0)
                return splits.EnumerateArray().All(static split => Text(split, "upload_status") == "SUCCESS")
                    ? new("Split", Join(splits.EnumerateArray().Select(static split => Text(split, "asset_id")).Order(StringComparer.Ordinal)))
                    : null;
            return data.TryGetProperty("asset_ch_ids", out var frames) && frames.ValueKind == JsonValueKind.Array && frames.GetArrayLength() > 0
                ? new("ExtractFrames", Join(frames.EnumerateArray().Select(static frame => frame.GetString()).Prepend(Text(data, "asset_id"))))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What a success event says.</summary>
    public static Result OfOutcome(Message success) => success.Kind == "SplitVideoSucceeded"
        ? new("Split", Join(List(success, "segments").Select(static segment => Text(segment, "assetId")).Order(StringComparer.Ordinal)))
        : new("ExtractFrames", Join(List(success, "frameIds").Select(static frame => frame.GetString()).Prepend(success.Text("collectionId"))));

    static JsonElement[] List(Message message, string name) =>
        message.Content.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];

    static string Join(IEnumerable<string?> ids) => string.Join(' ', ids);

    static string? Text(JsonElement element, string name) => !element.TryGetProperty(name, out var value) ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();

    static bool IsNegative(JsonElement element) => Text(element, "success") == "false" || Text(element, "failed") == "true";
}
