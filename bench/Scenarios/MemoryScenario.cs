using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;

namespace Mavi.Bench.Scenarios;

/// <summary>
/// What large callbacks cost whoever runs the gateway: the most that the process holds during several bursts of them, collections and pools as they come,
/// over what it held before it had seen one. Each figure is of a process of its own.
/// </summary>
sealed class MemoryScenario : IScenario
{
    const int Bytes = 5_000_000;
    const int InFlight = 12;
    const int Bursts = 3;

    public string Name => "memory-callback";

    public string Title => $"The gateway's memory for each callback in flight, {InFlight} of 5 MB at once, as a share of the body";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        var place = await Place.MakeAsync(lab, "memory", stop);
        await using var queue = await CallbackQueue.BindAsync(place, stop);
        var body = CallbackBody.Frames(Bytes);
        var share = await lab.RepeatAsync("callbacks of 5 MB in flight", async () =>
        {
            var gateway = await LoadedGateway.StartAsync(lab, place, queue, lab.Count(1_000, 200), stop);
            var before = Accounting.Of(gateway.Id).ResidentBytes;
            Accounting.ForgetPeak(gateway.Id);
            for (var burst = 0; burst < Bursts; burst++)
            {
                await LargeCallbacks.SendTogetherAsync(gateway, body, InFlight, stop);
                await queue.EmptyAsync(InFlight, stop);
            }

            var peak = Accounting.Of(gateway.Id).PeakBytes;
            await gateway.EndAsync();
            return (double)(peak - before) / InFlight / body.Length;
        });
        yield return lab.Judge(Name, share, Goal.AtMost(2, "x the body"));
    }
}
