using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.References;
using Mavi.Bench.Reporting;
using Mavi.Chaos;

namespace Mavi.Bench.Scenarios;

/// <summary>Callbacks as fast as they are taken, splits and frames in turn, each with a task id of its own, on connections that are kept alive.</summary>
sealed class GatewayScenario : IScenario
{
    const int Connections = 32;

    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    public string Name => "gateway";

    public string Title => $"Own and broker CPU for each callback, and callbacks a second on {Connections} connections, against a gateway on Kestrel and RabbitMQ.Client alone";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        var servers = await lab.ServersAsync(stop);
        var (subjectPlace, referencePlace) = (await Place.MakeAsync(lab, "gateway", stop), await Place.MakeAsync(lab, "raw", stop));
        var (gateway, raw) = (subjectPlace.Gateway(lab), lab.Role(RawGateway.Role, RawGateway.Settings(referencePlace)));
        await using var subjectQueue = await CallbackQueue.BindAsync(subjectPlace, stop);
        await using var referenceQueue = await CallbackQueue.BindAsync(referencePlace, stop);
        foreach (var service in new[] { gateway, raw })
        {
            service.Start();
            await HttpProbe.UntilReadyAsync(service, StartLimit, stop);
        }

        // So many that a round takes at least a second of CPU time, of which the system counts hundredths.
        foreach (var (label, bytes, count) in new[] { ("1kb", 1024, lab.Count(10_000, 500)), ("20kb", 20 * 1024, lab.Count(5_000, 200)) })
        {
            CallbackBody[] bodies = [CallbackBody.Split(bytes), CallbackBody.Frames(bytes)];
            using var subjectLoad = await CallbackLoad.ConnectAsync(gateway, Connections, bodies, stop);
            using var referenceLoad = await CallbackLoad.ConnectAsync(raw, Connections, bodies, stop);
            var comparison = await lab.CompareAsync(
                $"callbacks of {bytes} bytes",
                SideOf(gateway, servers, subjectLoad, subjectQueue, count), SideOf(raw, servers, referenceLoad, referenceQueue, count),
                lab.Effort, [Cpu, PerSecond], stop);
            yield return lab.Judge($"gateway-cpu-{label}", comparison.Ratio(Cpu), Goal.AtMost(1.10));
            yield return lab.Judge($"gateway-requests-{label}", comparison.Ratio(PerSecond), Goal.AtLeast(0.90));
        }
    }

    static double Cpu(Round round) => round.CpuPer10k(round.Own, round.Broker);

    static double PerSecond(Round round) => round.PerSecond;

    static Side SideOf(Service service, Servers servers, CallbackLoad load, CallbackQueue queue, int count) => new(service.Name, async stop =>
    {
        var round = await new Meter([service], servers).MeasureAsync(() => load.SendAsync(count, stop), stop);
        await queue.EmptyAsync(count, stop);
        return round;
    });
}
