using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Bench.Scenarios;

/// <summary>Memory of worker and gateway after 10,000 whole requests, as fast as they go, and after 50,000.</summary>
sealed class FootprintScenario : IScenario
{
    const int Samples = 5;

    public string Name => "footprint";

    public string Title => "RSS of the worker after 10,000 requests, and how it and the gateway's grow until 50,000";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var pipeline = await Pipeline.StartAsync(lab, await Place.MakeAsync(lab, "footprint", stop), "footprint", stop);
        var (first, last) = (lab.Count(10_000, 200), lab.Count(50_000, 400));
        var early = await SampleAsync(lab, pipeline, first, first, stop);
        yield return lab.Judge("rss-worker", early.Worker, Goal.AtMost(130, " MiB"));

        var late = await SampleAsync(lab, pipeline, last - first, first, stop);
        yield return lab.Judge("rss-growth-gateway", Growth(early.Gateway, late.Gateway), Goal.AtMost(3, " %"));
        yield return lab.Judge("rss-growth-worker", Growth(early.Worker, late.Worker), Goal.AtMost(3, " %"));
    }

    /// <summary>So many requests, and the memory at five moments within the last of them: what one garbage collection more or less makes of it is no growth.</summary>
    static async Task<(Spread Gateway, Spread Worker)> SampleAsync(Lab lab, Pipeline pipeline, int count, int lastOnes, CancellationToken stop)
    {
        if (count > lastOnes)
            await pipeline.RunAsync(count - lastOnes, double.PositiveInfinity, stop);
        var (gateway, worker) = (new List<double>(), new List<double>());
        for (var sample = 0; sample < Samples; sample++)
        {
            await pipeline.RunAsync(lastOnes / Samples, double.PositiveInfinity, stop);
            gateway.Add(Accounting.Of(pipeline.Gateway.Id).ResidentMebibytes);
            worker.Add(Accounting.Of(pipeline.Worker.Id).ResidentMebibytes);
        }

        lab.Say($"gateway {string.Join(' ', gateway.Select(static value => $"{value:0}"))} MiB, worker {string.Join(' ', worker.Select(static value => $"{value:0}"))} MiB");
        return (new(gateway), new(worker));
    }

    static Spread Growth(Spread early, Spread late) => new([(late.Median / early.Median - 1) * 100]);
}
