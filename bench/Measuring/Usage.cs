namespace Mavi.Bench.Measuring;

/// <summary>What some processes have used: CPU time, user and system, in seconds; memory that they hold, and the most they ever held, in bytes.</summary>
readonly record struct Usage(double CpuSeconds, long ResidentBytes, long PeakBytes)
{
    public double ResidentMebibytes => ResidentBytes / 1024.0 / 1024.0;

    public static Usage operator +(Usage one, Usage other) =>
        new(one.CpuSeconds + other.CpuSeconds, one.ResidentBytes + other.ResidentBytes, one.PeakBytes + other.PeakBytes);

    /// <summary>The CPU time in between, and the memory at the later moment.</summary>
    public static Usage operator -(Usage later, Usage earlier) => later with { CpuSeconds = later.CpuSeconds - earlier.CpuSeconds };
}
