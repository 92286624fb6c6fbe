using System.Diagnostics;
using System.Text.Json;

namespace Mavi.Chaos.Limits;

/// <summary>What Mavi may say to a whole account, while the queue is full: nobody posts before the pause is over, and everybody goes on after it.</summary>
sealed class Pauses(Installation installation, Report report)
{
    /// <summary>All pauses together last no longer than so many seconds, at one request a second.</summary>
    public const int MostRequests = 400;

    static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>What the workers wait between two probes of a blocked account.</summary>
    const double ProbeEveryMs = 15_000;

    /// <summary>POSTs that were on their way when Mavi refused the first one.</summary>
    const double OnTheWayMs = 500;

    readonly SandboxMix _mix = new(installation.SandboxUrl);

    /// <summary>Pauses that were ordered.</summary>
    public int Made { get; private set; }

    /// <summary>Pauses in which nobody posted, and after which everybody went on.</summary>
    public int Obeyed { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        await ThrottleAsync("429, Retry-After 5", new { fault = "429", operation = "split", count = 1, retryAfterSeconds = 5 }, [5000], stop);
        await ThrottleAsync("429 x 3", new { fault = "429", operation = "split", count = 3 }, [1000, 2000, 4000], stop);
        await ThrottleAsync("400 limit text x 2", new { fault = "throttle400", operation = "split", count = 2 }, [1000, 2000], stop);
        foreach (var (status, count) in ((string, int)[])[("401", 1), ("402", 2), ("403", 1)])
            await BlockAsync(status, count, stop);
    }

    /// <summary>Throttles of one operation, one after the other; each is followed by a longer pause. The other operation goes on.</summary>
    async Task ThrottleAsync(string name, object rule, double[] leastMs, CancellationToken stop)
    {
        var since = await LastAsync(stop);
        await _mix.PutAsync(1, rule);
        IReadOnlyList<TimedPost> posts = [], split = [];
        await Waiting.ForAsync($"a POST after {name}", async () =>
        {
            posts = await Journal.PostsAsync(installation.SandboxUrl, stop, since);
            split = [.. posts.Where(static post => post.Operation == "split").SkipWhile(static post => !post.IsSpoilt).Take(leastMs.Length + 1)];
            return split.Count == leastMs.Length + 1;
        }, Limit, stop);

        var gaps = split.Zip(split.Skip(1), static (before, after) => after.MonotonicMs - before.MonotonicMs).ToList();
        var others = posts.Count(post => post.Operation == "extract-frames" && post.MonotonicMs > split[0].MonotonicMs && post.MonotonicMs < split[^1].MonotonicMs);
        var isObeyed = gaps.Zip(leastMs, static (gap, least) => gap >= least).All(static held => held) && others >= (int)(gaps.Sum() / 1000 * 0.9) - 1;
        Count(isObeyed, name, $"next POSTs after {string.Join(", ", gaps.Select(static gap => $"{gap / 1000:0.00}"))} s; {others} of the other operation meanwhile");
    }

    /// <summary>The account is blocked so many times: one probe at a time, 15 s apart, finds out when it is over.</summary>
    async Task BlockAsync(string status, int count, CancellationToken stop)
    {
        var since = await LastAsync(stop);
        var lines = Lines();
        await _mix.PutAsync(1, new { fault = status, count });
        TimedPost? first = null;
        await Waiting.ForAsync($"a POST answered {status}", async () =>
            (first = (await Journal.PostsAsync(installation.SandboxUrl, stop, since)).FirstOrDefault(static post => post.IsSpoilt)) is not null, Limit, stop);
        var shownAfter = await ShownAsync("paused", $"HTTP {status}", first!, stop);

        IReadOnlyList<TimedPost> posts = [];
        await Waiting.ForAsync($"the end of the pause after {status}", async () =>
        {
            posts = [.. (await Journal.PostsAsync(installation.SandboxUrl, stop, since)).Where(post => post.MonotonicMs >= first!.MonotonicMs)];
            return posts.Count(post => post.IsAccepted && post.MonotonicMs > first!.MonotonicMs + OnTheWayMs) > 4;
        }, Limit, stop);
        var readyAfter = await ShownAsync("ready", "", posts.First(post => post.IsAccepted && post.MonotonicMs > first!.MonotonicMs + OnTheWayMs), stop);

        // Those that were under way already; then, one by one, the probes up to the one that is accepted; then everybody.
        var onTheWay = posts.Count(post => post.MonotonicMs <= first!.MonotonicMs + OnTheWayMs);
        var after = posts.Skip(onTheWay).ToList();
        var accepted = after.FindIndex(static post => post.IsAccepted);
        var probes = after.Take(accepted + 1).Select(static post => post.MonotonicMs).Prepend(posts[onTheWay - 1].MonotonicMs).ToList();
        var gaps = probes.Zip(probes.Skip(1), static (before, next) => next - before).ToList();
        var said = Lines().Zip(lines, (now, before) => now - before).Count(static more => more > 0);
        Count(
            gaps.Count > 0 && gaps.All(static gap => gap >= ProbeEveryMs - OnTheWayMs) && onTheWay <= 2 && shownAfter < 2000,
            $"{status} x {count}",
            $"{onTheWay} refused at once, probes after {string.Join(", ", gaps.Select(static gap => $"{gap / 1000:0.00}"))} s; health of all {installation.Workers.Count} said so after {shownAfter:0} ms and that it is over {readyAfter:0} ms after the probe; next POSTs {string.Join(", ", after.Skip(accepted + 1).Take(4).Select(post => $"{(post.MonotonicMs - probes[^1]) / 1000:0.0}"))} s after it; in the log of {said}");

        int[] Lines() => [.. installation.Workers.Select(worker => File.ReadLines(worker.LogFile).Count(line => line.Contains($"HTTP {status}", StringComparison.Ordinal)))];
    }

    /// <summary>Waits until the health of every worker says so; returns how long after a POST it did, in milliseconds.</summary>
    async Task<double> ShownAsync(string health, string because, TimedPost post, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < Limit)
        {
            var answers = await Task.WhenAll(installation.Workers.Select(async worker => await Http.GetStringAsync(new Uri($"{worker.Url}/health/ready"), stop)));
            if (answers.All(answer => JsonDocument.Parse(answer).RootElement.GetProperty("status").GetString() == health && answer.Contains(because, StringComparison.Ordinal)))
                return (DateTimeOffset.UtcNow - post.Time).TotalMilliseconds;
            await Task.Delay(Look, stop);
        }

        throw new TimeoutException($"Waited {Limit.TotalSeconds:0} s in vain for the health of every worker to say \"{health}\" {because}.");
    }

    async Task<long> LastAsync(CancellationToken stop) =>
        (await Journal.PostsAsync(installation.SandboxUrl, stop)).Select(static post => post.N).DefaultIfEmpty(0).Max();

    void Count(bool isObeyed, string name, string found)
    {
        Made++;
        Obeyed += isObeyed ? 1 : 0;
        report.Say($"{installation.Workers.Count,7}  {name,-20} {(isObeyed ? "obeyed" : "NOT OBEYED")}: {found}");
        report.Goal(isObeyed, $"{installation.Workers.Count} workers did not obey {name}: {found}.");
    }
}
