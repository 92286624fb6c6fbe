using Mavi.Client;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Submitting;

namespace Mavi.Tests.Worker;

public sealed class AnswerPolicyTests
{
    static readonly Answer Seen = new(400, "400", "{}", TimeSpan.FromMilliseconds(5));

    [Theory]
    [InlineData(MaviFailure.NotSent, SubmissionState.Deferred, AccountEffect.Failing, null)]
    [InlineData(MaviFailure.Unavailable, SubmissionState.Deferred, AccountEffect.Failing, null)]
    [InlineData(MaviFailure.Throttled, SubmissionState.Deferred, AccountEffect.Throttled, null)]
    [InlineData(MaviFailure.AccountBlocked, SubmissionState.Deferred, AccountEffect.Blocked, null)]
    [InlineData(MaviFailure.Rejected, SubmissionState.Rejected, AccountEffect.Healthy, FailureReasons.Rejected)]
    [InlineData(MaviFailure.NotFound, SubmissionState.Rejected, AccountEffect.Healthy, FailureReasons.AssetNotFound)]
    [InlineData(MaviFailure.Unknown, SubmissionState.Uncertain, AccountEffect.Failing, null)]
    public void Every_kind_of_failure_has_its_place(MaviFailure kind, SubmissionState state, AccountEffect effect, string? reason)
    {
        var end = AnswerPolicy.Refused(Failure(kind), Attempt(), new SubmissionRow(), AssetCheck.NotAsked);
        Assert.Equal((state, effect, reason), (end.State, end.Account, end.Reason));
        Assert.Equal(state == SubmissionState.Deferred, end.RetryIn is not null);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void The_asset_is_looked_up_only_when_waiting_has_not_helped(int limitTexts, bool asks) =>
        Assert.Equal(asks, AnswerPolicy.NeedsAssetCheck(Failure(MaviFailure.Throttled, limitText: true), new SubmissionRow { LimitTexts = limitTexts }));

    [Theory]
    [InlineData(AssetCheck.Exists, 9, SubmissionState.Deferred, null)]
    [InlineData(AssetCheck.Unknown, 2, SubmissionState.Rejected, FailureReasons.AssetNotFound)]
    [InlineData(AssetCheck.Unclear, 4, SubmissionState.Deferred, null)]
    [InlineData(AssetCheck.Unclear, 5, SubmissionState.Rejected, FailureReasons.Rejected)]
    [InlineData(AssetCheck.NoAnswer, 9, SubmissionState.Deferred, null)]
    public void The_limit_text_is_a_throttle_until_the_asset_says_otherwise(AssetCheck asset, int limitTexts, SubmissionState state, string? reason)
    {
        var end = AnswerPolicy.Refused(Failure(MaviFailure.Throttled, limitText: true), Attempt(), new SubmissionRow { LimitTexts = limitTexts }, asset);
        Assert.Equal((state, reason), (end.State, end.Reason));
    }

    [Theory]
    [InlineData(0, null, 1.0, 1)]
    [InlineData(3, null, 1.0, 8)]
    [InlineData(3, null, 0.5, 4)]
    [InlineData(50, null, 1.0, 600)]
    [InlineData(0, 30, 0.0, 30)]
    public void Backoff_doubles_from_a_second_to_ten_minutes_and_never_undercuts_retry_after(int deferrals, int? retryAfter, double chance, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), AnswerPolicy.Backoff(deferrals, retryAfter is { } after ? TimeSpan.FromSeconds(after) : null, chance));

    static MaviException Failure(MaviFailure kind, bool limitText = false) => new(kind, "a sentence", Seen) { IsGenericLimitText = limitText };

    static Attempt Attempt() => new(
        "a", new SubmissionRequest(Guid.NewGuid(), "Split", "re_1", null), "worker", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15), 4);
}
