using System.Net.Http.Json;
using System.Text.Json;

namespace Mavi.Chaos;

/// <summary>The POSTs that reached a Sandbox, with their times.</summary>
static class Journal
{
    public static readonly string[] Operations = ["split", "extract-frames"];

    /// <summary>In the order in which they came; only those after entry <paramref name="since"/>.</summary>
    public static async Task<IReadOnlyList<TimedPost>> PostsAsync(Uri sandbox, CancellationToken stop, long since = 0)
    {
        using var http = new HttpClient { BaseAddress = sandbox };
        var journal = await http.GetFromJsonAsync<JsonElement>(new Uri($"/sandbox/journal?bodies=false&since={since}", UriKind.Relative), stop);
        return
        [
            .. journal.GetProperty("submissions").EnumerateArray().Select(static entry => new TimedPost(
                entry.GetProperty("n").GetInt64(), entry.GetProperty("time").GetDateTimeOffset(), entry.GetProperty("monotonicMs").GetDouble(),
                entry.GetProperty("operation").GetString()!, entry.GetProperty("assetId").GetString() ?? "",
                entry.GetProperty("status") is { ValueKind: JsonValueKind.Number } status ? status.GetInt32() : null,
                entry.GetProperty("accepted").GetBoolean(), entry.GetProperty("faults").GetArrayLength() > 0)).OrderBy(static post => post.MonotonicMs),
        ];
    }
}

/// <summary>One POST of a submission.</summary>
/// <param name="N">Its number in the journal.</param>
/// <param name="Time">When it came, by the wall clock.</param>
/// <param name="MonotonicMs">When it came, in milliseconds by a clock that never goes back.</param>
/// <param name="Operation"><c>split</c> or <c>extract-frames</c>.</param>
/// <param name="AssetId">What was to be processed; each request of a run has its own.</param>
/// <param name="Status">The answer; null where there was none.</param>
/// <param name="IsAccepted">It made a task and is billed.</param>
/// <param name="IsSpoilt">A fault was ordered for it.</param>
sealed record TimedPost(long N, DateTimeOffset Time, double MonotonicMs, string Operation, string AssetId, int? Status, bool IsAccepted, bool IsSpoilt);
