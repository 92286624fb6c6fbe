using System.Diagnostics;
using Mavi.Chaos;

namespace Mavi.Bench.Measuring;

/// <summary>What some processes of ours, the broker and the database use while something is done; each may be left out.</summary>
sealed class Meter(IReadOnlyList<Service> own, Servers? servers = null)
{
    static readonly TimeSpan QuietFor = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan QuietWithin = TimeSpan.FromSeconds(30);
    const double QuietCpuSeconds = 0.03;

    /// <summary>
    /// Does it once; <paramref name="operations"/> returns how long each operation took, in milliseconds. It begins when all of them are quiet, and what they
    /// use until they are quiet again counts, because work that is put off is work all the same.
    /// </summary>
    /// <exception cref="TimeoutException">They do not come to rest.</exception>
    public async Task<Round> MeasureAsync(Func<Task<IReadOnlyList<double>>> operations, CancellationToken stop)
    {
        await QuietAsync(stop);
        var (ownBefore, brokerBefore, databaseBefore) = Read();
        var watch = Stopwatch.StartNew();
        var milliseconds = await operations();
        var seconds = watch.Elapsed.TotalSeconds;
        await QuietAsync(stop);
        var (ownAfter, brokerAfter, databaseAfter) = Read();
        return new Round(milliseconds, seconds, ownAfter - ownBefore, brokerAfter - brokerBefore, databaseAfter - databaseBefore);
    }

    async Task QuietAsync(CancellationToken stop)
    {
        var waited = Stopwatch.StartNew();
        for (var last = Cpu(); ;)
        {
            await Task.Delay(QuietFor, stop);
            var now = Cpu();
            if (now - last <= QuietCpuSeconds)
                return;
            if (waited.Elapsed > QuietWithin)
                throw new TimeoutException($"Nothing was asked of them, and yet the processes used {now - last:0.00} s of CPU time in {QuietFor.TotalSeconds:0.0} s for {QuietWithin.TotalSeconds:0} s.");
            last = now;
        }

        double Cpu()
        {
            var (ownNow, brokerNow, databaseNow) = Read();
            return ownNow.CpuSeconds + brokerNow.CpuSeconds + databaseNow.CpuSeconds;
        }
    }

    (Usage Own, Usage Broker, Usage Database) Read() => (
        own.Aggregate(default(Usage), static (sum, service) => sum + Accounting.Of(service.Id)),
        servers is null ? default : servers.Broker.Nodes.Aggregate(default(Usage), static (sum, node) => sum + Accounting.Of(node.Process.Id)),
        servers is null ? default : Accounting.Of(servers.Database.ProcessId));
}
