namespace Mavi.Chaos;

/// <summary>How much chaos.</summary>
sealed record Settings
{
    /// <summary>Commands to publish, repeats not counted; 20 to 50,000, default 600.</summary>
    public required int Requests { get; init; }

    /// <summary>Faults of processes and links; 0 to 10,000, default 25. What the Sandbox spoils comes on top.</summary>
    public required int Kills { get; init; }

    /// <summary>Of the schedule, the commands and the Sandbox's faults; default 1.</summary>
    public required int Seed { get; init; }

    /// <summary>How long commands are published and faults happen; 0.1 to 600, default 1. Settling comes on top.</summary>
    public required double Minutes { get; init; }

    /// <summary>Three broker nodes instead of one.</summary>
    public required bool IsCluster { get; init; }

    public static Settings From(Options options) => new()
    {
        Requests = options.Whole("--requests", 600, 20, 50_000),
        Kills = options.Whole("--kills", 25, 0, 10_000),
        Seed = options.Whole("--seed", 1, 0, int.MaxValue),
        Minutes = options.Number("--minutes", 1, 0.1, 600),
        IsCluster = options.Switch("--cluster"),
    };
}
