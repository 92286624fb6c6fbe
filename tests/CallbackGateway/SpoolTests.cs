using System.Net;
using Mavi.CallbackGateway;
using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

/// <summary>Callbacks that no queue can take: kept on disk, and brought to their queues later as if nothing had been.</summary>
public sealed class SpoolTests
{
    static readonly string NobodyListens = $"amqp://guest:guest@127.0.0.1:{FreePorts.Next()}/";

    [Fact]
    public async Task Without_a_queue_callbacks_wait_in_the_spool_until_one_is_bound_and_do_not_hold_up_others()
    {
        await using var bus = await GatewayBus.CreateAsync();
        var logs = new LogLines();
        await using var gateway = await GatewayHost.StartAsync(bus.Address, logs: logs);
        var bodies = Enumerable.Range(0, 5).Select(number => CallbackBodies.Split($"task-{number}")).ToArray();
        foreach (var body in bodies)
            Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(body));
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Frames("frames")));
        Assert.Equal(6, gateway.SpoolDepth);
        Assert.Equal(6, gateway.Counted("mavi.gateway.spool.depth"));
        Assert.Equal(5, gateway.Counted("mavi.gateway.callbacks.taken{event=VideoSplitCompleted,kept=InSpool}"));
        Assert.Contains("\"depth\":6", await gateway.ReadyAsync(), StringComparison.Ordinal);

        await bus.BindAsync<FramesExtracted>();
        Assert.Equal("frames", (await bus.TakeAsync<FramesExtracted>()).Read<FramesExtracted>().TaskId);
        Assert.Single(logs.All, line => line.Contains("No queue is bound to the exchange Mavi.Contracts:VideoSplitCompleted", StringComparison.Ordinal));

        await bus.BindAsync<VideoSplitCompleted>();
        for (var number = 0; number < bodies.Length; number++)
        {
            var message = await bus.TakeAsync<VideoSplitCompleted>();
            Assert.Equal($"task-{number}", message.Read<VideoSplitCompleted>().TaskId);
            Assert.Equal(CallbackBodies.MessageId<VideoSplitCompleted>($"task-{number}", bodies[number]), message.MessageId);
        }

        await Eventually.TrueAsync("the spool to be empty", () => gateway.SpoolDepth == 0);
        await Eventually.TrueAsync("the drained to be counted", () => gateway.Counted("mavi.gateway.spool.drained{event=VideoSplitCompleted}") == 5);
        Assert.Equal(0, await bus.CountAsync());
    }

    [Fact]
    public async Task A_restarted_gateway_drains_in_order_what_the_last_one_kept_and_repeats_carry_the_same_id()
    {
        using var folder = new TemporaryFolder();
        var spool = folder.Spool;
        var kept = new Dictionary<string, byte[]>();
        var before = DateTimeOffset.UtcNow;
        await using (var cutOff = await GatewayHost.StartAsync(NobodyListens, spool))
        {
            for (var number = 0; number < 20; number++)
                Assert.Equal(HttpStatusCode.OK, await cutOff.PostAsync(CallbackBodies.Split($"task-{number}")));
            Assert.Contains("\"broker\":\"away\"", await cutOff.ReadyAsync(), StringComparison.Ordinal);
            foreach (var file in Directory.EnumerateFiles(spool, "*.callback"))
                kept.Add(file, await File.ReadAllBytesAsync(file));
        }

        Assert.Equal(20, kept.Count);
        var after = DateTimeOffset.UtcNow;
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        var (first, second) = (new List<string>(), new List<string>());
        await using (await GatewayHost.StartAsync(bus.Address, spool))
        {
            for (var number = 0; number < 20; number++)
            {
                var message = await bus.TakeAsync<VideoSplitCompleted>();
                var split = message.Read<VideoSplitCompleted>();
                Assert.Equal($"task-{number}", split.TaskId);
                Assert.Equal(CallbackBodies.MessageId<VideoSplitCompleted>(split.TaskId, CallbackBodies.Split(split.TaskId)), message.MessageId);
                Assert.InRange(split.ReceivedAt, before.AddMilliseconds(-1), after);
                first.Add($"{message.MessageId} {message.Message}");
            }
        }

        // As if the process had died between the confirm and the deletion.
        foreach (var (file, body) in kept)
            await File.WriteAllBytesAsync(file, body);
        await using (await GatewayHost.StartAsync(bus.Address, spool))
        {
            for (var number = 0; number < 20; number++)
            {
                var message = await bus.TakeAsync<VideoSplitCompleted>();
                second.Add($"{message.MessageId} {message.Message}");
            }
        }

        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Files_that_cannot_be_understood_are_moved_aside_and_the_rest_goes_on()
    {
        using var folder = new TemporaryFolder();
        var spool = folder.Spool;
        await using (var cutOff = await GatewayHost.StartAsync(NobodyListens, spool))
        {
            await cutOff.PostAsync(CallbackBodies.Split("damaged"));
            await cutOff.PostAsync(CallbackBodies.Split("half-written"));
            await cutOff.PostAsync(CallbackBodies.Split("written-but-not-renamed"));
            await cutOff.PostAsync(CallbackBodies.Split("whole"));
        }

        var files = Directory.GetFiles(spool, "*.callback").Order(StringComparer.Ordinal).ToArray();
        await File.AppendAllTextAsync(files[0], "x");
        await File.WriteAllTextAsync(files[1] + ".part", (await File.ReadAllTextAsync(files[1]))[..10]);
        File.Delete(files[1]);
        File.Move(files[2], files[2] + ".part");
        await File.WriteAllTextAsync(Path.Combine(spool, "notes.txt"), "not a callback");
        await File.WriteAllTextAsync(Path.Combine(spool, "20260101T000000000Z-0000000001-abc.callback"), "{}");
        // A file that cannot even be opened; rights would not stop root.
        var unreadable = Path.Combine(spool, $"20260101T000000000Z-0000000001-{new string('a', 64)}.callback");
        File.CreateSymbolicLink(unreadable, unreadable);

        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        var logs = new LogLines();
        await using var gateway = await GatewayHost.StartAsync(bus.Address, spool, logs);

        Assert.Equal("written-but-not-renamed", (await bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
        Assert.Equal("whole", (await bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
        await Eventually.TrueAsync("only the unreadable one to remain", () => gateway.SpoolDepth == 1);
        Assert.Single(logs.All, line => line.Contains("cannot be read, it waits in the spool", StringComparison.Ordinal));
        var rejected = Directory.GetFiles(Path.Combine(spool, "rejected"));
        Assert.Equal(4, rejected.Length);
        Assert.Contains(rejected, path => File.ReadAllText(path) == CallbackBodies.Split("damaged") + "x");
        Assert.Equal(4, logs.All.Count(line => line.StartsWith("Error Mavi.CallbackGateway.Spooling.Spool:", StringComparison.Ordinal)));
        Assert.Equal(4, gateway.Counted("mavi.gateway.spool.rejected"));
        Assert.Equal(0, await bus.CountAsync());
    }

    [Fact]
    public async Task Events_that_the_broker_refuses_wait_and_do_not_hold_up_the_rest()
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindFullAsync<VideoSplitCompleted>();
        await using var gateway = await GatewayHost.StartAsync(bus.Address);
        for (var number = 0; number < 4; number++)
            Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split($"refused-{number}")));
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Frames("no queue yet")));
        Assert.Equal(5, gateway.SpoolDepth);

        await bus.BindAsync<FramesExtracted>();
        Assert.Equal("no queue yet", (await bus.TakeAsync<FramesExtracted>()).Read<FramesExtracted>().TaskId);
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Frames("direct")));
        Assert.Equal("direct", (await bus.TakeAsync<FramesExtracted>()).Read<FramesExtracted>().TaskId);
        Assert.Equal(4, gateway.SpoolDepth);

        await bus.BindAsync<VideoSplitCompleted>();
        await bus.UnbindFullAsync<VideoSplitCompleted>();
        await Eventually.TrueAsync("the spool to be empty", () => gateway.SpoolDepth == 0);
    }

    [Fact]
    public async Task An_event_that_ends_the_channel_costs_nobody_its_callback_and_its_exchange_is_declared_again()
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        await using var gateway = await GatewayHost.StartAsync(bus.Address);
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("before")));
        await bus.DeleteExchangeAsync<FramesExtracted>();

        // The broker closes the channel on which an event comes for an exchange that is not there, and answers nothing else that is under way on it.
        var posts = Enumerable.Range(0, 40).Select(number => gateway.PostAsync(number % 10 == 5 ? CallbackBodies.Frames($"task-{number}") : CallbackBodies.Split($"task-{number}")));
        Assert.All(await Task.WhenAll(posts), status => Assert.Equal(HttpStatusCode.OK, status));

        await bus.BindAsync<FramesExtracted>();
        await Eventually.TrueAsync("the spool to be empty", () => gateway.SpoolDepth == 0);
        var arrived = new HashSet<string>();
        for (var left = await bus.CountAsync<VideoSplitCompleted>(); left > 0; left--)
            arrived.Add((await bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
        for (var left = await bus.CountAsync<FramesExtracted>(); left > 0; left--)
            arrived.Add((await bus.TakeAsync<FramesExtracted>()).Read<FramesExtracted>().TaskId);
        Assert.Superset(Enumerable.Range(0, 40).Select(number => $"task-{number}").ToHashSet(), arrived);
    }

    [Fact]
    public async Task Only_when_broker_and_disk_both_fail_the_answer_is_503()
    {
        await using var gateway = await GatewayHost.StartAsync(NobodyListens, settings: ["--Gateway:PublishTimeout", "00:00:00.2"]);
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("kept")));

        // The disk goes away: a file where the directory was, which stops root too.
        Directory.Move(gateway.Spool, gateway.Spool + "-gone");
        await File.WriteAllTextAsync(gateway.Spool, "");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await gateway.PostAsync(CallbackBodies.Split("lost")));
        Assert.Equal(1, gateway.Counted("mavi.gateway.callbacks.taken{event=VideoSplitCompleted,kept=Nowhere}"));
        await Eventually.TrueAsync("the gateway not to be ready", async () => await ReadyStatusAsync(gateway) == HttpStatusCode.ServiceUnavailable);

        File.Delete(gateway.Spool);
        Directory.Move(gateway.Spool + "-gone", gateway.Spool);
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("kept again")));
        Assert.Equal(2, gateway.SpoolDepth);
        await Eventually.TrueAsync("the gateway to be ready", async () => await ReadyStatusAsync(gateway) == HttpStatusCode.OK);
    }

    [Fact]
    public async Task With_the_disk_gone_the_broker_alone_is_enough()
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        await using var gateway = await GatewayHost.StartAsync(bus.Address);
        Directory.Move(gateway.Spool, gateway.Spool + "-gone");
        await File.WriteAllTextAsync(gateway.Spool, "");

        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("direct")));

        Assert.Equal("direct", (await bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
        Assert.Equal(HttpStatusCode.OK, await ReadyStatusAsync(gateway));
    }

    [Fact]
    public async Task Two_gateways_do_not_share_a_spool()
    {
        await using var first = await GatewayHost.StartAsync(NobodyListens);

        var refused = await Assert.ThrowsAsync<GatewaySettingsException>(() => GatewayHost.StartAsync(NobodyListens, first.Spool));

        Assert.Equal(
            $"Gateway:SpoolDirectory is \"{first.Spool}\", expected a directory of this gateway alone, but another gateway is using it: give each its own or stop the other one.",
            refused.Message);
    }

    static async Task<HttpStatusCode> ReadyStatusAsync(GatewayHost gateway)
    {
        using var answer = await gateway.Http.GetAsync(new Uri("health/ready", UriKind.Relative));
        return answer.StatusCode;
    }
}
