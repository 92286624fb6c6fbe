namespace Mavi.Chaos.Limits;

/// <summary>What the POSTs of one operation come to.</summary>
/// <param name="Posts">Those within the window, which begins with the first.</param>
/// <param name="Share">Of the POSTs that the limit allows in the window, 0 to 1.</param>
/// <param name="LeastGapMs">Between two of them, in milliseconds.</param>
/// <param name="MedianGapMs">The same.</param>
/// <param name="MostGapMs">The same.</param>
/// <param name="OwnThrottles">429s that nobody ordered: the account's limit was not kept.</param>
sealed record RateFigures(int Posts, double Share, double LeastGapMs, double MedianGapMs, double MostGapMs, int OwnThrottles)
{
    /// <summary>Of one operation's POSTs in the order in which they came.</summary>
    public static RateFigures Of(IReadOnlyList<TimedPost> posts, TimeSpan window, double rate)
    {
        if (posts.Count < 2)
            return new(posts.Count, 0, 0, 0, 0, 0);
        var within = posts.Where(post => post.MonotonicMs < posts[0].MonotonicMs + window.TotalMilliseconds).ToList();
        var gaps = within.Zip(within.Skip(1), static (before, after) => after.MonotonicMs - before.MonotonicMs).Order().ToList();
        return new(
            within.Count, within.Count / (window.TotalSeconds * rate), gaps.FirstOrDefault(), gaps.ElementAtOrDefault(gaps.Count / 2), gaps.LastOrDefault(),
            posts.Count(static post => post is { Status: 429, IsSpoilt: false }));
    }
}
