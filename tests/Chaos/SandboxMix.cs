using System.Net.Http.Json;

namespace Mavi.Chaos;

/// <summary>
/// What the Sandbox spoils. Every fault of <c>docs/sandbox.md</c> is in one of the two mixes: <c>lost</c> and <c>malformed</c> end by a deadline only,
/// which has to be longer than any outage of the first part; <c>foreignTask</c> and <c>forged</c> are what an exclusive account has not.
/// </summary>
sealed class SandboxMix(Uri sandbox)
{
    /// <summary>While processes die: answers lost and refused, callbacks early, late, twice, in disorder, failed, strange.</summary>
    public Task SpoilAsync(int seed, int requests) => PutAsync(seed,
    [
        Rule("cutBefore", 0.004), Rule("500", 0.002), Rule("502", 0.002), Rule("504", 0.002), Rule("cutAfter", 0.005), Rule("cutBody", 0.003),
        Rule("badJson", 0.002), Rule("500After", 0.003), Rule("502After", 0.002), Rule("504After", 0.002), Rule("409", 0.004), Rule("hidden400", 0.004),
        Rule("429", 0.008), new { fault = "429", probability = 0.004, retryAfterSeconds = 2 }, Rule("throttle400", 0.006), Rule("503", 0.006),
        // Each of these stops the whole account until a probe finds it open again.
        Once("401", requests / 5), Once("402", requests / 2), Once("403", requests * 3 / 4),
        new { fault = "slow", probability = 0.004, seconds = 7 }, new { fault = "slow", probability = 0.01, seconds = 1 },
        Rule("early", 0.05), new { fault = "delayed", probability = 0.05, seconds = 4 }, new { fault = "duplicated", probability = 0.05, times = 3, atOnce = true },
        Rule("duplicated", 0.05), new { fault = "reordered", probability = 0.06, group = 3, seconds = 5 }, Rule("failed", 0.02), Rule("failedSegment", 0.01),
        Rule("empty", 0.01), Rule("negativeFlag", 0.01), Rule("drift", 0.05), new { fault = "manyFrames", probability = 0.003, frames = 2000 },
        Rule("foreignOperation", 0.02), Rule("foreignId", 0.02),
    ]);

    /// <summary>While nothing dies and deadlines are short: what only time can end, and what others on the account do.</summary>
    public Task LoseAsync(int seed) => PutAsync(seed, [Rule("lost", 0.3), Rule("malformed", 0.15), Rule("foreignTask", 0.1), Rule("foreignOperation", 0.1), Rule("forged", 0.05)]);

    /// <summary>Answers that are lost after the task was made, one for each of these assets.</summary>
    public Task LoseAnswersAsync(IReadOnlyList<string> assets)
    {
        string[] lost = ["cutAfter", "cutBody", "badJson", "500After", "502After", "504After"];
        return PutAsync(0, [.. assets.Select((asset, index) => (object)new { fault = lost[index % lost.Length], assetId = asset, count = 1 })]);
    }

    public async Task StopAsync()
    {
        using var http = new HttpClient { BaseAddress = sandbox };
        using var answer = await http.DeleteAsync(new Uri("/sandbox/faults", UriKind.Relative));
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>How often each fault was applied by the rules in force.</summary>
    public async Task<IReadOnlyDictionary<string, int>> AppliedAsync()
    {
        using var http = new HttpClient { BaseAddress = sandbox };
        var view = await http.GetFromJsonAsync<System.Text.Json.JsonElement>(new Uri("/sandbox/faults", UriKind.Relative));
        return view.GetProperty("rules").EnumerateArray()
            .GroupBy(static rule => (rule.TryGetProperty("rule", out var inner) ? inner : rule).GetProperty("fault").GetString()!)
            .ToDictionary(static group => group.Key, static group => group.Sum(static rule => rule.GetProperty("applied").GetInt32()));
    }

    static object Rule(string fault, double probability) => new { fault, probability };

    static object Once(string fault, int skip) => new { fault, skip, count = 1 };

    /// <summary>These rules in the place of those in force.</summary>
    public async Task PutAsync(int seed, params object[] rules)
    {
        using var http = new HttpClient { BaseAddress = sandbox };
        using var answer = await http.PutAsJsonAsync(new Uri("/sandbox/faults", UriKind.Relative), new { seed, rules });
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"The Sandbox refused the faults: {await answer.Content.ReadAsStringAsync()}");
    }
}
