namespace Mavi.Contracts;

/// <summary>Asks for the frames of a video. The caller gets exactly one <see cref="ExtractFramesSucceeded"/> or <see cref="ExtractFramesFailed"/>.</summary>
/// <remarks>Vendor page: "Extract Frames" (<c>POST /video/extract-frames</c>), $0.01 per second of video; the same <see cref="RequestId"/> is never submitted twice.</remarks>
public sealed record ExtractFramesRequested
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

/// <summary>Mavi reported extracted frames: the callback, as the gateway received it. Not the outcome; see <see cref="ExtractFramesSucceeded"/>.</summary>
public sealed record FramesExtracted
{
    /// <summary>The task that finished; 32 hex digits in every sample of the vendor, but the format is not promised.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>The collection of all frames (<c>im_…</c>); downloads as one zip.</summary>
    public string CollectionId { get; init; } = "";

    /// <summary>The frames in order (<c>imc_…</c>); each downloads as one image. May be empty.</summary>
    public IReadOnlyList<string> FrameIds { get; init; } = [];

    /// <summary>When the gateway received the callback, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Size of the callback's body in bytes, for the history.</summary>
    public int? BodyBytes { get; init; }

    /// <summary>SHA-256 of the callback's body as lower-case hex, for the history.</summary>
    public string? BodySha256 { get; init; }
}

/// <summary>The outcome: the frames were extracted. Terminal; repeats carry the same message id.</summary>
public sealed record ExtractFramesSucceeded
{
    /// <summary>The caller's request id.</summary>
    public Guid RequestId { get; init; }

    /// <summary>The asset whose frames were extracted.</summary>
    public string AssetId { get; init; } = "";

    /// <summary>Mavi's task id.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>The collection of all frames (<c>im_…</c>); downloads as one zip.</summary>
    public string CollectionId { get; init; } = "";

    /// <summary>The frames in order (<c>imc_…</c>); each downloads as one image.</summary>
    public IReadOnlyList<string> FrameIds { get; init; } = [];

    /// <summary>When Mavi accepted the request, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset SubmittedAt { get; init; }

    /// <summary>When the result arrived, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset CompletedAt { get; init; }

    /// <summary>True where a failure (<see cref="FailureReasons.CallbackLost"/>, <see cref="FailureReasons.SubmissionUncertain"/> or <see cref="FailureReasons.Abandoned"/>) was published before the result came after all.</summary>
    public bool Late { get; init; }
}

/// <summary>The outcome: the frames were not extracted. Terminal; repeats carry the same message id.</summary>
public sealed record ExtractFramesFailed
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

    /// <summary>When it was found to have failed, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset FailedAt { get; init; }
}
