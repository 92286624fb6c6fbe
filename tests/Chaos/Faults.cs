using System.Collections.Concurrent;
using System.Diagnostics;
using Mavi.Tests.Support;

namespace Mavi.Chaos;

/// <summary>Does what the schedule says, and puts everything back.</summary>
sealed class Faults(Installation installation, TextWriter log)
{
    static readonly TimeSpan BrokerLimit = TimeSpan.FromMinutes(3);

    readonly ConcurrentDictionary<FaultKind, int> _done = new();
    readonly Turns _database = new();
    readonly Turns _broker = new();

    public IReadOnlyDictionary<FaultKind, int> Done => _done;

    /// <summary>Processes that ended though nobody had ended them, and were started again as any supervisor would.</summary>
    public List<string> EndedByThemselves { get; } = [];

    /// <summary>Runs the schedule to its end; afterwards everything is up again.</summary>
    public async Task RunAsync(IReadOnlyList<Fault> schedule, CancellationToken stop)
    {
        var started = Stopwatch.StartNew();
        var running = new List<Task>();
        foreach (var fault in schedule)
        {
            var wait = fault.At - started.Elapsed;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, stop);
            running.Add(DoAsync(fault, stop));
        }

        await Task.WhenAll(running);
        foreach (var link in installation.Links)
            link.Open();
        foreach (var service in installation.Workers.Concat(installation.Gateways).Where(static service => service.HasEnded))
        {
            EndedByThemselves.Add(service.Name);
            service.Start();
        }
    }

    async Task DoAsync(Fault fault, CancellationToken stop)
    {
        var name = fault.Kind switch
        {
            FaultKind.WorkerKilled or FaultKind.WorkerFrozen or FaultKind.WorkerRestarted => await ToAsync(Of(installation.Workers, fault), fault),
            FaultKind.GatewayKilled or FaultKind.GatewayFrozen or FaultKind.GatewayRestarted => await ToAsync(Of(installation.Gateways, fault), fault),
            FaultKind.BrokerKilled or FaultKind.BrokerFrozen => await ToBrokerAsync(fault, stop),
            FaultKind.DatabaseKilled => await ToDatabaseAsync(fault),
            _ => await ToLinkAsync(Of(installation.Links, fault), fault),
        };
        _done.AddOrUpdate(fault.Kind, 1, static (_, count) => count + 1);
        await log.WriteLineAsync(FormattableString.Invariant($"{DateTime.UtcNow:HH:mm:ss.f} {fault.Kind} {name} over, after {fault.For.TotalSeconds:0.0} s"));
    }

    static T Of<T>(IReadOnlyList<T> all, Fault fault) => all[fault.Target % all.Count];

    static Task<string> ToAsync(Service service, Fault fault) => service.Turns.TakeAsync(async () =>
    {
        switch (fault.Kind)
        {
            case FaultKind.WorkerFrozen or FaultKind.GatewayFrozen or FaultKind.BrokerFrozen:
                await service.FreezeAsync();
                await Task.Delay(fault.For);
                await service.ThawAsync();
                break;
            case FaultKind.WorkerRestarted or FaultKind.GatewayRestarted:
                await service.EndAsync();
                await Task.Delay(fault.For);
                service.Start();
                break;
            default:
                await service.KillAsync();
                await Task.Delay(fault.For);
                service.Start();
                break;
        }

        return service.Name;
    });

    // One node at a time: two of three away is no crash of a node but an outage of the broker.
    Task<string> ToBrokerAsync(Fault fault, CancellationToken stop) => _broker.TakeAsync(async () =>
    {
        var leader = fault.Target % 2 == 0 ? await installation.Broker.LeaderAsync("mavi-task") : null;
        var node = leader ?? Of(installation.Broker.Nodes, fault);
        await ToAsync(node.Process, fault);
        await node.ReadyAsync(BrokerLimit, stop);
        return node.Name + (leader is null ? "" : ", the leader of mavi-task,");
    });

    Task<string> ToDatabaseAsync(Fault fault) => _database.TakeAsync(async () =>
    {
        await installation.CrashDatabaseAsync(fault.For);
        return "database";
    });

    static async Task<string> ToLinkAsync(Link link, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.LinkRefused:
                link.Refuse();
                break;
            case FaultKind.LinkStalled:
                link.Stall();
                break;
            default:
                link.Cut();
                return link.Name;
        }

        await Task.Delay(fault.For);
        link.Open();
        return link.Name;
    }
}
