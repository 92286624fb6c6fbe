namespace Mavi.Sandbox;

/// <summary>Ids like the vendor's: 18 digits whose upper bits are the milliseconds since 2021-01-01T00:00:00Z, as in the samples of "Video Split".</summary>
sealed class Snowflake
{
    const int SequenceBits = 22;
    static readonly long Epoch = new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    // A random start keeps the ids of several Sandboxes apart that make them in the same millisecond.
    readonly long origin = Random.Shared.NextInt64(1, 1 << (SequenceBits - 1));
    readonly Lock gate = new();
    long millisecond;
    long sequence;

    /// <summary>The next id, and the epoch milliseconds it holds; never the same twice, also where the clock goes back.</summary>
    public (long Id, long CreatedAt) Next(DateTimeOffset now)
    {
        lock (gate)
        {
            var current = now.ToUnixTimeMilliseconds();
            if (current > millisecond)
                (millisecond, sequence) = (current, origin);
            else if (++sequence == 1 << SequenceBits)
                (millisecond, sequence) = (millisecond + 1, origin);
            return ((millisecond - Epoch << SequenceBits) | sequence, millisecond);
        }
    }
}
