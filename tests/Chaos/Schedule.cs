namespace Mavi.Chaos;

/// <summary>What is done to a process or a link.</summary>
enum FaultKind
{
    WorkerKilled,
    WorkerFrozen,
    WorkerRestarted,
    GatewayKilled,
    GatewayFrozen,
    GatewayRestarted,
    BrokerKilled,
    BrokerFrozen,
    DatabaseKilled,
    LinkRefused,
    LinkCut,
    LinkStalled,
}

/// <summary>One fault: when after the start, what, to which (a number that the target list is asked with), and for how long.</summary>
sealed record Fault(TimeSpan At, FaultKind Kind, int Target, TimeSpan For);

/// <summary>The same seed, number and length always give the same faults.</summary>
static class Schedule
{
    // A broker that was killed with publishes in flight is usable again after half a minute: more of those would only be one long outage.
    static readonly (FaultKind Kind, int Weight, double Least, double Most)[] Mix =
    [
        (FaultKind.WorkerKilled, 20, 0.1, 3), (FaultKind.WorkerFrozen, 11, 0.3, 6), (FaultKind.WorkerRestarted, 5, 0, 1),
        (FaultKind.GatewayKilled, 10, 0.1, 3), (FaultKind.GatewayFrozen, 6, 0.3, 8), (FaultKind.GatewayRestarted, 3, 0, 1),
        (FaultKind.BrokerKilled, 2, 0.1, 2), (FaultKind.BrokerFrozen, 2, 0.3, 3), (FaultKind.DatabaseKilled, 4, 0.1, 3),
        (FaultKind.LinkRefused, 13, 0.3, 5), (FaultKind.LinkCut, 14, 0, 0), (FaultKind.LinkStalled, 10, 0.3, 5),
    ];

    /// <summary>Longer than a lease: the POST of a worker that wakes up was given up by the others meanwhile.</summary>
    static readonly TimeSpan PastTheLease = TimeSpan.FromSeconds(40);

    public static IReadOnlyList<Fault> Of(int seed, int count, TimeSpan length)
    {
        var random = new Random(seed);
        var sum = Mix.Sum(static one => one.Weight);
        var faults = new List<Fault>();
        for (var i = 0; i < count; i++)
        {
            // The rare ones are not left to chance: every run has them, a short one too.
            var kind = i < Mix.Length && count >= Mix.Length ? Mix[i] : Pick(random.Next(sum));
            var at = length * (0.02 + 0.96 * random.NextDouble());
            var lasts = TimeSpan.FromSeconds(kind.Least + (kind.Most - kind.Least) * random.NextDouble());
            var isLong = kind.Kind == FaultKind.WorkerFrozen && random.Next(10) == 0 && length > TimeSpan.FromMinutes(3);
            faults.Add(new Fault(at, kind.Kind, random.Next(1000), isLong ? PastTheLease : lasts));
        }

        return [.. faults.OrderBy(static fault => fault.At)];
    }

    static (FaultKind Kind, int Weight, double Least, double Most) Pick(int chance)
    {
        foreach (var one in Mix)
        {
            if ((chance -= one.Weight) < 0)
                return one;
        }

        return Mix[^1];
    }
}
