using System.Text.Json;
using Mavi.Client;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;

namespace Mavi.Worker.Submitting;

/// <summary>What a look at the asset's metadata told.</summary>
public enum AssetCheck
{
    /// <summary>Nobody looked.</summary>
    NotAsked,

    /// <summary>Mavi knows the asset.</summary>
    Exists,

    /// <summary>Mavi does not know the asset.</summary>
    Unknown,

    /// <summary>Mavi answered, but not that.</summary>
    Unclear,

    /// <summary>Mavi did not answer.</summary>
    NoAnswer,
}

/// <summary>What each kind of answer to a POST means for the request and for the account. Pure: no clock, no ledger, no network.</summary>
public static class AnswerPolicy
{
    static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(10);

    static readonly JsonSerializerOptions Json = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>So many answers that may be a throttle or a bad asset before the asset is looked up.</summary>
    const int LimitTextsBeforeLookup = 2;

    /// <summary>So many before the request is refused, where the look-up was unclear too.</summary>
    const int MostLimitTexts = 5;

    const int LongestCode = 200;
    const int LongestMessage = 2000;

    /// <summary>Mavi accepted it.</summary>
    public static AttemptEnd Accepted(AcceptedTask accepted, Attempt attempt, SubmissionRow row) =>
        new(SubmissionState.Submitted, AccountEffect.Healthy, Note(SubmissionState.Submitted, attempt, row, accepted.Answer)) { TaskId = accepted.TaskId };

    /// <summary>Whether the answer leaves open if Mavi is busy or the asset is unknown, and waiting has not helped.</summary>
    public static bool NeedsAssetCheck(MaviException refused, SubmissionRow row) => refused.IsGenericLimitText && row.LimitTexts >= LimitTextsBeforeLookup;

    /// <summary>Mavi did not accept it, or nobody knows.</summary>
    public static AttemptEnd Refused(MaviException refused, Attempt attempt, SubmissionRow row, AssetCheck asset)
    {
        var (state, effect, reason) = refused.Kind switch
        {
            MaviFailure.NotSent or MaviFailure.Unavailable => (SubmissionState.Deferred, AccountEffect.Failing, null),
            MaviFailure.Throttled when asset == AssetCheck.Unknown => (SubmissionState.Rejected, AccountEffect.Healthy, FailureReasons.AssetNotFound),
            MaviFailure.Throttled when asset == AssetCheck.Unclear && row.LimitTexts >= MostLimitTexts =>
                (SubmissionState.Rejected, AccountEffect.Throttled, FailureReasons.Rejected),
            MaviFailure.Throttled => (SubmissionState.Deferred, AccountEffect.Throttled, null),
            MaviFailure.AccountBlocked => (SubmissionState.Deferred, AccountEffect.Blocked, null),
            MaviFailure.NotFound => (SubmissionState.Rejected, AccountEffect.Healthy, FailureReasons.AssetNotFound),
            MaviFailure.Rejected => (SubmissionState.Rejected, AccountEffect.Healthy, FailureReasons.Rejected),
            _ => (SubmissionState.Uncertain, AccountEffect.Failing, (string?)null),
        };
        // What is quoted in them came from outside: a proxy's bytes, half a character.
        var code = refused.Answer.Code ?? refused.Answer.HttpStatus?.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var message = PlainText.Clean(refused.Message, LongestMessage);
        return new AttemptEnd(state, effect, Note(state, attempt, row, refused.Answer))
        {
            Reason = reason,
            Code = code is null ? null : PlainText.Clean(code, LongestCode),
            Message = message,
            RetryIn = state == SubmissionState.Deferred ? Backoff(row.Deferrals, refused.RetryAfter, Random.Shared.NextDouble()) : null,
            IsLimitText = refused.IsGenericLimitText,
            PushBack = effect == AccountEffect.Throttled ? refused.RetryAfter : null,
            PauseReason = message,
        };
    }

    /// <summary>Exponential from one second with full jitter, at most ten minutes, never before Mavi's own <c>Retry-After</c>.</summary>
    /// <param name="deferrals">How often the request was put off before.</param>
    /// <param name="retryAfter">What Mavi asked for, if it did.</param>
    /// <param name="chance">0 to 1.</param>
    public static TimeSpan Backoff(int deferrals, TimeSpan? retryAfter, double chance)
    {
        var ceiling = TimeSpan.FromSeconds(Math.Min(LongestBackoff.TotalSeconds, Math.Pow(2, Math.Min(deferrals, 20))));
        return (retryAfter ?? TimeSpan.Zero) + ceiling * chance;
    }

    static HistoryNote Note(SubmissionState state, Attempt attempt, SubmissionRow row, Answer answer) => new(state.ToString(), attempt.Worker, JsonSerializer.Serialize(
        new
        {
            attempt = row.Attempts,
            sentAt = row.AttemptedAt?.ToTime(),
            httpStatus = answer.HttpStatus,
            code = answer.Code,
            answer = answer.Body,
            elapsedMs = Math.Round(answer.Elapsed.TotalMilliseconds, 1),
        }, Json));
}
