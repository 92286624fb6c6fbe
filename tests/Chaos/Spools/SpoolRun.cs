using System.Diagnostics;
using Mavi.Tests.Support;

namespace Mavi.Chaos.Spools;

/// <summary>
/// The broker is away while callbacks keep coming; the gateway that takes them is killed twice and its disk is full once. Then the broker is back, that
/// gateway drains and is killed once more, and a second one comes back with a full spool of its own, while callbacks keep coming to the first.
/// </summary>
sealed class SpoolRun(SpoolSettings settings) : IRun
{
    const string Secret = "a-secret-of-the-spool-run";
    const int AtOnce = 64;

    static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    readonly List<(string When, int First, int Second)> _memory = [];

    public string Title => FormattableString.Invariant(
        $"Spool: the broker is away for {settings.Minutes:0.##} min, {settings.Rate} callbacks/s come to one gateway and {settings.Callbacks} at once to another.");

    public async Task<bool> ExecuteAsync(RunFolder folder, TextWriter log, CancellationToken stop)
    {
        var report = new Report(log);
        var broker = new Broker(folder, 1);
        var node = broker.Nodes[0];
        await broker.StartAsync(stop);
        var arrivals = new Arrivals(node.Amqp);
        await arrivals.ListenAsync(stop);

        // Each file takes a block of memory at least, and there are three times as many at most.
        var disk = await SmallDisk.MountAsync(folder, "spool-1", 64 + settings.Callbacks / 64);
        var (first, second) = (Gateway(folder, node, "gateway-1", disk?.Path ?? folder.In("spool-1")), Gateway(folder, node, "gateway-2", folder.In("spool-2")));
        using var senders = new Senders();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        first.Start();
        second.Start();
        await ReadyAsync(first, stop);
        await ReadyAsync(second, stop);
        var direct = await senders.FloodAsync(AddressOf(second), 'd', Math.Clamp(settings.Callbacks / 3, 1000, 10_000), AtOnce, stop);
        direct = await senders.FloodAsync(AddressOf(second), 'd', Math.Clamp(settings.Callbacks / 3, 1000, 10_000), AtOnce, stop);
        var pace = senders.PaceAsync(AddressOf(first), 'a', settings.Rate, enough.Token, stop);
        await Task.Delay(TimeSpan.FromSeconds(2), stop);
        Note("broker there", first, second);

        await node.Process.KillAsync();
        var away = Stopwatch.StartNew();
        await Task.Delay(TimeSpan.FromSeconds(1), stop);
        var spooling = await senders.FloodAsync(AddressOf(second), 'b', settings.Callbacks, AtOnce, stop);
        Note("second spool filled", first, second);
        await second.KillAsync();
        await UntilAsync(0.25, away, stop);
        await KillAsync(first, stop);
        await UntilAsync(0.45, away, stop);
        var recovered = await FillAsync(disk, senders, stop);
        await UntilAsync(0.75, away, stop);
        await KillAsync(first, stop);
        await UntilAsync(1, away, stop);
        Note("before the broker is back", first, second);
        var waiting = Depth(first);

        var outage = (From: DateTimeOffset.UtcNow - away.Elapsed + TimeSpan.FromSeconds(1), To: DateTimeOffset.UtcNow);
        node.Process.Start();
        await node.ReadyAsync(Limit, stop);
        var back = Stopwatch.StartNew();
        await Waiting.ForAsync("the first gateway to drain half its spool", () => Task.FromResult(Depth(first) < waiting / 2), Limit + settings.Away, stop);
        Note("draining", first, second);
        await KillAsync(first, stop);
        await Waiting.ForAsync("the first gateway's spool to be empty", () => Task.FromResult(Depth(first) == 0), Limit + settings.Away, stop);
        var firstEmpty = back.Elapsed;
        Note("first drained", first, second);

        var full = Depth(second);
        second.Start();
        var drained = await DrainAsync(second, stop);
        Note("second drained", first, second);
        await enough.CancelAsync();
        await pace;
        await Waiting.ForAsync("the spools to be empty", () => Task.FromResult(Depth(first) == 0 && Depth(second) == 0), Limit, stop);

        Judge(report, senders, await arrivals.TakeAsync(stop), outage);
        report.Say($"Kept on disk: {waiting} by the first gateway at {settings.Rate}/s, {full} by the second at {spooling:0}/s");
        report.Say($"Drained: the first {firstEmpty.TotalSeconds:0.0} s after the broker was back, killed once meanwhile; the second {drained:0} callbacks/s, while the first took {settings.Rate}/s");
        report.Say($"Direct: {direct:0} callbacks/s from request to queue, {AtOnce} at once");
        report.Say($"Disk: {(disk is null ? "not filled, that needs the right to mount (root)" : recovered < 0 ? "filled, but never answered 503" : $"full for a while, {senders.Unavailable} answers of 503, the last {recovered:0} ms after there was space again")}");
        foreach (var (when, one, other) in _memory)
            report.Say($"Memory, {when,-26} {one,5} MiB {other,5} MiB");
        report.Goal(disk is null || recovered is >= 0 and < 5000, $"The full disk: 503 was {(recovered < 0 ? "never answered" : $"still answered {recovered:0} ms after there was space")}.");
        report.Goal(disk is null == (senders.Unavailable == 0), $"{senders.Unavailable} answers of 503.");
        report.Figure($"drain={drained:0}/s");
        report.Figure($"direct={direct:0}/s");
        return report.Close();
    }

