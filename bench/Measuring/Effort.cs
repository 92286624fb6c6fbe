namespace Mavi.Bench.Measuring;

/// <summary>How often something is measured before it is judged.</summary>
/// <param name="DiscardLeast">Rounds to discard in any case.</param>
/// <param name="DiscardMost">Rounds to discard at most while they do not settle.</param>
/// <param name="TakeLeast">Rounds to take; odd.</param>
/// <param name="TakeMost">Rounds to take at most, two more at a time, while the figure spreads too far; odd.</param>
sealed record Effort(int DiscardLeast = 2, int DiscardMost = 10, int TakeLeast = Spread.Middle, int TakeMost = 11)
{
    /// <summary>Successive rounds whose CPU time per operation differs by no more than this have settled.</summary>
    public const double Settled = 0.05;

    public static readonly Effort Quick = new(1, 1, 1, 1);

    /// <summary>Whether one more is to be taken.</summary>
    public bool IsToGoOn(int taken, Func<bool> isNoisy) => taken < TakeLeast || taken < TakeMost && (taken % 2 == 0 || isNoisy());
}
