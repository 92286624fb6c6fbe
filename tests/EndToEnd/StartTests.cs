using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class StartTests(ITestOutputHelper log)
{
    static readonly TimeSpan ComingUp = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Worker_and_gateway_start_before_broker_and_database_say_that_they_wait_and_come_up_by_themselves()
    {
        await using var broker = PrivateBroker.NotStarted();
        await using var postgres = await PrivatePostgres.StartOwnAsync();
        var ledger = await postgres.CreateDatabaseAsync();
        await postgres.StopAsync();

        await using var installation = await Installation.LaunchAsync(log, broker.DefaultVirtualHost, ledger);
        var worker = installation.Workers[0];
        await worker.SaysAsync("Waiting for RabbitMQ at 127.0.0.1:");
        await worker.SaysAsync("Waiting for the ledger database at 127.0.0.1:");
        await installation.Gateway.SaysAsync("Waiting for the broker at 127.0.0.1:");
        Assert.Equal(200, (await worker.GetAsync("health/live")).Status);
        var (status, body) = await worker.GetAsync("health/ready");
        Assert.Equal(503, status);
        Assert.Contains("waiting for RabbitMQ", body, StringComparison.Ordinal);
        Assert.Contains("waiting for 127.0.0.1:", body, StringComparison.Ordinal);
        // It can take callbacks, into its spool: that is what its readiness says.
        Assert.Equal(200, (await installation.Gateway.GetAsync("health/live")).Status);
        Assert.Contains("\"broker\":\"away\"", (await installation.Gateway.GetAsync("health/ready")).Body, StringComparison.Ordinal);

        await Task.WhenAll(broker.StartAsync(), postgres.StartAsync());
        await worker.ReadyAsync(ComingUp);
        await Eventually.TrueAsync(
            "the gateway to reach the broker", async () => (await installation.Gateway.GetAsync("health/ready")).Body.Contains("\"broker\":\"connected\"", StringComparison.Ordinal), ComingUp);
        await installation.ConnectAsync();
        var request = (await installation.RequestsAsync(1))[0];
        await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        await installation.EndAsync([request]);

        foreach (var process in (ServiceProcess[])[worker, installation.Gateway])
        {
            Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
            Assert.Empty(process.Errors);
        }

        Assert.Single(worker.Output.Split('\n'), line => line.Contains("Waiting for RabbitMQ", StringComparison.Ordinal));
        Assert.Single(installation.Gateway.Output.Split('\n'), line => line.Contains("Waiting for the broker", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_worker_that_waits_for_everything_ends_on_SIGTERM()
    {
        var nobody = FreePorts.Next();
        await using var worker = ServiceProcess.Start(
            ServiceProcess.Worker,
            ("ConnectionStrings__RabbitMq", $"amqp://guest:guest@127.0.0.1:{nobody}"), ("ConnectionStrings__Ledger", $"Host=127.0.0.1;Port={nobody};Username=nobody;Database=none"),
            ("Mavi__BaseUrl", $"http://127.0.0.1:{nobody}"), ("Mavi__ApiKey", "no-key"));
        await worker.SaysAsync("Waiting for RabbitMQ");
        await worker.SaysAsync("Waiting for the ledger database");

        worker.Terminate();

        Assert.Equal(0, await worker.ExitCodeAsync(TimeSpan.FromSeconds(30)));
        Assert.DoesNotContain("   at ", worker.Output + worker.Errors, StringComparison.Ordinal);
    }
}