    static void Judge(Report report, Senders senders, IReadOnlyList<Arrival> arrivals, (DateTimeOffset From, DateTimeOffset To) outage)
    {
        var ids = arrivals.GroupBy(static arrival => arrival.TaskId).ToDictionary(static group => group.Key, static group => group.Select(static one => one.MessageId).Distinct().Count());
        var lost = senders.Answered.Keys.Count(taskId => !ids.ContainsKey(taskId));
        var different = ids.Values.Count(static count => count > 1);

        // What came while the broker was away leaves a gateway's spool in the order in which it came; what comes later goes past the spool, and earlier.
        var disordered = arrivals.DistinctBy(static arrival => arrival.TaskId).Where(arrival => arrival.ReceivedAt > outage.From && arrival.ReceivedAt < outage.To)
            .GroupBy(static arrival => arrival.TaskId[0], static arrival => arrival.ReceivedAt)
            .Sum(static times => times.Zip(times.Skip(1)).Count(static pair => pair.Second < pair.First));

        report.Say($"Callbacks: {senders.Answered.Count} answered 2xx, {senders.Unavailable} attempts answered 503, {senders.Unanswered} not answered; {arrivals.Count} events in the queue, {arrivals.Count - ids.Count} of them repeats");
        report.Goal(lost == 0, $"{lost} callbacks were answered 2xx and are in no queue.");
        report.Goal(different == 0, $"{different} callbacks are in the queue under more than one message id.");
        report.Goal(disordered == 0, $"{disordered} callbacks left a spool before one that came earlier.");
        report.Goal(senders.Others.IsEmpty, $"Other answers: {string.Join(", ", senders.Others.Select(static pair => $"{pair.Value} x {(int)pair.Key}"))}.");
        report.Figure($"answered={senders.Answered.Count}");
        report.Figure($"arrived={ids.Count}");
        report.Figure($"lost={lost}");
        report.Figure($"repeats={arrivals.Count - ids.Count}");
        report.Figure($"different_ids={different}");
        report.Figure($"out_of_order={disordered}");
    }

    /// <summary>Fills the disk of the first gateway until 503 was answered for a while; returns how long after there was space again it was answered last, in ms, or -1.</summary>
    async Task<double> FillAsync(SmallDisk? disk, Senders senders, CancellationToken stop)
    {
        if (disk is null)
            return -1;
        var before = senders.Unavailable;
        disk.Fill();
        await Waiting.ForAsync("answers of 503", () => Task.FromResult(senders.Unavailable > before), Limit, stop);
        await Task.Delay(settings.Away * 0.1, stop);
        disk.Free();
        var freed = DateTimeOffset.UtcNow;
        await Task.Delay(settings.Away * 0.1, stop);
        return Math.Max(0, (senders.LastUnavailable - freed).TotalMilliseconds);
    }

    static async Task KillAsync(Service gateway, CancellationToken stop)
    {
        await gateway.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(1), stop);
        gateway.Start();
        await ReadyAsync(gateway, stop);
    }

    /// <summary>Waits until the spool is empty; returns callbacks a second from the first one that left.</summary>
    async Task<double> DrainAsync(Service gateway, CancellationToken stop)
    {
        // A busy machine is slow; one that is slower than what comes in would never end.
        var limit = Limit + settings.Away * 2;
        var (depth, clock, left) = (Depth(gateway), Stopwatch.StartNew(), (Stopwatch?)null);
        while (clock.Elapsed < limit)
        {
            var now = Depth(gateway);
            if (now < depth)
                left ??= Stopwatch.StartNew();
            if (now == 0)
                return depth / (left ?? clock).Elapsed.TotalSeconds;
            await Task.Delay(Look, stop);
        }

        throw new TimeoutException($"Waited {limit.TotalMinutes:0} min in vain for the second gateway's spool to be empty; {Depth(gateway)} callbacks are left.");
    }

    async Task UntilAsync(double part, Stopwatch away, CancellationToken stop)
    {
        var left = settings.Away * part - away.Elapsed;
        if (left > TimeSpan.Zero)
            await Task.Delay(left, stop);
    }

    void Note(string when, Service first, Service second) => _memory.Add((when, first.ResidentMegabytes, second.ResidentMegabytes));

    static int Depth(Service gateway) => Directory.EnumerateFiles(gateway.Setting("Gateway__SpoolDirectory"), "*.callback").Count();

    static Uri AddressOf(Service gateway) => new($"{gateway.Url}/callbacks/mavi/{Secret}");

    static Task ReadyAsync(Service gateway, CancellationToken stop) => Waiting.ForAsync($"{gateway.Name} to be ready", async () =>
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        using var answer = await http.GetAsync(new Uri($"{gateway.Url}/health/ready"), stop);
        return answer.IsSuccessStatusCode;
    }, Limit, stop);

    static Service Gateway(RunFolder folder, BrokerNode node, string name, string spool) =>
        new(folder, name, "dotnet", [Path.Combine(AppContext.BaseDirectory, "Mavi.CallbackGateway.dll")], new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
            ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ",
            ["ConnectionStrings__RabbitMq"] = node.Amqp,
            ["Gateway__Secrets__0"] = Secret,
            ["Gateway__SpoolDirectory"] = spool,
        });
}
