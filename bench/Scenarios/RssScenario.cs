using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Bench.Scenarios;

/// <summary>What the gateway holds at the end of a steady load, before it has had time to give anything back. Each figure is of a process of its own.</summary>
sealed class RssScenario : IScenario
{
    public string Name => "rss";

    public string Title => "The gateway's memory after 10,000 callbacks";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        var place = await Place.MakeAsync(lab, "rss", stop);
        await using var queue = await CallbackQueue.BindAsync(place, stop);
        var resident = await lab.RepeatAsync("the gateway's memory", async () =>
        {
            var gateway = await LoadedGateway.StartAsync(lab, place, queue, lab.Count(10_000, 500), stop);
            var held = Accounting.Of(gateway.Id).ResidentMebibytes;
            await gateway.EndAsync();
            return held;
        });
        yield return lab.Judge("rss-gateway", resident, Goal.AtMost(100, " MiB"));
    }
}
