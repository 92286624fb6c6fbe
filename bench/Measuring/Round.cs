namespace Mavi.Bench.Measuring;

/// <summary>One round of one side: its operations, how long each of them took (milliseconds), how long all (seconds), and what was used by whom meanwhile.</summary>
sealed record Round(IReadOnlyList<double> Milliseconds, double Seconds, Usage Own, Usage Broker, Usage Database)
{
    readonly double[] _sorted = [.. Milliseconds.Order()];

    public int Operations => Milliseconds.Count;

    public double PerSecond => Operations / Seconds;

    public double P50 => Percentile(0.50);

    public double P99 => Percentile(0.99);

    /// <summary>CPU time of 10,000 operations, in seconds, of one of the parts that were measured.</summary>
    public double CpuPer10k(params Usage[] parts) => parts.Sum(static part => part.CpuSeconds) / Operations * 10_000;

    public double ResidentMebibytes => Own.ResidentMebibytes;

    double Percentile(double share) => _sorted[(int)Math.Ceiling(share * _sorted.Length) - 1];
}
