namespace Mavi.Chaos.Limits;

/// <summary>How long, and with how many workers, the account's limit is measured.</summary>
sealed record LimitSettings
{
    /// <summary>An installation for each, all at the same time; 1 to 16, default 1, 2, 4 and 8.</summary>
    public required IReadOnlyList<int> Workers { get; init; }

    /// <summary>With a full queue; 0.1 to 60, default 5. The pauses come on top: about two minutes where there are two workers or more.</summary>
    public required double Minutes { get; init; }

    public static LimitSettings From(Options options) => new()
    {
        Workers = options.Wholes("--workers", [1, 2, 4, 8], 1, 16),
        Minutes = options.Number("--minutes", 5, 0.1, 60),
    };
}
