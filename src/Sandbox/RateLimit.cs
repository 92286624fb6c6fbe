namespace Mavi.Sandbox;

/// <summary>
/// The account's limit ("Rate Limits": 1 QPS), strictly: of two requests of one operation that arrive closer than 1/rate, the second is
/// refused, whatever the first was answered. No burst, no average.
/// </summary>
sealed class RateLimit(SandboxOptions options, TimeProvider time)
{
    readonly Lock gate = new();
    readonly Dictionary<string, long> latest = [];
    readonly double interval = options.RequestsPerSecond > 0 ? time.TimestampFrequency / options.RequestsPerSecond : 0;

    public bool Admit(string operation, long arrived)
    {
        lock (gate)
        {
            var isFirst = !latest.TryGetValue(operation, out var previous);
            latest[operation] = isFirst ? arrived : Math.Max(previous, arrived);
            return isFirst || Math.Abs(arrived - previous) >= interval;
        }
    }
}
