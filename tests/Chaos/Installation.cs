using System.Net.Http.Json;
using Mavi.HistoryChecker;
using Mavi.Tests.Support;
using Npgsql;

namespace Mavi.Chaos;

/// <summary>All of it as separate processes: Sandbox, gateways behind a balancer, workers, on a broker and a database; where asked for with a link of ours on every wire.</summary>
sealed class Installation : IAsyncDisposable
{
    const string Secret = "a-secret-of-the-chaos-run";
    const string Key = "sk-mavi-sandbox";

    readonly Servers _servers;
    readonly List<Link> _links = [];

    public Installation(RunFolder folder, Servers servers, Plan plan)
    {
        (Folder, _servers) = (folder, servers);
        var place = servers.PlaceOf(plan.Prefix);
        (Amqp, Ledger) = (place.Amqp, place.Ledger);
        var databasePort = new NpgsqlConnectionStringBuilder(Ledger).Port;
        var brokers = Broker.Nodes.Select(static node => node.Port).ToArray();

        var gatewayPorts = Enumerable.Range(0, plan.Gateways).Select(static _ => FreePorts.Next()).ToArray();
        var balancerPort = PortOf("sandbox to gateways", gatewayPorts, isBalancer: true);
        var sandboxPort = FreePorts.Next();
        SandboxUrl = new Uri($"http://127.0.0.1:{sandboxPort}");
        Sandbox = Program("sandbox", "Mavi.Sandbox", new()
        {
            ["ASPNETCORE_URLS"] = SandboxUrl.OriginalString,
            ["Sandbox__ApiKey"] = Key,
            ["Sandbox__WebhookUrls__0"] = $"http://127.0.0.1:{balancerPort}/callbacks/mavi/{Secret}",
            ["Sandbox__DataDirectory"] = folder.In(plan.Prefix + "sandbox"),
            ["Sandbox__FakeMedia"] = "true",
            ["Sandbox__ParallelTasks"] = "32",
            ["Sandbox__RequestsPerSecond"] = plan.SandboxRate,
            ["Sandbox__WebhookRetries"] = "100",
            ["Sandbox__WebhookRetryDelaySeconds"] = "0.5",
            ["Sandbox__WebhookTimeoutSeconds"] = "5",
        });

        Gateways = [.. gatewayPorts.Select((port, index) => Program($"gateway-{index + 1}", "Mavi.CallbackGateway", new()
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ",
            ["ConnectionStrings__RabbitMq"] = AmqpOf(PortOf($"gateway-{index + 1} to broker", brokers, own: index)),
            ["Gateway__Secrets__0"] = Secret,
            ["Gateway__SpoolDirectory"] = folder.In($"{plan.Prefix}spool-{index + 1}"),
        }))];

        Workers = [.. Enumerable.Range(1, plan.Workers).Select(number => Program($"worker-{number}", "Mavi.Worker", new(plan.Worker)
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
            ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ",
            ["ConnectionStrings__RabbitMq"] = AmqpOf(PortOf($"worker-{number} to broker", brokers, own: number)),
            ["ConnectionStrings__Ledger"] = new NpgsqlConnectionStringBuilder(Ledger)
            {
                Port = PortOf($"worker-{number} to database", [databasePort]),
                MaxPoolSize = plan.LedgerConnections,
            }.ConnectionString,
            ["Mavi__BaseUrl"] = $"http://127.0.0.1:{PortOf($"worker-{number} to sandbox", [sandboxPort])}/serve/api/v2",
            ["Mavi__ApiKey"] = Key,
        }))];

        Service Program(string name, string assembly, Dictionary<string, string> environment) =>
            new(folder, plan.Prefix + name, "dotnet", [Path.Combine(AppContext.BaseDirectory, assembly + ".dll")], environment);

        string AmqpOf(int port) => new UriBuilder(Amqp) { Port = port }.Uri.ToString();

        int PortOf(string name, int[] targets, bool isBalancer = false, int own = 0)
        {
            if (!plan.HasLinks)
                return targets[own % targets.Length];
            _links.Add(new Link(name, targets, isBalancer, own));
            return _links[^1].Port;
        }
    }

    public RunFolder Folder { get; }

    public Broker Broker => _servers.Broker;

    /// <summary>The broker, past every link.</summary>
    public string Amqp { get; }

    public Service Sandbox { get; }

    public Uri SandboxUrl { get; }

    public IReadOnlyList<Service> Gateways { get; }

    public IReadOnlyList<Service> Workers { get; }

    public IReadOnlyList<Link> Links => _links;

    /// <summary>The database, past every link.</summary>
    public string Ledger { get; }

    /// <summary>Where the checker looks.</summary>
    public async Task<Places> PlacesAsync() => Places.Of(Amqp, await Broker.ManagementAsync(), SandboxUrl, Ledger);

    /// <summary>Starts everything but broker and database, once the checker listens.</summary>
    public async Task OpenAsync(CancellationToken stop)
    {
        Service[] all = [Sandbox, .. Gateways, .. Workers];
        foreach (var service in all)
            service.Start();
        await ReadyAsync(stop);
    }

    /// <summary>Returns when every worker consumes and every gateway publishes.</summary>
    public async Task ReadyAsync(CancellationToken stop)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        foreach (var service in Workers.Concat(Gateways))
        {
            await Waiting.ForAsync($"{service.Name} to be ready", async () =>
            {
                using var answer = await http.GetAsync(new Uri($"{service.Url}/health/ready"), stop);
                return answer.IsSuccessStatusCode;
            }, TimeSpan.FromMinutes(3), stop);
        }
    }

    /// <summary>Kills the database (SIGKILL, every process of it), and starts it again after a while.</summary>
    public async Task CrashDatabaseAsync(TimeSpan down)
    {
        await _servers.Database.KillAsync();
        await Task.Delay(down);
        await _servers.Database.RunAsync();
    }

    /// <summary>Made-up assets, one for each request.</summary>
    public async Task<IReadOnlyList<string>> AssetsAsync(int count, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = SandboxUrl };
        using var answer = await http.PostAsJsonAsync(new Uri("/sandbox/assets", UriKind.Relative), new { count, seconds = 60 }, stop);
        answer.EnsureSuccessStatusCode();
        var made = await answer.Content.ReadFromJsonAsync<MadeUp>(stop);
        return made!.AssetIds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links)
            await link.DisposeAsync();
    }

    sealed record MadeUp(IReadOnlyList<string> AssetIds);
}
