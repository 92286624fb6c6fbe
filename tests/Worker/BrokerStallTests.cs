using MassTransit;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;
using Mavi.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Mavi.Tests.Worker;

/// <summary>The wire to the broker falls silent, at one moment after the other of the worker's start, for longer than the client waits for an answer.</summary>
public sealed class BrokerStallTests
{
    static readonly TimeSpan LongerThanTheClientWaits = TimeSpan.FromSeconds(24);
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(700)]
    [InlineData(1500)]
    public async Task A_start_whose_wire_falls_silent_consumes_from_every_queue_in_the_end(int after)
    {
        var address = new Uri(await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync());
        await using var link = new Link("worker to broker", [address.Port]);
        var clock = new FakeClock();
        var logs = new LogLines();
        await using var app = WorkerApp.Build(
            [
                "--urls", "http://127.0.0.1:0", "--ConnectionStrings:RabbitMq", new UriBuilder(address) { Port = link.Port }.Uri.ToString(),
                "--ConnectionStrings:Ledger", $"Data Source={Path.Combine(Directory.CreateTempSubdirectory("mavi-stall-").FullName, "mavi.db")}",
                "--Mavi:BaseUrl", "http://127.0.0.1:9/serve/api/v2", "--Mavi:ApiKey", "sk-mavi-sandbox",
            ],
            builder =>
            {
                builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock));
                builder.Logging.ClearProviders();
                builder.Logging.AddProvider(logs);
            });
        var stalled = link.StallAfterAsync(after, LongerThanTheClientWaits);
        await app.StartAsync();
        await stalled;

        var bus = app.Services.GetRequiredService<IBusControl>();
        await Eventually.TrueAsync("a consumer to be started again, where none came by itself", () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return IsHealthy() || logs.All.Any(static line => line.Contains("Started the consumer of", StringComparison.Ordinal));
        }, Limit);
        await Eventually.TrueAsync("every queue to be consumed", IsHealthy, Limit);

        bool IsHealthy() => bus.CheckHealth().Status == BusHealthStatus.Healthy;
    }
}
