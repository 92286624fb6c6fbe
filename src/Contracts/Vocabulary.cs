namespace Mavi.Contracts;

/// <summary>The operations a message can name. Strings, not an enumeration: a new one must not break a reader built before it.</summary>
public static class Operations
{
    /// <summary><c>POST /video/split</c>.</summary>
    public const string Split = "Split";

    /// <summary><c>POST /video/extract-frames</c>.</summary>
    public const string ExtractFrames = "ExtractFrames";
}

/// <summary>Why a request ended as failed. Strings, not an enumeration: a new one must not break a reader built before it.</summary>
public static class FailureReasons
{
    /// <summary>The command itself cannot be submitted; nothing was sent to Mavi. Correct it and publish it under a new request id.</summary>
    public const string InvalidRequest = "InvalidRequest";

    /// <summary>Mavi does not know the asset.</summary>
    public const string AssetNotFound = "AssetNotFound";

    /// <summary>Mavi refused the request for another reason; see code and message.</summary>
    public const string Rejected = "Rejected";

    /// <summary>Mavi accepted the request and reported that its task failed.</summary>
    public const string TaskFailed = "TaskFailed";

    /// <summary>The result came, but not whole: no segments, a segment that is not <c>SUCCESS</c>, no frames.</summary>
    public const string PartialResult = "PartialResult";

    /// <summary>Nobody could find out within <c>Worker:LostAfter</c> whether Mavi accepted the request.</summary>
    public const string SubmissionUncertain = "SubmissionUncertain";

    /// <summary>Mavi accepted the request; its callback did not come within <c>Worker:LostAfter</c>. A later result is still published, as late.</summary>
    public const string CallbackLost = "CallbackLost";

    /// <summary>Mavi took no request within <c>Worker:GiveUpAfter</c>: throttled, unavailable or blocked all the while. Nothing was accepted.</summary>
    public const string GaveUp = "GaveUp";

    /// <summary>An operator gave the request up.</summary>
    public const string Abandoned = "Abandoned";
}
