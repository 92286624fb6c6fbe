namespace Mavi.Contracts;

/// <summary>Mavi accepted a request: its task id is known, the result will come by callback. Not terminal.</summary>
public sealed record TaskSubmitted
{
    /// <summary>The caller's request id.</summary>
    public Guid RequestId { get; init; }

    /// <summary>One of <see cref="Operations"/>.</summary>
    public string Operation { get; init; } = "";

    /// <summary>The asset the task works on.</summary>
    public string AssetId { get; init; } = "";

    /// <summary>Mavi's task id, by which the callback is joined.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>When Mavi accepted the request, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset SubmittedAt { get; init; }

    /// <summary>True where a failure was already published for this request, and the task was adopted after it.</summary>
    public bool Late { get; init; }
}

/// <summary>Mavi reported a task as failed, or sent a success that is not one: the callback, as the gateway received it. Not the outcome.</summary>
public sealed record TaskFailed
{
    /// <summary>The task that failed.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>The callback's code, a number or a string there, a string here; null where it has none.</summary>
    public string? Code { get; init; }

    /// <summary>The callback's message (<c>message</c> or <c>msg</c>), with what was wrong where the callback did not say.</summary>
    public string? Message { get; init; }

    /// <summary>The callback's body as it came.</summary>
    public string Body { get; init; } = "";

    /// <summary>When the gateway received the callback, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Size of the callback's body in bytes, for the history.</summary>
    public int? BodyBytes { get; init; }

    /// <summary>SHA-256 of the callback's body as lower-case hex, for the history.</summary>
    public string? BodySha256 { get; init; }
}

/// <summary>A callback that is none of ours by its shape: another operation of the account, or one that could not be read. Kept by the Worker.</summary>
public sealed record CallbackReceived
{
    /// <summary>The callback's task id; null where it has none.</summary>
    public string? TaskId { get; init; }

    /// <summary>The body as it came; bytes that are no UTF-8 are replaced by U+FFFD.</summary>
    public string Body { get; init; } = "";

    /// <summary>Why it is no typed event, one sentence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When the gateway received the callback, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Size of the callback's body in bytes, for the history.</summary>
    public int? BodyBytes { get; init; }

    /// <summary>SHA-256 of the callback's body as lower-case hex, for the history.</summary>
    public string? BodySha256 { get; init; }
}

/// <summary>An alarm: no callback within <c>Worker:OverdueAfter</c>. Not terminal; published once.</summary>
public sealed record TaskOverdue
{
    /// <summary>The caller's request id.</summary>
    public Guid RequestId { get; init; }

    /// <summary>One of <see cref="Operations"/>.</summary>
    public string Operation { get; init; } = "";

    /// <summary>The asset the task works on.</summary>
    public string AssetId { get; init; } = "";

    /// <summary>Mavi's task id.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>When Mavi accepted the request, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset SubmittedAt { get; init; }
}

/// <summary>An alarm: a POST left, and nobody can know whether Mavi accepted it. Held until somebody decides: <see cref="AdoptTask"/>, <see cref="ResubmitRequest"/> or <see cref="AbandonRequest"/>. Not terminal.</summary>
public sealed record SubmissionUncertain
{
    /// <summary>The caller's request id.</summary>
    public Guid RequestId { get; init; }

    /// <summary>One of <see cref="Operations"/>.</summary>
    public string Operation { get; init; } = "";

    /// <summary>The asset asked for.</summary>
    public string AssetId { get; init; } = "";

    /// <summary>What happened to the POST, one sentence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When the POST was about to leave, UTC.</summary>
    [JsonConverter(typeof(UtcTimeConverter))]
    public DateTimeOffset AttemptedAt { get; init; }
}
