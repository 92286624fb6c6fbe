using System.Diagnostics;
using Mavi.HistoryChecker;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.Compose;

/// <summary>What operators do, and what happens to them, while requests run. Nothing may be lost, paid twice or told twice.</summary>
[Collection(OneStack.Name)]
public sealed class OperatingTests(Stack stack, ITestOutputHelper log)
{
    [Fact]
    public async Task Three_workers_and_back_to_one_while_300_requests_run()
    {
        var requests = await stack.RequestsAsync(300);
        await stack.PublishAsync(requests.Take(100));
        await stack.PostedAsync(requests, 10);

        var clock = Stopwatch.StartNew();
        await ScaleAsync(3);
        var up = clock.Elapsed;
        Assert.Equal(3, (await stack.ContainersAsync("worker")).Count);
        // The rest comes now, so that there is work for the three however long their start took.
        await stack.PublishAsync(requests.Skip(100));
        await stack.PostedAsync(requests, 130);
        clock.Restart();
        await ScaleAsync(1);
        log.WriteLine($"To three: {up.TotalSeconds:0.0} s; back to one: {clock.Elapsed.TotalSeconds:0.0} s, with {(await stack.PostsAsync(requests)).Count} of 300 POSTs sent by then.");

        await stack.EndAsync(requests);
        await AtTheRateAsync([.. requests.Skip(130)]);
    }

    [Fact]
    public async Task A_worker_that_is_killed_leaves_nothing_behind_that_the_next_one_and_an_operator_cannot_end()
    {
        var requests = await stack.RequestsAsync(60);
        await stack.ArmAsync("""[{ "fault": "slow", "seconds": 4, "every": 1 }]""");
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 2);

        // Mavi has accepted them, and the answer never reaches anybody.
        await stack.ComposeAsync("kill", "worker");
        await stack.ArmAsync("[]");
        await UpAsync("worker");

        var inDoubt = await stack.EndAsync(requests, mayDoubt: true);
        log.WriteLine($"{inDoubt} of 60 were in doubt.");
        Assert.NotEqual(0, inDoubt);
    }

    [Fact]
    public async Task The_broker_restarts_while_requests_run()
    {
        var requests = await stack.RequestsAsync(60);
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 10);

        await stack.ComposeAsync("restart", "rabbitmq");

        await stack.EndAsync(requests);
    }

    [Fact]
    public async Task Commands_outlive_the_container_of_the_broker()
    {
        await stack.ComposeAsync("stop", "worker");
        var requests = await stack.RequestsAsync(20);
        await stack.PublishAsync(requests);
        Assert.Equal((10u, 10u), (await stack.CountAsync("mavi-split-video"), await stack.CountAsync("mavi-extract-frames")));

        await UpAsync("--force-recreate", "rabbitmq");
        await UpAsync("worker");

        await stack.EndAsync(requests);
    }

    [Fact]
    public async Task The_database_restarts_while_requests_run()
    {
        var requests = await stack.RequestsAsync(60);
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 10);

        await stack.ComposeAsync("restart", "postgres");

        await stack.EndAsync(requests);
    }

    [Fact]
    public async Task The_gateway_is_recreated_while_callbacks_come()
    {
        var requests = await stack.RequestsAsync(60);
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 20);

        await UpAsync("--force-recreate", "gateway");

        await stack.EndAsync(requests);
    }

    [Fact]
    public async Task Callbacks_that_come_while_the_broker_is_away_survive_the_container_of_the_gateway()
    {
        var requests = await stack.RequestsAsync(60);
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 20);

        await stack.ComposeAsync("stop", "rabbitmq");
        await Eventually.TrueAsync("a callback in the spool", async () => await SpooledAsync() > 0, TimeSpan.FromMinutes(1));
        await UpAsync("--force-recreate", "gateway");
        Assert.NotEqual(0, await SpooledAsync());
        await UpAsync("rabbitmq");

        await stack.EndAsync(requests);
        Assert.Equal(0, await SpooledAsync());
    }

    [Fact]
    public async Task A_new_image_of_the_worker_rolls_in_while_requests_run()
    {
        var old = Assert.Single(await stack.ContainersAsync("worker"));
        var image = await stack.DockerAsync("inspect", "--format", "{{.Config.Image}}", old);
        (string, string)[] next = [("MAVI_TAG", "e2e-next"), ("MAVI_REVISION", "next")];
        await stack.ComposeAsync(next, "build", "worker");
        var requests = await stack.RequestsAsync(100);
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 10);

        // As docs/operating.md says: the new ones beside the old ones, then the old ones go.
        await stack.ComposeAsync(next, "up", "--detach", "--wait", "--no-deps", "--no-recreate", "--scale", "worker=2", "worker");
        Assert.Equal(2, (await stack.ContainersAsync("worker")).Count);
        Assert.Contains(old, await stack.ContainersAsync("worker"));
        await stack.ComposeAsync(next, "up", "--detach", "--wait", "--no-deps", "--scale", "worker=1", "worker");
        var now = Assert.Single(await stack.ContainersAsync("worker"));
        Assert.Equal($"{image}-next", await stack.DockerAsync("inspect", "--format", "{{.Config.Image}}", now));

        await stack.EndAsync(requests);
        await UpAsync("worker");
    }

    [Fact]
    public async Task SIGTERM_lets_what_is_in_flight_finish_within_the_grace_period_and_leaves_no_doubt()
    {
        var requests = await stack.RequestsAsync(20);
        await stack.ArmAsync("""[{ "fault": "slow", "seconds": 3, "every": 1 }]""");
        await stack.PublishAsync(requests);
        await stack.PostedAsync(requests, 2);

        var clock = Stopwatch.StartNew();
        await stack.ComposeAsync("stop", "worker");
        log.WriteLine($"The worker took {clock.Elapsed.TotalSeconds:0.0} s to stop.");
        var stopped = Assert.Single(await stack.ContainersAsync("worker"));
        Assert.Equal("0", await stack.DockerAsync("inspect", "--format", "{{.State.ExitCode}}", stopped));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 15);

        await stack.ArmAsync("[]");
        await UpAsync("worker");
        await stack.EndAsync(requests);
    }

    Task<string> ScaleAsync(int workers) => stack.ComposeAsync("up", "--detach", "--wait", "--no-deps", "--no-recreate", "--scale", $"worker={workers}", "worker");

    Task<string> UpAsync(params string[] words) => stack.ComposeAsync(["up", "--detach", "--wait", "--no-deps", .. words]);

    /// <summary>How many callbacks lie in the gateway's spool, as its health says.</summary>
    async Task<int> SpooledAsync()
    {
        using var answer = await stack.Gateway.GetAsync(new Uri("health/ready", UriKind.Relative));
        using var health = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return health.RootElement.GetProperty("spool").GetProperty("depth").GetInt32();
    }

    /// <summary>The limit is the account's: three workers together send no more than one does.</summary>
    async Task AtTheRateAsync(IReadOnlyList<Request> requests)
    {
        foreach (var operation in (await stack.ArrivalsAsync(requests)).GroupBy(static post => post.Operation))
        {
            var seconds = (operation.Max(static post => post.MonotonicMs) - operation.Min(static post => post.MonotonicMs)) / 1000;
            var rate = (operation.Count() - 1) / seconds;
            log.WriteLine($"{operation.Key}: {rate:0.00} POSTs a second.");
            Assert.InRange(rate, 1, 4);
        }
    }
}
