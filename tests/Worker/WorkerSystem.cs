using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Sandbox;
using Mavi.Tests.Support;
using Mavi.Worker;
using Mavi.Worker.Sweeping;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Mavi.Tests.Worker;

/// <summary>
/// The whole installation for a test: a real broker and database, the gateway, the Sandbox, and any number of workers. Tests enter by AMQP and by
/// Mavi's callbacks, and see what comes out on the bus, in the Sandbox's journal and in the ledger.
/// </summary>
sealed class WorkerSystem : IAsyncDisposable
{
    readonly List<WebApplication> _workers = [];
    readonly string[] _settings;
    readonly FakeClock? _clock;
    FakeClock? _ledgerClock;
    bool _waitUntilReady;

    WorkerSystem(string broker, string ledger, SandboxHost mavi, GatewayHost gateway, AmqpClient bus, FakeClock? clock, string[] settings)
    {
        (Broker, LedgerAddress, Mavi, Gateway, Bus, _clock, _settings) = (broker, ledger, mavi, gateway, bus, clock, settings);
    }

    public string Broker { get; }

    public string LedgerAddress { get; }

    public SandboxHost Mavi { get; }

    public GatewayHost Gateway { get; }

    public AmqpClient Bus { get; }

    public LogLines Logs { get; } = new();

    public FakeClock Clock => _clock ?? throw new InvalidOperationException("This system runs on real time.");

    public string WorkerUrl => _workers[0].Urls.Single();

    public IServiceProvider Worker => _workers[0].Services;

    /// <summary>The asset every test may use: made up, so that results come at once.</summary>
    public string Asset { get; private set; } = "";

