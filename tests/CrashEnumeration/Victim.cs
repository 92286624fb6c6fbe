using System.Runtime.InteropServices;
using Mavi.Tests.Sandbox;
using Mavi.Tests.Support;
using Mavi.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>
/// A worker that may die: the whole of it, with links of its own to broker, database and Mavi, its only ways to the world. Its death is that all
/// of them are cut at one moment and for good; what it does after that reaches nobody. It runs in the test's process, because a fresh process takes
/// longer to start than a history to run, and there are hundreds of deaths; where the history says so it is a process, and killed.
/// </summary>
sealed class Victim : IAsyncDisposable
{
    const int Kill = 9;

    readonly PostgresLink _postgres;
    readonly AmqpLink _amqp;
    readonly HttpLink _http;
    readonly (string Name, string Value)[] _settings;
    WebApplication? _app;
    ServiceProcess? _process;
    Uri? _address;

    Victim(World world, History history, PointWatch watch)
    {
        Watch = watch;
        var ledger = new NpgsqlConnectionStringBuilder(world.LedgerAddress) { SslMode = SslMode.Disable };
        var (broker, mavi) = (new UriBuilder(world.Broker), new Uri(world.Mavi.Url));
        _postgres = new PostgresLink(ledger.Host!, ledger.Port, watch);
        _amqp = new AmqpLink(broker.Host, broker.Port, watch, world.QueueIsDeclared);
        _http = new HttpLink(mavi.Host, mavi.Port, watch);
        (ledger.Host, ledger.Port) = ("127.0.0.1", _postgres.Port);
        (broker.Host, broker.Port) = ("127.0.0.1", _amqp.Port);
        watch.Kill = End;
        _settings =
        [
            ("ConnectionStrings:RabbitMq", broker.Uri.ToString()), ("ConnectionStrings:Ledger", ledger.ConnectionString),
            ("Mavi:BaseUrl", $"http://127.0.0.1:{_http.Port}/serve/api/v2"), ("Mavi:ApiKey", SandboxHost.Key), ("Mavi:RequestsPerSecond", "100"),
            ("Worker:SweepInterval", "00:00:00.2"), .. history.Settings,
        ];
    }

    public PointWatch Watch { get; }

    /// <summary>Messages it has in hand.</summary>
    public int Unacknowledged => _amqp.Unacknowledged;

    /// <summary>Starts one, not armed.</summary>
    public static async Task<Victim> StartAsync(World world, History history, HashSet<string> idle)
    {
        var victim = new Victim(world, history, new PointWatch(idle));
        await (history.IsProcess ? victim.StartProcessAsync() : victim.StartHereAsync());
        return victim;
    }

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri(_address!, "health/ready"));
            return answer.IsSuccessStatusCode && !Watch.IsDead;
        }
        catch (HttpRequestException)
        {
            // It has died meanwhile.
            return false;
        }
    }

    public Task ReadyAsync() => Eventually.TrueAsync("the worker to be ready", IsReadyAsync, TimeSpan.FromSeconds(90));

    /// <summary>Dead, if it was not. What it still does in the test's process is ended too, as far as it lets itself be ended.</summary>
    public async ValueTask DisposeAsync()
    {
        Watch.Die();
        if (_process is not null)
            await _process.DisposeAsync();
        if (_app is not null)
            await EndAsync(_app);
    }

    static readonly HttpClient Http = new();

    async Task StartHereAsync()
    {
        _app = WorkerApp.Build(
            ["--urls", "http://127.0.0.1:0", .. _settings.SelectMany(static setting => new[] { "--" + setting.Name, setting.Value })],
            static builder => builder.Logging.ClearProviders());
        await _app.StartAsync();
        _address = new Uri(_app.Urls.Single());
    }

    async Task StartProcessAsync()
    {
        _process = ServiceProcess.Start(
            ServiceProcess.Worker, _settings.Select(static setting => (setting.Name.Replace(":", "__", StringComparison.Ordinal), setting.Value)));
        _address = await _process.AddressAsync();
    }

    void End()
    {
        if (_process is not null)
            _ = Signal(_process.Id, Kill);
        _postgres.Cut();
        _amqp.Cut();
        _http.Cut();
    }

    static async Task EndAsync(WebApplication app)
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await app.StopAsync(now.Token).WaitAsync(TimeSpan.FromSeconds(10));
            await app.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        }
#pragma warning disable CA1031 // Whatever a worker without any link complains about when it is ended.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    static extern int Signal(int process, int signal);
}
