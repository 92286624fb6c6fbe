using System.Net;
using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The wire to the broker falls silent, at one moment after the other of the gateway's start, for longer than the client waits for an answer.</summary>
public sealed class BrokerStallTests
{
    static readonly TimeSpan LongerThanTheClientWaits = TimeSpan.FromSeconds(24);
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Bytes that the broker has said by then: within its greeting, the opening of the connection, of a channel, the declaring of the exchanges, and behind all of it.</summary>
    static readonly int[] Moments = [1, 480, 510, 530, 550, 570, 600, 640];

    [Fact]
    public async Task A_start_whose_wire_falls_silent_brings_every_callback_to_its_queue_in_the_end() =>
        await Task.WhenAll(Moments.Select(FallSilentAsync));

    static async Task FallSilentAsync(int after)
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        var address = new Uri(bus.Address);
        await using var link = new Link("gateway to broker", [address.Port]);
        var stalled = link.StallAfterAsync(after, LongerThanTheClientWaits);
        await using var gateway = await GatewayHost.StartAsync(new UriBuilder(address) { Port = link.Port }.Uri.ToString());
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("while silent")));
        await Eventually.DoneAsync($"the wire to be silent after {after} bytes and to speak again", stalled, Limit);
        Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("afterwards")));

        // The broker may have taken one of which it could not say so: it comes again under the same id.
        var ids = new Dictionary<string, Guid>();
        while (ids.Count < 2)
        {
            var message = await bus.TakeAsync<VideoSplitCompleted>(Limit);
            var task = message.Read<VideoSplitCompleted>().TaskId;
            Assert.Equal(message.MessageId, ids.TryAdd(task, message.MessageId) ? message.MessageId : ids[task]);
        }

        Assert.Equal(["afterwards", "while silent"], ids.Keys.Order());
    }
}
