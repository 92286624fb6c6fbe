using System.Diagnostics;
using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Bench.Scenarios;

/// <summary>
/// From the moment a callback leaves Mavi to that in which its outcome is delivered, at 30 % of what this machine can do; then, not judged, the same at the same pace
/// through what is written by hand.
/// </summary>
sealed class LatencyScenario : IScenario
{
    const double Load = 0.3;

    public string Name => "latency";

    public string Title => "Callback arrival to outcome delivered, at 30 % of the most requests a second";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var pipeline = await Pipeline.StartAsync(lab, await Place.MakeAsync(lab, "latency", stop), "latency", stop);
        var count = lab.Count(3000, 200);
        await pipeline.RunAsync(count, double.PositiveInfinity, stop);
        var watch = Stopwatch.StartNew();
        await pipeline.RunAsync(count, double.PositiveInfinity, stop);
        var most = count / watch.Elapsed.TotalSeconds;
        lab.Say($"{most:0} requests/s at most");

        var taken = await RoundsAsync("worker and gateway", pipeline);
        yield return lab.Judge("latency-p99-to-p50", new Spread(taken.Select(static round => round.P99 / round.P50)), Goal.AtMost(3));
        yield return lab.Judge("latency-p99", new Spread(taken.Select(static round => round.P99)), Goal.AtMost(8, " ms"));

        await using var bare = await Pipeline.StartBareAsync(lab, await Place.MakeAsync(lab, "bare", stop), stop);
        await bare.RunAsync(count, double.PositiveInfinity, stop);
        await RoundsAsync("by hand, nothing goes wrong", bare);

        async Task<IReadOnlyList<Round>> RoundsAsync(string who, Pipeline side)
        {
            var meter = new Meter(side.Own, await lab.ServersAsync(stop));
            return await lab.RoundsAsync(
                $"callback to outcome at {most * Load:0} requests/s, 30 % of {most:0}", who,
                () => meter.MeasureAsync(() => side.RunAsync(lab.Count(1000, 100), most * Load, stop), stop));
        }
    }
}
