using System.Net.Http.Json;
using System.Text.Json;

namespace Mavi.HistoryChecker;

/// <summary>The Sandbox's journal (<c>docs/sandbox.md</c>).</summary>
static class JournalReader
{
    public static async Task<(IReadOnlyList<Post> Posts, IReadOnlyList<CallbackAttempt> Callbacks)> ReadAsync(Uri sandbox)
    {
        using var http = new HttpClient { BaseAddress = sandbox };
        using var journal = await http.GetFromJsonAsync<JsonDocument>(new Uri("/sandbox/journal", UriKind.Relative))
            ?? throw new FormatException("The journal is null.");
        return (
            [.. journal.RootElement.GetProperty("submissions").EnumerateArray().Select(static entry => new Post(
                OperationOf(entry.GetProperty("operation").GetString()!), Text(entry, "assetId"), entry.GetProperty("accepted").GetBoolean(), Text(entry, "taskId")))],
            [.. journal.RootElement.GetProperty("callbacks").EnumerateArray().Select(static entry => new CallbackAttempt(
                Text(entry, "taskId"), entry.GetProperty("delivered").GetBoolean(), Text(entry, "body") ?? ""))]);
    }

    static string OperationOf(string name) => name switch
    {
        "split" => "Split",
        "extract-frames" => "ExtractFrames",
        _ => name,
    };

    static string? Text(JsonElement entry, string name) => entry.TryGetProperty(name, out var value) ? value.GetString() : null;
}
