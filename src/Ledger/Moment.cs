namespace Mavi.Ledger;

/// <summary>The ledger's times: microseconds since 1970 UTC.</summary>
public static class Moment
{
    /// <summary>The ledger's form of <paramref name="time"/>.</summary>
    public static long From(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The ledger's form of <paramref name="span"/>.</summary>
    public static long From(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The ledger's form of <paramref name="span"/>; null of none.</summary>
    public static long? From(TimeSpan? span) => span is { } given ? From(given) : null;

    /// <summary>The time <paramref name="moment"/> stands for.</summary>
    public static DateTimeOffset ToTime(this long moment) => DateTimeOffset.UnixEpoch.AddTicks(moment * TimeSpan.TicksPerMicrosecond);

    /// <summary>The span of <paramref name="microseconds"/>.</summary>
    public static TimeSpan ToSpan(this long microseconds) => TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
