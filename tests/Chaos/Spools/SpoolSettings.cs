namespace Mavi.Chaos.Spools;

/// <summary>How long the broker is away, and what comes meanwhile.</summary>
sealed record SpoolSettings
{
    /// <summary>0.2 to 120, default 10.</summary>
    public required double Minutes { get; init; }

    /// <summary>Callbacks a second; 1 to 500, default 50.</summary>
    public required int Rate { get; init; }

    public TimeSpan Away => TimeSpan.FromMinutes(Minutes);

    /// <summary>What comes to one gateway while the broker is away.</summary>
    public int Callbacks => (int)(Away.TotalSeconds * Rate);

    public static SpoolSettings From(Options options) => new()
    {
        Minutes = options.Number("--minutes", 10, 0.2, 120),
        Rate = options.Whole("--rate", 50, 1, 500),
    };
}
