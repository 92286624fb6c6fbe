using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Tests.BenchTests;

/// <summary>When a figure is judged, and how.</summary>
public sealed class JudgingTests
{
    static readonly Goal Goal = Goal.AtMost(1.10);

    [Theory]
    [InlineData(true, 1.00, 1.02, 1.05, 1.08, 1.10)]
    [InlineData(true, 1.08, 1.08, 1.10, 1.11, 1.11)]
    [InlineData(false, 1.09, 1.09, 1.11, 1.11, 1.12)]
    public void A_quiet_figure_is_judged_by_its_median(bool holds, params double[] values) => Assert.Equal(holds, Judge(values).Holds);

    [Fact]
    public void A_figure_that_spreads_over_15_percent_is_not_judged_and_says_why()
    {
        var row = Judge(0.90, 0.98, 1.00, 1.02, 1.06);
        Assert.Null(row.Holds);
        Assert.Equal(1.00, row.Value);
        Assert.Contains("too noisy", row.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 2.0, 3.0, 5.0)]
    [InlineData(false, 51.0, 70.0, 90.0)]
    [InlineData(null, 40.0, 48.0, 60.0)]
    public void A_figure_of_no_reference_is_judged_however_it_spreads_where_it_is_on_one_side_of_its_goal(bool? holds, params double[] values) =>
        Assert.Equal(holds, Row.Of("figure", new Spread(values), Goal.AtMost(50, " ms"), isQuick: false).Holds);

    [Fact]
    public void More_values_push_outliers_out_of_the_spread_but_not_out_of_the_row()
    {
        var row = Judge(0.50, 1.00, 1.01, 1.02, 1.03, 1.04, 3.00);
        Assert.True(row.Holds);
        Assert.Contains("0.50 to 3.00 in 7", row.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quick_run_judges_nothing() => Assert.Null(Row.Of("figure", new Spread([1.0]), Goal, isQuick: true).Holds);

    [Fact]
    public void At_least_is_the_other_way_round()
    {
        Assert.True(Goal.AtLeast(0.90).IsReachedBy(0.90));
        Assert.False(Goal.AtLeast(0.90).IsReachedBy(0.89));
    }

    [Theory]
    [InlineData(5, 1.00, 1.01, 1.02, 1.03, 1.04)]
    [InlineData(7, 1.00, 1.00, 1.00, 1.00, 2.00, 1.00, 1.00)]
    [InlineData(11, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0)]
    public async Task Two_more_are_taken_while_the_figure_spreads_up_to_eleven(int taken, params double[] values)
    {
        var next = 0;
        var spread = await Spread.TakeAsync(new Effort(), () => Task.FromResult(values[next++]));
        Assert.Equal(taken, spread.Count);
    }

    static Row Judge(params double[] values) => Row.Of("figure", new Spread(values), Goal, isQuick: false);
}
