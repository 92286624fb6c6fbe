using System.Security.Cryptography;
using MassTransit;
using Mavi.CallbackGateway;
using Mavi.Client;
using Mavi.Sandbox;
using Mavi.Worker;
using Mavi.Worker.Messaging;

namespace Mavi.AllInOne;

/// <summary>Everything in one process, on loopback ports of its own: the Sandbox, and a host with gateway and worker on an in-memory bus and SQLite.</summary>
sealed class LocalStack : IAsyncDisposable
{
    const string FreePort = "http://127.0.0.1:0";

    readonly WebApplication sandbox;
    readonly WebApplication host;

    LocalStack(WebApplication sandbox, WebApplication host) => (this.sandbox, this.host) = (sandbox, host);

    /// <summary>Where other services would publish their commands.</summary>
    public IBus Bus => host.Services.GetRequiredService<IBus>();

    public MaviClient Mavi => host.Services.GetRequiredService<MaviClient>();

    public string SandboxUrl => sandbox.Urls.Single();

    /// <summary>Starts both; the folder holds the ledger, the spool and the Sandbox's files, and is deleted by whoever made it.</summary>
    public static async Task<LocalStack> StartAsync(string folder, DemoPlan plan, Outcomes outcomes, CancellationToken cancel)
    {
        var key = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var secret = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var sandbox = BuildSandbox(folder, key, plan);
        await sandbox.StartAsync(cancel);
        var host = BuildHost(folder, key, secret, sandbox.Urls.Single(), plan, outcomes);
        var stack = new LocalStack(sandbox, host);
        try
        {
            await host.StartAsync(cancel);
            // At the vendor this is done by hand, in the console.
            using var control = NewControl(stack.SandboxUrl);
            using var set = await control.PutAsJsonAsync("/sandbox/webhooks", new[] { $"{host.Urls.Single()}/callbacks/mavi/{secret}" }, cancel);
            set.EnsureSuccessStatusCode();
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>For the Sandbox's control routes, past any proxy of the machine.</summary>
    public static HttpClient NewControl(string sandboxUrl) => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(sandboxUrl) };

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await host.DisposeAsync();
        await sandbox.StopAsync();
        await sandbox.DisposeAsync();
    }

    static WebApplication BuildSandbox(string folder, string key, DemoPlan plan) => SandboxApp.Build([], builder => Isolate(builder, new()
    {
        ["Sandbox:ApiKey"] = key,
        ["Sandbox:DataDirectory"] = Path.Combine(folder, "sandbox"),
        ["Sandbox:SegmentSeconds"] = Text.Number(plan.SegmentSeconds),
        ["Sandbox:FrameIntervalSeconds"] = Text.Number(plan.FrameIntervalSeconds),
    }));

    static WebApplication BuildHost(string folder, string key, string secret, string sandboxUrl, DemoPlan plan, Outcomes outcomes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        Isolate(builder, new()
        {
            ["ConnectionStrings:Ledger"] = $"Data Source={Path.Combine(folder, "mavi.db")}",
            ["Mavi:BaseUrl"] = $"{sandboxUrl}/serve/api/v2",
            ["Mavi:ApiKey"] = key,
            ["Gateway:Secrets:0"] = secret,
            ["Gateway:SpoolDirectory"] = Path.Combine(folder, "spool"),
            ["Worker:LostAfter"] = plan.Patience.ToString("c"),
            ["Worker:OverdueAfter"] = (plan.Patience / 2).ToString("c"),
        });
        builder.Services.AddMaviWorker(builder.Configuration);
        builder.Services.AddCallbackGateway(builder.Configuration);
        builder.Services.AddSingleton(outcomes);
        builder.Services.Configure<MassTransitHostOptions>(bus => bus.WaitUntilStarted = true);
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddMaviWorkerEndpoints();
            bus.AddConsumer<OutcomeConsumer>();
            bus.UsingInMemory((context, memory) =>
            {
                memory.UseWorkerDefaults();
                memory.ConfigureEndpoints(context);
            });
        });

        var app = builder.Build();
        app.MapCallbackGateway();
        return app;
    }

    /// <summary>Only these settings: the environment of whoever runs the demo must not change it. Warnings go to stderr.</summary>
    static void Isolate(WebApplicationBuilder builder, Dictionary<string, string?> settings)
    {
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Configuration["urls"] = FreePort;
        builder.WebHost.UseUrls(FreePort);
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // Says what it left undone when it is stopped; here that is what was asked for.
        builder.Logging.AddFilter("Mavi.Sandbox.TaskRunner", LogLevel.Error);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
