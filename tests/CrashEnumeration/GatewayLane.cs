using System.Diagnostics;
using Mavi.Contracts;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>A story of callbacks and the gateway they come to.</summary>
/// <param name="Name">A sentence.</param>
/// <param name="UsesSpool">The steps of its spool are points too, which takes a trace of its system calls.</param>
/// <param name="Play">What Mavi and the broker do.</param>
sealed record GatewayHistory(string Name, bool UsesSpool, Func<GatewayLane, Task> Play);

/// <summary>The lane of a history of the gateway: a broker with a subscriber, a spool, and the gateway, started again when it has died.</summary>
sealed class GatewayLane(GatewayHistory history) : ILane
{
    const string Heard = "heard";

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(30);

    readonly TemporaryFolder _folder = new();
    readonly Dictionary<string, string> _answered = [];
    GatewayVictim _gateway = null!;
    AmqpClient _bus = null!;
    string _broker = "";
    bool _brokerIsAway;

    public static IReadOnlyList<GatewayHistory> All { get; } =
    [
        new("A callback is published", UsesSpool: false, static lane => lane.CallBackAsync("one")),
        new("Callbacks are spooled while the broker is away, and drained when it is back", UsesSpool: true, static async lane =>
        {
            lane.BrokerGoes();
            await lane.CallBackAsync("one");
            await lane.CallBackAsync("two");
            lane.BrokerComes();
        }),
    ];

    public static async Task<ILane> StartAsync(GatewayHistory history)
    {
        var lane = new GatewayLane(history);
        await lane.StartAsync();
        return lane;
    }

    public Task LearnAsync() => Task.CompletedTask;

    public async Task<(string End, IReadOnlyList<Point> Points, bool Died)> RunAsync(Death? death)
    {
        _answered.Clear();
        await UntilAsync("the gateway to be connected", () => Task.FromResult(_gateway.IsConnected));
        if (history.UsesSpool)
            await _gateway.TraceAsync();
        var dying = _gateway.Watch;
        dying.Arm(death);
        await history.Play(this);
        var end = await EndAsync();
        return (end, dying.Points, dying.IsDead);
    }

    /// <summary>A callback as Mavi sends it: again and again until it is answered 200.</summary>
    public async Task CallBackAsync(string task)
    {
        var body = CallbackBodies.Split($"{task}-{_answered.Count}-{Guid.NewGuid():N}");
        await UntilAsync($"callback {task} to be answered", () => _gateway.TakesAsync(body));
        _answered[body] = task;
    }

    public void BrokerGoes() => _gateway.BrokerIsAway = _brokerIsAway = true;

    public void BrokerComes() => _gateway.BrokerIsAway = _brokerIsAway = false;

    public async Task StartOverAsync()
    {
        await EndAllAsync();
        foreach (var file in Directory.EnumerateFiles(_folder.Spool))
            File.Delete(file);
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAllAsync();
        _folder.Dispose();
    }

    async Task EndAllAsync()
    {
        await _gateway.DisposeAsync();
        await _bus.DisposeAsync();
    }

    async Task StartAsync()
    {
        _brokerIsAway = false;
        _broker = await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync();
        _bus = await AmqpClient.ConnectAsync(_broker);
        await _bus.BindQueueAsync<VideoSplitCompleted>(Heard);
        _gateway = await GatewayVictim.StartAsync(_broker, _folder.Spool, _brokerIsAway);
    }

    /// <summary>What keeps a service running: when it has died, a new one is started on its spool.</summary>
    async Task RaiseAsync()
    {
        if (!_gateway.Watch.IsDead)
            return;
        await _gateway.DisposeAsync();
        _gateway = await GatewayVictim.StartAsync(_broker, _folder.Spool, _brokerIsAway);
    }

    async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Interval);
        while (!await condition())
        {
            if (waited.Elapsed > Limit)
                throw new WrongEndException($"it waited in vain for {what}; in the spool: {string.Join(", ", Spooled)}");
            await RaiseAsync();
            await timer.WaitForNextTickAsync();
        }
    }

    IEnumerable<string> Spooled => Directory.EnumerateFiles(_folder.Spool).Select(static path => Path.GetFileName(path)).Where(static name => name.Contains("callback", StringComparison.Ordinal));

    /// <summary>Every callback that was answered is in the queue, under one id however often; nothing is in the spool.</summary>
    async Task<string> EndAsync()
    {
        var ids = new Dictionary<string, HashSet<Guid>>();
        var quiet = 0;
        await UntilAsync("every callback to arrive and the spool to be empty", async () =>
        {
            for (var left = await _bus.CountAsync(Heard); left > 0; left--)
            {
                var message = await _bus.TakeAsync(Heard);
                var task = message.Read<VideoSplitCompleted>().TaskId;
                (ids.TryGetValue(task, out var seen) ? seen : ids[task] = []).Add(message.MessageId);
            }

            quiet = ids.Count >= _answered.Count && !_gateway.Watch.IsDead && !Spooled.Any() ? quiet + 1 : 0;
            return quiet == 3;
        });
        return string.Join(", ", ids.Select(static pair => $"callback {pair.Key.Split('-')[0]} under {pair.Value.Count} id").Order());
    }
}
