using Mavi.Chaos;
using Mavi.Chaos.Limits;

namespace Mavi.Tests.ChaosTests;

/// <summary>A measure that could not fail would prove nothing.</summary>
public sealed class RateFiguresTests
{
    [Fact]
    public void The_share_counts_from_the_first_post_and_only_what_is_within_the_window()
    {
        var figures = RateFigures.Of([.. Enumerable.Range(0, 20).Select(i => Post(1000 + i * 1250))], TimeSpan.FromSeconds(10), 1);
        Assert.Equal((8, 0.8, 1250, 1250), (figures.Posts, figures.Share, figures.LeastGapMs, figures.MostGapMs));
    }

    [Fact]
    public void Two_that_are_too_close_and_a_429_that_nobody_ordered_are_seen()
    {
        var figures = RateFigures.Of([Post(0), Post(1020), Post(1990, 429), Post(3000, 429, isSpoilt: true)], TimeSpan.FromSeconds(10), 1);
        Assert.Equal((970, 1), (figures.LeastGapMs, figures.OwnThrottles));
    }

    static TimedPost Post(double at, int status = 200, bool isSpoilt = false) =>
        new(1, DateTimeOffset.UnixEpoch, at, "split", "re_1", status, status == 200, isSpoilt);
}