    /// <summary>Starts everything with one worker, unless told otherwise.</summary>
    public static async Task<WorkerSystem> StartAsync(
        int workers = 1, bool sqlite = false, FakeClock? clock = null, FakeClock? ledgerClock = null, string? broker = null, string? ledger = null, bool waitUntilReady = true,
        string[]? sandbox = null, string[]? worker = null)
    {
        broker ??= await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync();
        ledger ??= sqlite
            ? $"Data Source={Path.Combine(Directory.CreateTempSubdirectory("mavi-worker-").FullName, "mavi.db")}"
            : await (await PrivatePostgres.SharedAsync()).CreateDatabaseAsync();
        var mavi = await SandboxHost.StartAsync(sandbox ?? []);
        var gateway = await GatewayHost.StartAsync(broker);
        using (var pointed = await mavi.Control.PutAsJsonAsync("webhooks", new[] { $"{gateway.Http.BaseAddress}callbacks/mavi/{GatewayHost.Secret}" }))
            pointed.EnsureSuccessStatusCode();

        var bus = await AmqpClient.ConnectAsync(broker);
        var system = new WorkerSystem(broker, ledger, mavi, gateway, bus, clock, worker ?? [])
        {
            Asset = await mavi.MadeUpAssetAsync(),
            _ledgerClock = ledgerClock ?? clock,
            _waitUntilReady = waitUntilReady,
        };
        await system.ListenAsync();
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => system.StartWorkerAsync()));
        return system;
    }

    public async Task<WebApplication> StartWorkerAsync()
    {
        var app = WorkerApp.Build(
            [
                "--urls", "http://127.0.0.1:0", "--ConnectionStrings:RabbitMq", Broker, "--ConnectionStrings:Ledger", LedgerAddress,
                "--Mavi:BaseUrl", $"{Mavi.Url}/serve/api/v2", "--Mavi:ApiKey", SandboxHost.Key, "--Mavi:RequestsPerSecond", "100",
                "--Worker:SweepInterval", "00:00:00.2",
                // A clock that is moved on while a POST is on its way must not run its time out.
                .. _clock is null ? [] : new[] { "--Mavi:Timeout", "00:10:00" }, .. _settings,
            ],
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Logging.AddProvider(Logs);
                if (_clock is not null)
                    builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_clock));
                if (_ledgerClock is not null)
                    builder.Services.AddSingleton(new LedgerClock(_ledgerClock));
            });
        await app.StartAsync();
        lock (_workers)
            _workers.Add(app);
        if (_waitUntilReady)
            await Eventually.TrueAsync("the worker's queues", async () => await IsReadyAsync(app));
        return app;
    }

    /// <summary>Publishes a command as plain JSON, the way any language does.</summary>
    public async Task<Guid> PublishAsync<T>(Guid? requestId = null, string? assetId = null)
    {
        var id = requestId ?? Guid.NewGuid();
        await PublishBodyAsync<T>(JsonSerializer.Serialize(new { requestId = id, assetId = assetId ?? Asset }));
        return id;
    }

    public Task PublishBodyAsync<T>(string body, BasicProperties? properties = null) =>
        Bus.PublishAsync(AmqpClient.ExchangeOf<T>(), Encoding.UTF8.GetBytes(body), properties);

    /// <summary>Publishes a message in MassTransit's envelope, by hand.</summary>
    public Task PublishEnvelopeAsync<T>(object message) => PublishBodyAsync<T>(
        JsonSerializer.Serialize(new { messageId = Guid.NewGuid(), messageType = new[] { $"urn:message:Mavi.Contracts:{typeof(T).Name}" }, message }, JsonSerializerOptions.Web),
        new BasicProperties { ContentType = "application/vnd.masstransit+json" });

    /// <summary>The next outcome or alarm of this type.</summary>
    public Task<AmqpMessage> TakeAsync<T>(TimeSpan? within = null) => Bus.TakeAsync(typeof(T).Name, within);

    /// <summary>How many of this type wait to be taken.</summary>
    public Task<uint> CountAsync<T>() => Bus.CountAsync(typeof(T).Name);

    /// <summary>What the error queue of a queue of ours says about its next message.</summary>
    public async Task<string> ErrorAsync(string queue) => (await Bus.TakeAsync(queue + "_error")).Header("MT-Fault-Message") ?? "no sentence";

    /// <summary>A callback of Mavi's, sent by hand.</summary>
    public async Task CallBackAsync(string body) => Assert.Equal(System.Net.HttpStatusCode.OK, await Gateway.PostAsync(body));

    /// <summary>The POSTs the Sandbox saw for an operation (<c>split</c>, <c>extract-frames</c>), in order.</summary>
    public async Task<IReadOnlyList<JsonElement>> PostsAsync(string operation = "split") =>
        [.. (await Mavi.JournalAsync("?bodies=false")).GetProperty("submissions").EnumerateArray().Where(post => post.GetProperty("operation").GetString() == operation)];

    public Task<SubmissionRow?> FindAsync(Guid requestId) => Worker.GetRequiredService<SubmissionLedger>().FindAsync(requestId, CancellationToken.None);

    public Task StateAsync(Guid requestId, SubmissionState state) => Eventually.TrueAsync(
        $"request {requestId} to be {state}", async () => (await FindAsync(requestId))?.State == state);

    /// <summary>One round of the sweep now.</summary>
    public Task<SweepReport> SweepAsync() => Worker.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<Sweep>().Single().RunOnceAsync(CancellationToken.None);

    /// <summary>Stops the workers in order: what is in hand is finished, so what is on the bus then is all there will be.</summary>
    public async Task DrainAsync()
    {
        foreach (var worker in _workers)
            await worker.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
        {
            await worker.StopAsync();
            await worker.DisposeAsync();
        }

        await Bus.DisposeAsync();
        await Gateway.StopAsync();
        await Gateway.DisposeAsync();
        await Mavi.DisposeAsync();
    }

    async Task ListenAsync()
    {
        await Bus.BindQueueAsync<SplitVideoSucceeded>(nameof(SplitVideoSucceeded));
        await Bus.BindQueueAsync<SplitVideoFailed>(nameof(SplitVideoFailed));
        await Bus.BindQueueAsync<ExtractFramesSucceeded>(nameof(ExtractFramesSucceeded));
        await Bus.BindQueueAsync<ExtractFramesFailed>(nameof(ExtractFramesFailed));
        await Bus.BindQueueAsync<SubmissionUncertain>(nameof(SubmissionUncertain));
        await Bus.BindQueueAsync<TaskOverdue>(nameof(TaskOverdue));
        await Bus.BindQueueAsync<TaskSubmitted>(nameof(TaskSubmitted));
    }

    static async Task<bool> IsReadyAsync(WebApplication app)
    {
        using var http = new HttpClient();
        return (await http.GetAsync(new Uri($"{app.Urls.Single()}/health/ready"))).IsSuccessStatusCode;
    }
}
