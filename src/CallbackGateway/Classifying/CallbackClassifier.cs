using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Mavi.Contracts;

namespace Mavi.CallbackGateway.Classifying;

/// <summary>
/// From the bytes of a callback to the one event it is; pure, and without an exception whatever the bytes are. Vendor pages: "Webhooks",
/// "Video Split", "Extract Frames". A callback carries no event type, so its shape decides; success is strict (the code, no negative flag at
/// either level, the shape of the operation), while the types of single members may drift.
/// </summary>
static class CallbackClassifier
{
    const int MaxIdLength = 128;
    const int MaxCodeLength = 64;
    const int MaxMessageLength = 2000;
    const string Expected = "expected a JSON object with a task_id";

    enum Outer { TaskId, Code, Message, Msg, Success, Failed, Data }

    enum Inner { Splits, AssetId, AssetChIds, Message, Msg, Success, Failed }

    static readonly byte[][] OuterNames = Names("task_id", "code", "message", "msg", "success", "failed", "data");
    static readonly byte[][] InnerNames = Names("splits", "asset_id", "asset_ch_ids", "message", "msg", "success", "failed");

    /// <summary>The event that <paramref name="body"/> is.</summary>
    public static CallbackEvent Classify(ReadOnlyMemory<byte> body, DateTimeOffset receivedAt)
    {
        var json = body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body;

        // A stray byte in a file name must not cost the result: it is read as U+FFFD, which no id may hold.
        if (!Utf8.IsValid(json.Span))
            json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json.Span));

        try
        {
            return ClassifyDocument(json, body.Span, receivedAt);
        }
        catch (JsonException exception)
        {
            var reason = body.IsEmpty
                ? $"The body is empty; {Expected}."
                : $"The body is not JSON from line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1} on; {Expected}.";
            return Unknown(taskId: null, body.Span, reason, receivedAt);
        }
    }

    /// <summary>An id: a string of 1 to 128 characters, none of them a control character or one that could not be read; else null.</summary>
    public static string? IdOf(JsonSlice value)
    {
        var text = value.IsString ? value.Text() : null;
        return text is { Length: >= 1 and <= MaxIdLength } && !text.Any(character => char.IsControl(character) || character == '\uFFFD') ? text : null;
    }

    /// <summary>Whether <see cref="IdOf"/> has one; nearly always told without making a string of it.</summary>
    public static bool IsId(JsonSlice value) =>
        value.Plain is { Length: >= 1 and <= MaxIdLength } plain && !plain.ContainsAnyExceptInRange((byte)' ', (byte)'~') || IdOf(value) is not null;

    public static string NotAnId(string member, JsonSlice value) =>
        $"{member} is {(value.IsString ? "a string that is no id" : value.Kind)}; expected a string of 1 to {MaxIdLength} characters.";

    /// <summary>Text for people and tables: control characters (PostgreSQL refuses NUL) become U+FFFD.</summary>
    public static string? Printable(string? text, int length = MaxMessageLength)
    {
        if (text is null || (text.Length <= length && !text.Any(char.IsControl)))
            return text;
        return string.Concat(text.Take(length).Select(character => char.IsControl(character) ? '\uFFFD' : character));
    }

    static CallbackEvent ClassifyDocument(ReadOnlyMemory<byte> json, ReadOnlySpan<byte> body, DateTimeOffset receivedAt)
    {
        var document = JsonSlice.Document(json.Span);
        if (!document.IsObject)
            return Unknown(taskId: null, body, $"The body is {document.Kind}; {Expected}.", receivedAt);

        Span<Range> outer = stackalloc Range[OuterNames.Length];
        document.Find(OuterNames, outer);
        var task = document[outer[(int)Outer.TaskId]];
        if (IdOf(task) is not { } taskId)
            return Unknown(taskId: null, body, NotAnId("task_id", task), receivedAt);

        var code = Printable(document[outer[(int)Outer.Code]].Text(), MaxCodeLength);
        var message = MessageOf(document[outer[(int)Outer.Message]], document[outer[(int)Outer.Msg]]);
        if (code is not ("200" or "0000"))
            return Failed(message ?? $"The callback's code is {code ?? document[outer[(int)Outer.Code]].Kind}; expected 200 or \"0000\".", body);
        if (NegativeFlag(document[outer[(int)Outer.Success]], document[outer[(int)Outer.Failed]]) is { } flag)
            return Failed(flag + (message is null ? "." : $": {message}"), body);

        var data = document[outer[(int)Outer.Data]];
        if (!data.IsObject)
            return Unknown(taskId, body, $"Neither a split nor frames: data is {data.Kind}.", receivedAt);

        Span<Range> inner = stackalloc Range[InnerNames.Length];
        data.Find(InnerNames, inner);
        if (NegativeFlag(data[inner[(int)Inner.Success]], data[inner[(int)Inner.Failed]]) is { } innerFlag)
        {
            var why = MessageOf(data[inner[(int)Inner.Message]], data[inner[(int)Inner.Msg]]) ?? message;
            return Failed($"data.{innerFlag}" + (why is null ? "." : $": {why}"), body);
        }

        var splits = data[inner[(int)Inner.Splits]];
        if (!splits.IsMissing)
        {
            return Segments.Read(splits, out var segments) is { } fault
                ? Failed(fault, body)
                : new(new VideoSplitCompleted { TaskId = taskId, Segments = segments, ReceivedAt = receivedAt }, taskId);
        }

        var collection = data[inner[(int)Inner.AssetId]];
        var frames = data[inner[(int)Inner.AssetChIds]];
        if (IdOf(collection) is not { } collectionId || !collectionId.StartsWith("im_", StringComparison.Ordinal))
        {
            return frames.IsMissing
                ? Unknown(taskId, body, "Another operation of the account: data has neither splits nor asset_ch_ids.", receivedAt)
                : Failed($"data.asset_id is {(collection.IsString ? "no collection's id" : collection.Kind)}; expected a string that begins with im_.", body);
        }

        if (!frames.IsArray)
            return Failed($"data.asset_ch_ids is {frames.Kind}; expected an array of frame ids.", body);
        return FrameIds.Read(frames.Within(json), out var frameIds) is { } broken
            ? Failed(broken, body)
            : new(new FramesExtracted { TaskId = taskId, CollectionId = collectionId, FrameIds = frameIds, ReceivedAt = receivedAt }, taskId);

        CallbackEvent Failed(string why, ReadOnlySpan<byte> raw) =>
            new(new TaskFailed { TaskId = taskId, Code = code, Message = why, Body = Encoding.UTF8.GetString(raw), ReceivedAt = receivedAt }, taskId);
    }

    static CallbackEvent Unknown(string? taskId, ReadOnlySpan<byte> body, string reason, DateTimeOffset receivedAt) =>
        new(new CallbackReceived { TaskId = taskId, Body = Encoding.UTF8.GetString(body), Reason = reason, ReceivedAt = receivedAt }, taskId);

    static string? MessageOf(JsonSlice message, JsonSlice msg)
    {
        var text = message.Text() ?? msg.Text();
        return string.IsNullOrWhiteSpace(text) ? null : Printable(text);
    }

    static string? NegativeFlag(JsonSlice success, JsonSlice failed)
    {
        if (Says(success, "false", "0"))
            return "success is false";
        return Says(failed, "true", "1") ? "failed is true" : null;
    }

    /// <summary>A flag may have become a string or a number on its way.</summary>
    static bool Says(JsonSlice flag, string word, string digit) =>
        flag.Kind == word || (flag.Text() is { } text && (text == digit || text.Equals(word, StringComparison.OrdinalIgnoreCase)));

    static byte[][] Names(params string[] names) => Array.ConvertAll(names, Encoding.UTF8.GetBytes);
}
