namespace Mavi.Client;

/// <summary>What a failed call means for whoever made it. Decided in one place, from the vendor page "Error Codes" and from what the network showed.</summary>
public enum MaviFailure
{
    /// <summary>Nothing left this machine (refused, no such host, TLS): safe to try again.</summary>
    NotSent,

    /// <summary>Not accepted, too fast: try again later. See <see cref="MaviException.IsGenericLimitText"/>.</summary>
    Throttled,

    /// <summary>Not accepted, out of service: try again later.</summary>
    Unavailable,

    /// <summary>Not accepted, and neither will the next be: key, balance or address are refused. A person must act.</summary>
    AccountBlocked,

    /// <summary>Not accepted for what the request is: the same one will be refused again.</summary>
    Rejected,

    /// <summary>Not accepted: Mavi does not know the asset.</summary>
    NotFound,

    /// <summary>It may have been accepted, and billed. Nobody can ask; do not send it again on your own.</summary>
    Unknown,
}

/// <summary>What came back, for the record.</summary>
/// <param name="HttpStatus">The HTTP status; null where none arrived.</param>
/// <param name="Code">The envelope's <c>code</c>, a number or a string there, a string here; null where there is none.</param>
/// <param name="Body">The first 2 KB of the body, without the API key; null where none arrived.</param>
/// <param name="Elapsed">From the start of the call to its end.</param>
public sealed record Answer(int? HttpStatus, string? Code, string? Body, TimeSpan Elapsed);

/// <summary>A call to Mavi failed. The message is one or two sentences for a person: what was received, what was expected, what to do.</summary>
public sealed class MaviException : Exception
{
    /// <summary>A failure of <paramref name="kind"/>.</summary>
    public MaviException(MaviFailure kind, string message, Answer answer, Exception? inner = null)
        : base(message, inner) => (Kind, Answer) = (kind, answer);

    /// <summary>What the failure means.</summary>
    public MaviFailure Kind { get; }

    /// <summary>What came back.</summary>
    public Answer Answer { get; }

    /// <summary>What the server asked for in <c>Retry-After</c>, 0 to 24 hours; null where it did not.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// True for <see cref="MaviFailure.Throttled"/> where Mavi said 400 "Request has exceeded the limit.": the text of a throttle and of several
    /// invalid requests alike (an unknown asset, for one). Nobody can tell which; try a few times, then look at the asset.
    /// </summary>
    public bool IsGenericLimitText { get; init; }
}
