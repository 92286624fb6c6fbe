using System.Diagnostics;
using System.Text;
using Mavi.Bench.References;
using Mavi.Chaos;

namespace Mavi.Bench.Loads;

/// <summary>A worker and a gateway at work, each a process: from a command in its queue to the outcome delivered, against a Mavi that answers at once.</summary>
sealed class Pipeline : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    static readonly string[] Outcomes = ["SplitVideoSucceeded", "SplitVideoFailed", "ExtractFramesSucceeded", "ExtractFramesFailed"];

    readonly Bus _bus;
    readonly QuickMavi _mavi;
    readonly Arrivals _arrivals;
    readonly Service _worker;
    readonly Service _gateway;
    int _begun;

    Pipeline(Bus bus, QuickMavi mavi, Arrivals arrivals, Service worker, Service gateway) =>
        (_bus, _mavi, _arrivals, _worker, _gateway) = (bus, mavi, arrivals, worker, gateway);

    public IReadOnlyList<Service> Own => [_worker, _gateway];

    public Service Worker => _worker;

    public Service Gateway => _gateway;

    /// <summary>Starts both; the account's rate is far above what is asked for.</summary>
    public static Task<Pipeline> StartAsync(Lab lab, Place place, string name, CancellationToken stop) => StartAsync(
        place, place.Gateway(lab, $"gateway-{name}"),
        mavi => place.Worker(lab, mavi, new Dictionary<string, string> { ["Mavi__RequestsPerSecond"] = "1000" }, $"worker-{name}"), stop);

    /// <summary>The same of the two references.</summary>
    public static Task<Pipeline> StartBareAsync(Lab lab, Place place, CancellationToken stop) => StartAsync(
        place, lab.Role(RawGateway.Role, RawGateway.Settings(place)), mavi => lab.Role(BareWorker.Role, BareWorker.Settings(place, mavi)), stop);

    static async Task<Pipeline> StartAsync(Place place, Service gateway, Func<string, Service> workerOn, CancellationToken stop)
    {
        gateway.Start();
        var mavi = await QuickMavi.StartAsync(gateway, stop);
        var worker = workerOn(mavi.Url);
        worker.Start();
        foreach (var service in new[] { gateway, worker })
            await HttpProbe.UntilReadyAsync(service, Limit, stop);
        var bus = await Bus.ConnectAsync(place.Amqp, stop);
        return new(bus, mavi, await bus.ListenAsync(Outcomes, stop), worker, gateway);
    }

    /// <summary>Publishes commands at an even pace, half of them of each operation, and waits for their outcomes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="perSecond">How many a second.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>From the moment in which each callback left to that in which its outcome was delivered, in milliseconds.</returns>
    public async Task<IReadOnlyList<double>> RunAsync(int count, double perSecond, CancellationToken stop)
    {
        var before = _mavi.CalledBack.Keys.ToHashSet();
        var confirms = new List<Task>(count);
        var watch = Stopwatch.StartNew();
        for (var number = 0; number < count; number++)
        {
            var ahead = TimeSpan.FromSeconds(number / perSecond) - watch.Elapsed;
            if (ahead > TimeSpan.Zero)
                await Task.Delay(ahead, stop);
            var command = $$"""{"requestId":"{{Guid.NewGuid()}}","assetId":"re_7{{Random.Shared.NextInt64(100_000_000_000_000_000):D17}}"}""";
            confirms.Add(_bus.PublishAsync(number % 2 == 0 ? "SplitVideoRequested" : "ExtractFramesRequested", "application/json", Encoding.UTF8.GetBytes(command), stop).AsTask());
        }

        await Task.WhenAll(confirms);
        _begun += count;
        await _arrivals.UntilAsync(_begun, Limit, stop);
        if (_mavi.Refused > 0 || _mavi.CalledBack.Count != _begun)
            throw new InvalidOperationException($"Of {_begun} requests {_mavi.CalledBack.Count} reached Mavi, and {_mavi.Refused} callbacks were refused; expected each once: see the logs.");
        return [.. _mavi.CalledBack.Where(pair => !before.Contains(pair.Key)).Select(pair => Stopwatch.GetElapsedTime(pair.Value, _arrivals.At[pair.Key]).TotalMilliseconds)];
    }

    public async ValueTask DisposeAsync()
    {
        await _bus.DisposeAsync();
        await _mavi.DisposeAsync();
        foreach (var service in Own)
            await service.EndAsync();
    }
}
