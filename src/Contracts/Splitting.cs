namespace Mavi.Contracts;

/// <summary>Asks for a video to be split into segments. The caller gets exactly one <see cref="SplitVideoSucceeded"/> or <see cref="SplitVideoFailed"/>.</summary>
/// <remarks>Vendor page: "Video Split" (<c>POST /video/split</c>). Each accepted request is billed; the same <see cref="RequestId"/> is never submitted twice.</remarks>
public sealed record SplitVideoRequested
{
    /// <summary>Chosen by the caller, unique per request: a UUID, with or without dashes. In plain JSON the AMQP <c>message_id</c> serves where this is missing.</summary>
    [JsonConverter(typeof(RequestIdConverter))]
    public Guid? RequestId { get; init; }

    /// <summary>The uploaded video's asset id, such as <c>re_700000000000000001</c>: 1 to 128 letters, digits, <c>_</c> or <c>-</c>. Always a JSON string.</summary>
    [JsonConverter(typeof(IdConverter))]
    public string? AssetId { get; init; }

    /// <summary>Who asks, for the record; up to 200 characters. Where missing, the envelope's source host or the AMQP <c>app_id</c>.</summary>
    public string? Caller { get; init; }
}

/// <summary>Mavi reported a finished split: the callback, as the gateway received it. Not the outcome; see <see cref="SplitVideoSucceeded"/>.</summary>
public sealed record VideoSplitCompleted
{
    /// <summary>The task that finished; 32 hex digits in every sample of the vendor, but the format is not promised.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>The segments, in the order of the callback; may be empty.</summary>
    public IReadOnlyList<VideoSegment> Segments { get; init; } = [];

    /// <summary>When the gateway received the callback, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Size of the callback's body in bytes, for the history.</summary>
    public int? BodyBytes { get; init; }

    /// <summary>SHA-256 of the callback's body as lower-case hex, for the history.</summary>
    public string? BodySha256 { get; init; }
}

/// <summary>One segment of a split video: an asset like any other.</summary>
public sealed record VideoSegment
{
    /// <summary>The segment's asset id (<c>re_…</c>).</summary>
    public string AssetId { get; init; } = "";

    /// <summary>Position in the video from 0, read from the file name's last part (<c>segment_video_{id}_{index}</c>); null where the name has none.</summary>
    public int? Index { get; init; }

    /// <summary>The file name as Mavi gives it, without extension.</summary>
    public string? FileName { get; init; }

    /// <summary>The file's extension without a dot, such as <c>mp4</c>.</summary>
    public string? Extension { get; init; }

    /// <summary>Size in bytes.</summary>
    public long? SizeBytes { get; init; }

    /// <summary><c>SUCCESS</c> where the segment is usable; others (<c>WAITING</c>, <c>UPLOADING</c>, <c>FAILED</c>) make the outcome a <see cref="FailureReasons.PartialResult"/>.</summary>
    public string? UploadStatus { get; init; }

    /// <summary>When Mavi created the segment, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When Mavi last modified the segment, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset? ModifiedAt { get; init; }
}

/// <summary>The outcome: the video was split. Terminal; repeats carry the same message id.</summary>
public sealed record SplitVideoSucceeded
{
    /// <summary>The caller's request id.</summary>
    public Guid RequestId { get; init; }

    /// <summary>The asset that was split.</summary>
    public string AssetId { get; init; } = "";

    /// <summary>Mavi's task id.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>The segments, ordered by <see cref="VideoSegment.Index"/> where every segment has one.</summary>
    public IReadOnlyList<VideoSegment> Segments { get; init; } = [];

    /// <summary>When Mavi accepted the request, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset SubmittedAt { get; init; }

    /// <summary>When the result arrived, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset CompletedAt { get; init; }

    /// <summary>True where a failure (<see cref="FailureReasons.CallbackLost"/>, <see cref="FailureReasons.SubmissionUncertain"/> or <see cref="FailureReasons.Abandoned"/>) was published before the result came after all.</summary>
    public bool Late { get; init; }
}

/// <summary>The outcome: the video was not split, or not wholly. Terminal; repeats carry the same message id.</summary>
public sealed record SplitVideoFailed
{
    /// <summary>The caller's request id.</summary>
    public Guid RequestId { get; init; }

    /// <summary>The asset asked for, cut to 128 characters where it was longer.</summary>
    public string? AssetId { get; init; }

    /// <summary>Mavi's task id; null where no task was created, or none is known.</summary>
    public string? TaskId { get; init; }

    /// <summary>One of <see cref="FailureReasons"/>.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Mavi's code where Mavi answered, such as <c>400</c>; else null.</summary>
    public string? Code { get; init; }

    /// <summary>One sentence for a person.</summary>
    public string? Message { get; init; }

    /// <summary>The segments of a <see cref="FailureReasons.PartialResult"/>; else null.</summary>
    public IReadOnlyList<VideoSegment>? Segments { get; init; }

    /// <summary>When it was found to have failed, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset FailedAt { get; init; }
}
