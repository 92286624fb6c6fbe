using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Bench.Scenarios;

/// <summary>
/// CPU time of a whole request, as fast as they go; beside it, not judged, what the same takes where it is written by hand on the same libraries for days on which
/// nothing goes wrong, and what a request takes at a pace at which each wakes processes that sleep.
/// </summary>
sealed class RequestScenario : IScenario
{
    const double Pace = 100;

    public string Name => "request";

    public string Title => "A whole request: command, ledger, POST, callback, join, outcome, in separate processes";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var pipeline = await Pipeline.StartAsync(lab, await Place.MakeAsync(lab, "request", stop), "request", stop);
        await using var bare = await Pipeline.StartBareAsync(lab, await Place.MakeAsync(lab, "bare", stop), stop);
        var servers = await lab.ServersAsync(stop);
        var count = lab.Count(2000, 100);
        var comparison = await lab.CompareAsync(
            "whole requests, as fast as they go", SideOf("worker and gateway", pipeline), SideOf("by hand, nothing goes wrong", bare), lab.Effort, [Own, All], stop);
        yield return lab.Judge("request-cpu-own", new Spread(comparison.SubjectRounds.Select(Own)), Goal.AtMost(0.6, " ms"));
        yield return lab.Judge("request-cpu-all", new Spread(comparison.SubjectRounds.Select(All)), Goal.AtMost(1.3, " ms"));
        lab.Print($"Of what is written by hand: {comparison.Ratio(Own).Median:0.00}x own, {comparison.Ratio(All).Median:0.00}x in all.\n");

        var meter = new Meter(pipeline.Own, servers);
        await lab.RoundsAsync(
            $"whole requests, {Pace} a second", "worker and gateway", () => meter.MeasureAsync(() => pipeline.RunAsync(lab.Count(500, 50), Pace, stop), stop));

        Side SideOf(string name, Pipeline side)
        {
            var own = new Meter(side.Own, servers);
            return new(name, token => own.MeasureAsync(() => side.RunAsync(count, double.PositiveInfinity, token), token));
        }
    }

    static double Own(Round round) => round.CpuPer10k(round.Own) / 10;

    static double All(Round round) => round.CpuPer10k(round.Own, round.Broker, round.Database) / 10;
}
