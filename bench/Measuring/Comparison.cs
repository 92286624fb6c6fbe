namespace Mavi.Bench.Measuring;

/// <summary>One of two that are compared: its name, and one round of it.</summary>
sealed record Side(string Name, Func<CancellationToken, Task<Round>> RoundAsync);

/// <summary>Rounds of a subject and of its reference in pairs, one right after the other, so that what slows the machine slows both.</summary>
sealed class Comparison
{
    readonly List<(Round Subject, Round Reference)> _pairs = [];

    Comparison(string name, Side subject, Side reference) => (Name, Subject, Reference) = (name, subject.Name, reference.Name);

    public string Name { get; }

    public string Subject { get; }

    public string Reference { get; }

    public IReadOnlyList<Round> SubjectRounds => [.. _pairs.Select(static pair => pair.Subject)];

    public IReadOnlyList<Round> ReferenceRounds => [.. _pairs.Select(static pair => pair.Reference)];

    /// <summary>Pairs that were taken before these, and thrown away.</summary>
    public int Discarded { get; private set; }

    /// <summary>False where the CPU time per operation still changed when no more rounds were to be discarded.</summary>
    public bool HasSettled { get; private set; }

    /// <summary>The subject's figure in each pair over the reference's.</summary>
    public Spread Ratio(Func<Round, double> figure) => new(_pairs.Select(pair => figure(pair.Subject) / figure(pair.Reference)));

    /// <summary>Measures until the ratios of all the figures can be judged, or often enough.</summary>
    public static async Task<Comparison> RunAsync(
        string name, Side subject, Side reference, Effort effort, IReadOnlyList<Func<Round, double>> figures, CancellationToken stop)
    {
        var comparison = new Comparison(name, subject, reference);
        await comparison.SettleAsync(subject, reference, effort, stop);
        while (effort.IsToGoOn(comparison._pairs.Count, () => figures.Any(figure => comparison.Ratio(figure).IsNoisy)))
            comparison._pairs.Add(await PairAsync(subject, reference, stop));
        return comparison;
    }

    async Task SettleAsync(Side subject, Side reference, Effort effort, CancellationToken stop)
    {
        (Round Subject, Round Reference)? last = null;
        while (Discarded < effort.DiscardLeast || Discarded < effort.DiscardMost && !HasSettled)
        {
            var pair = await PairAsync(subject, reference, stop);
            HasSettled = last is { } before && IsNear(before.Subject, pair.Subject) && IsNear(before.Reference, pair.Reference);
            last = pair;
            Discarded++;
        }
    }

    static async Task<(Round Subject, Round Reference)> PairAsync(Side subject, Side reference, CancellationToken stop) =>
        (await subject.RoundAsync(stop), await reference.RoundAsync(stop));

    static bool IsNear(Round one, Round other) => Math.Abs(one.CpuPer10k(one.Own) / other.CpuPer10k(other.Own) - 1) <= Effort.Settled;
}
