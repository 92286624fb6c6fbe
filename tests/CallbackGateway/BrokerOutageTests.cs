using System.Diagnostics;
using System.Net;
using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

public sealed class BrokerOutageTests
{
    /// <summary>One story, because a broker takes its time to start: not there yet, there, killed under load, back.</summary>
    [Fact]
    public async Task Through_a_late_start_a_crash_and_a_restart_every_callback_answered_200_reaches_its_queue_under_its_own_id()
    {
        await using var broker = PrivateBroker.NotStarted();
        using var folder = new TemporaryFolder();
        var spool = folder.Spool;
        var logs = new LogLines();
        var sent = new List<string>();
        var arrived = new Dictionary<string, Guid>();

        await using (var early = await GatewayHost.StartAsync(broker.DefaultVirtualHost, spool, logs, "--Gateway:PublishTimeout", "00:00:02"))
        {
            await Eventually.TrueAsync("the gateway to say that it waits", () => Said(logs, "Waiting for the broker") == 1);
            await SendAsync(early, "early-", 3);
            Assert.Equal(3, early.SpoolDepth);

            await broker.StartAsync();
            await using var bus = await GatewayBus.ConnectAsync(broker.DefaultVirtualHost);
            await bus.BindAllAsync();
            await TakeAsync(bus, ["early-0", "early-1", "early-2"]);
            Assert.Equal((1, 1), (Said(logs, "Waiting for the broker"), Said(logs, "is there")));

            await SendAsync(early, "direct-", 2);
            Assert.Equal(0, early.SpoolDepth);
            await TakeAsync(bus, ["direct-0", "direct-1"]);

            // Publishes are under way while the node dies: 200 must mean queue or spool for each of them.
            var underWay = Enumerable.Range(0, 8).Select(sender => SendAsync(early, $"crash-{sender}-", 40)).ToArray();
            var underWayToo = await bus.TakeAsync<VideoSplitCompleted>();
            arrived.Add(underWayToo.Read<VideoSplitCompleted>().TaskId, underWayToo.MessageId);
            await broker.KillAsync();
            await Task.WhenAll(underWay);
            Assert.NotEqual(0, early.SpoolDepth);

            // Known to be away: nobody waits for the publish timeout any more.
            var watch = Stopwatch.StartNew();
            await SendAsync(early, "away-", 10);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"10 callbacks took {watch.Elapsed} while the broker was known to be away.");
        }

        await broker.StartAsync();
        await using var restarted = await GatewayHost.StartAsync(broker.DefaultVirtualHost, spool);
        await using var later = await GatewayBus.ConnectAsync(broker.DefaultVirtualHost);
        await Eventually.TrueAsync("the spool to be empty", () => restarted.SpoolDepth == 0, TimeSpan.FromSeconds(60));
        for (var left = await later.CountAsync(); left > 0; left--)
        {
            var message = await later.TakeAsync<VideoSplitCompleted>();
            var taskId = message.Read<VideoSplitCompleted>().TaskId;
            if (!arrived.TryAdd(taskId, message.MessageId))
                Assert.Equal(arrived[taskId], message.MessageId);
        }

        Assert.Equal(5 + (8 * 40) + 10, sent.Count);
        Assert.Empty(sent.Skip(5).Except(arrived.Keys));
        Assert.All(arrived, pair => Assert.Equal(CallbackBodies.MessageId<VideoSplitCompleted>(pair.Key, CallbackBodies.Split(pair.Key)), pair.Value));

        async Task SendAsync(GatewayHost gateway, string name, int count)
        {
            for (var number = 0; number < count; number++)
            {
                Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split(name + number)));
                lock (sent)
                    sent.Add(name + number);
            }
        }
    }

    static async Task TakeAsync(GatewayBus bus, string[] taskIds)
    {
        foreach (var taskId in taskIds)
        {
            var message = await bus.TakeAsync<VideoSplitCompleted>();
            Assert.Equal(taskId, message.Read<VideoSplitCompleted>().TaskId);
            Assert.Equal(CallbackBodies.MessageId<VideoSplitCompleted>(taskId, CallbackBodies.Split(taskId)), message.MessageId);
        }
    }

    static int Said(LogLines logs, string text) => logs.All.Count(line => line.Contains(text, StringComparison.Ordinal));
}
