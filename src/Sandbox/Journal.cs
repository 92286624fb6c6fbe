using System.Globalization;
using System.Text.Json.Serialization;

namespace Mavi.Sandbox;

/// <summary>One request to the API, as it came and as it was answered.</summary>
sealed record CallEntry
{
    /// <summary>Position in the journal; callbacks share the count.</summary>
    public required long N { get; init; }

    /// <summary>When it came, UTC.</summary>
    public required string Time { get; init; }

    /// <summary>When it came, in milliseconds since the Sandbox started, by a clock that never goes back. What the rate limit goes by.</summary>
    public required double MonotonicMs { get; init; }

    public required string Operation { get; init; }
    public string? AssetId { get; set; }

    /// <summary>HTTP status answered; null while it is not answered, and for ever where the connection was cut.</summary>
    public int? Status { get; set; }

    /// <summary>The envelope's <c>msg</c> where the request was refused.</summary>
    public string? Message { get; set; }

    /// <summary>True where the operation was carried out: a submission made a task and is billed, whatever was answered.</summary>
    public bool Accepted { get; set; }

    public string? TaskId { get; set; }

    /// <summary>What it costs in dollars, known once the work began: $0.01 per second of video for extract-frames; the others have no published price.</summary>
    public double? CostUsd { get; set; }

    /// <summary>The faults that were applied.</summary>
    public IReadOnlyList<string> Faults { get; set; } = [];

    /// <summary>Milliseconds from arrival to the end of the answer.</summary>
    public double? TookMs { get; set; }
}

/// <summary>One attempt to deliver one callback to one webhook.</summary>
sealed record CallbackEntry
{
    public required long N { get; init; }
    public required string Time { get; init; }
    public required double MonotonicMs { get; init; }

    /// <summary>The <c>task_id</c> in the body; null where there is none.</summary>
    public string? TaskId { get; init; }

    public string? Operation { get; init; }

    /// <summary>Position of the webhook in the list when it was sent; null for a callback that was lost on purpose.</summary>
    public int? Webhook { get; init; }

    /// <summary>The webhook's address; the last part of the path, which may be a secret, is left out.</summary>
    public string? Url { get; init; }

    /// <summary>From 1; past 1 it is a retry.</summary>
    public int Attempt { get; init; }

    /// <summary>HTTP status of the webhook's answer; null while there is none.</summary>
    public int? Status { get; set; }

    /// <summary>Why there is no answer.</summary>
    public string? Error { get; set; }

    /// <summary>True where the answer was 2xx.</summary>
    public bool Delivered => Status is >= 200 and < 300;

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Body { get; set; }
}

/// <summary>What <c>GET /sandbox/journal</c> shows.</summary>
sealed record JournalView(
    IReadOnlyList<CallEntry> Submissions,
    IReadOnlyList<CallbackEntry> Callbacks,
    IReadOnlyList<CallEntry> Calls,
    IReadOnlyDictionary<string, int> Accepted,
    double CostUsd)
{
    /// <summary>Tasks whose callback is still owed.</summary>
    public int Pending { get; init; }
}

/// <summary>Everything that came in and went out, in memory.</summary>
sealed class Journal(TimeProvider time)
{
    readonly Lock gate = new();
    readonly List<CallEntry> calls = [];
    readonly List<CallbackEntry> callbacks = [];
    readonly long started = time.GetTimestamp();
    long last;

    public CallEntry Arrived(string operation, long arrived)
    {
        var now = time.GetTimestamp();
        lock (gate)
        {
            var entry = new CallEntry
            {
                N = ++last,
                Time = Iso(time.GetUtcNow() - time.GetElapsedTime(arrived, now)),
                MonotonicMs = SinceStart(arrived),
                Operation = operation,
            };
            calls.Add(entry);
            return entry;
        }
    }

    public CallbackEntry Sending(string? taskId, string? operation, int? webhook, string? url, int attempt, string body)
    {
        lock (gate)
        {
            var entry = new CallbackEntry
            {
                N = ++last,
                Time = Iso(time.GetUtcNow()),
                MonotonicMs = SinceStart(time.GetTimestamp()),
                TaskId = taskId,
                Operation = operation,
                Webhook = webhook,
                Url = url,
                Attempt = attempt,
                Body = body,
            };
            callbacks.Add(entry);
            return entry;
        }
    }

    /// <summary>Changes an entry; readers see all of the change or nothing.</summary>
    public void Note<T>(T entry, Action<T> change)
    {
        lock (gate)
            change(entry);
    }

    /// <summary>The whole, or the part with these ids past entry <paramref name="since"/>. The sums are always those of the whole.</summary>
    public JournalView Read(long since, string? operation, string? assetId, string? taskId, bool withBodies)
    {
        lock (gate)
        {
            bool IsWanted(CallEntry e) => e.N > since
                && (operation ?? e.Operation) == e.Operation && (assetId ?? e.AssetId) == e.AssetId && (taskId ?? e.TaskId) == e.TaskId;
            bool IsWantedCallback(CallbackEntry e) => e.N > since
                && (operation ?? e.Operation) == e.Operation && (taskId ?? e.TaskId) == e.TaskId && assetId is null;

            var wanted = calls.Where(IsWanted).Select(e => e with { }).ToLookup(e => Sandbox.Operation.IsSubmission(e.Operation));
            return new JournalView(
                [.. wanted[true]],
                [.. callbacks.Where(IsWantedCallback).Select(e => withBodies ? e with { } : e with { Body = null })],
                [.. wanted[false]],
                Sandbox.Operation.All.ToDictionary(name => name, name => calls.Count(e => e.Accepted && e.Operation == name)),
                Math.Round(calls.Sum(e => e.CostUsd ?? 0), 4));
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            calls.Clear();
            callbacks.Clear();
        }
    }

    public double SinceStart(long timestamp) => Math.Round(time.GetElapsedTime(started, timestamp).TotalMilliseconds, 3);

    static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
