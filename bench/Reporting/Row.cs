using System.Globalization;
using Mavi.Bench.Measuring;

namespace Mavi.Bench.Reporting;

/// <summary>A bound for a figure; the unit follows the number, <c>x</c> for a ratio, any other with a blank before it.</summary>
sealed record Goal(bool IsUpper, double Bound, string Unit)
{
    public static Goal AtMost(double bound, string unit = "x") => new(true, bound, unit);

    public static Goal AtLeast(double bound, string unit = "x") => new(false, bound, unit);

    public bool IsReachedBy(double value) => IsUpper ? value <= Bound : value >= Bound;

    /// <summary>Whether the figure reaches it; null where it spreads too far to say. A figure of no reference that is on one side of the bound each time can be told, however it spreads.</summary>
    public bool? IsReachedBy(Spread figure) => !figure.IsNoisy ? IsReachedBy(figure.Median)
        : Unit == "x" || IsReachedBy(figure.Least) != IsReachedBy(figure.Greatest) ? null
        : IsReachedBy(figure.Median);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsUpper ? "<=" : ">=")} {Bound:0.00##}{Unit}");
}

/// <summary>
/// A row of the table: a figure (null where it could not be measured), what it should be, and whether it is, null where that cannot be said. The note
/// says why, and how far the figure spread.
/// </summary>
sealed record Row(string Name, double? Value, string Goal, bool? Holds, string Note)
{
    /// <summary>Judges a figure, unless it spreads too far or was taken in too short a run.</summary>
    public static Row Of(string name, Spread figure, Goal goal, bool isQuick) => new(
        name, figure.Median, $"{goal}", isQuick ? null : goal.IsReachedBy(figure),
        string.Create(CultureInfo.InvariantCulture, $"{figure.Least:0.00##} to {figure.Greatest:0.00##} in {figure.Count}")
        + (isQuick ? "; a quick run, not to be judged"
            : figure.IsNoisy && goal.IsReachedBy(figure) is null ? string.Create(CultureInfo.InvariantCulture, $"; spread {figure.Relative:0 %}, over {Spread.Most:0 %}: the machine is too noisy to judge")
            : ""));

    /// <summary>What could not be measured does not hold.</summary>
    public static Row Failed(string name, string why) => new(name, null, "to be measured", false, why);
}
