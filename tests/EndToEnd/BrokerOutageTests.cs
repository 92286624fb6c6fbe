using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class BrokerOutageTests(ITestOutputHelper log)
{
    /// <summary>The client library needs some 33 s to find its way back after a crash of the broker; a consumer that it gives up is started again after 45 s, and perhaps once more.</summary>
    static readonly TimeSpan Recovery = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task The_broker_is_killed_and_started_again_while_requests_run_and_each_has_one_post_and_one_outcome()
    {
        await using var broker = await PrivateBroker.StartOwnAsync();
        await using var installation = await Installation.StartAsync(
            log, workers: 2, broker: broker.DefaultVirtualHost, worker: [("Mavi__RequestsPerSecond", "20")]);
        var requests = await installation.RequestsAsync(40);
        foreach (var request in requests)
            await installation.PublishAsync<ExtractFramesRequested>(request.Id, request.AssetId);
        await Eventually.TrueAsync("some POSTs", async () => (await installation.PostsAsync()).Count(post => post.Accepted) > 6);

        await broker.KillAsync();
        foreach (var worker in installation.Workers)
        {
            await worker.SaysAsync("Waiting for RabbitMQ");
            Assert.Equal(503, (await worker.GetAsync("health/ready")).Status);
        }

        await installation.Gateway.SaysAsync("Waiting for the broker");
        await broker.StartAsync();
        await installation.Events.ReconnectAsync();
        await installation.EndAsync(requests, mayRepeat: true, Recovery);
    }
}
