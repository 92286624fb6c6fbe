using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Bench.Scenarios;

/// <summary>
/// CPU time of a whole request. There is nothing to compare it with: rounds of one side alone, judged by their own spread. As fast as they go, and, not judged,
/// at a pace at which each request wakes processes that sleep.
/// </summary>
sealed class RequestScenario : IScenario
{
    const double Pace = 100;

    public string Name => "request";

    public string Title => "A whole request: command, ledger, POST, callback, join, outcome, in separate processes";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var pipeline = await Pipeline.StartAsync(lab, await Place.MakeAsync(lab, "request", stop), "request", stop);
        var meter = new Meter(pipeline.Own, await lab.ServersAsync(stop));
        var rounds = await RoundsAsync("as fast as they go", lab.Count(2000, 100), double.PositiveInfinity);
        yield return lab.Judge("request-cpu-own", new Spread(rounds.Select(static round => round.CpuPer10k(round.Own) / 10)), Goal.AtMost(0.6, " ms"));
        yield return lab.Judge("request-cpu-all", new Spread(rounds.Select(static round => round.CpuPer10k(round.Own, round.Broker, round.Database) / 10)), Goal.AtMost(1.3, " ms"));

        await RoundsAsync($"{Pace} a second", lab.Count(500, 50), Pace);

        Task<IReadOnlyList<Round>> RoundsAsync(string how, int count, double pace) => lab.RoundsAsync(
            $"whole requests, {how}", "worker and gateway", () => meter.MeasureAsync(() => pipeline.RunAsync(count, pace, stop), stop));
    }
}
