using System.Diagnostics;
using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class StopTests(ITestOutputHelper log)
{
    [Fact]
    public async Task SIGTERM_lets_the_post_in_flight_finish_and_hands_the_rest_back_to_the_next_worker()
    {
        await using var installation = await Installation.StartAsync(log, worker: [("Mavi__RequestsPerSecond", "1")]);
        var requests = await installation.RequestsAsync(6);
        await installation.ArmAsync("""[{ "fault": "slow", "seconds": 3 }]""");
        foreach (var request in requests)
            await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        await Eventually.TrueAsync("a POST to be in flight", async () => (await installation.PostsAsync()).Any(post => post is { Accepted: true, Status: null }));
        await Eventually.TrueAsync("the rest to be in hand", async () => await installation.Events.Bus.CountAsync("mavi-split-video") == 0);

        var stopping = Stopwatch.StartNew();
        var worker = installation.Workers[0];
        worker.Terminate();
        Assert.Equal(0, await worker.ExitCodeAsync(TimeSpan.FromSeconds(30)));
        log.WriteLine($"It took {stopping.Elapsed.TotalSeconds:0.0} s.");

        // The one in flight, and what got its slot before the consumers stopped.
        var posts = await installation.PostsAsync();
        Assert.InRange(posts.Count, 1, 3);
        Assert.All(posts, post => Assert.Equal(200, post.Status));
        Assert.Equal(posts.Count, await installation.ReadAsync<long>("select count(*) from submissions where state = 'Submitted'"));
        Assert.Equal(0L, await installation.ReadAsync<long>("select count(*) from submissions where state <> 'Submitted'"));
        Assert.Equal((uint)(requests.Count - posts.Count), await installation.Events.Bus.CountAsync("mavi-split-video"));

        await installation.StartWorkerAsync();
        await installation.EndAsync(requests);
        Assert.DoesNotContain(await installation.Events.AllOthersAsync(), other => other.Name == nameof(SubmissionUncertain));
        Assert.DoesNotContain("   at ", worker.Output + worker.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SIGTERM_to_the_gateway_loses_no_callback()
    {
        await using var installation = await Installation.StartAsync(log);
        var requests = await installation.RequestsAsync(40);
        foreach (var request in requests)
            await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        await installation.Gateway.SaysAsync("is kept InQueue");

        await installation.RestartGatewayAsync();

        await installation.EndAsync(requests);
    }
}
