using System.Net.Http.Json;
using Mavi.Tests.Support;

namespace Mavi.Chaos;

/// <summary>All of it as separate processes, with a link of ours on every wire: broker, database, Sandbox, two gateways behind a balancer, three workers.</summary>
sealed class Installation : IAsyncDisposable
{
    const string Secret = "a-secret-of-the-chaos-run";
    const string Key = "sk-mavi-sandbox";

    readonly PostgresNode _database;
    readonly List<Link> _links = [];

    Installation(RunFolder folder, Broker broker, PostgresNode database)
    {
        (Folder, Broker, _database) = (folder, broker, database);
        var databasePort = int.Parse(database.ConnectionString.Split("Port=")[1].Split(';')[0], System.Globalization.CultureInfo.InvariantCulture);
        var brokers = broker.Nodes.Select(static node => node.Port).ToArray();

        var gatewayPorts = new[] { FreePorts.Next(), FreePorts.Next() };
        var balancer = Wire(new Link("sandbox to gateways", gatewayPorts, isBalancer: true));
        var sandboxPort = FreePorts.Next();
        SandboxUrl = new Uri($"http://127.0.0.1:{sandboxPort}");
        Sandbox = Program("sandbox", "Mavi.Sandbox", new()
        {
            ["ASPNETCORE_URLS"] = SandboxUrl.OriginalString,
            ["Sandbox__ApiKey"] = Key,
            ["Sandbox__WebhookUrls__0"] = $"http://127.0.0.1:{balancer.Port}/callbacks/mavi/{Secret}",
            ["Sandbox__DataDirectory"] = folder.In("sandbox"),
            ["Sandbox__FakeMedia"] = "true",
            ["Sandbox__ParallelTasks"] = "32",
            ["Sandbox__RequestsPerSecond"] = "0",
            ["Sandbox__WebhookRetries"] = "100",
            ["Sandbox__WebhookRetryDelaySeconds"] = "0.5",
            ["Sandbox__WebhookTimeoutSeconds"] = "5",
        });

        Gateways = [.. gatewayPorts.Select((port, index) => Program($"gateway-{index + 1}", "Mavi.CallbackGateway", new()
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ",
            ["ConnectionStrings__RabbitMq"] = $"amqp://guest:guest@127.0.0.1:{Wire(new Link($"gateway-{index + 1} to broker", brokers, own: index)).Port}/",
            ["Gateway__Secrets__0"] = Secret,
            ["Gateway__SpoolDirectory"] = folder.In($"spool-{index + 1}"),
        }))];

        Workers = [.. Enumerable.Range(1, 3).Select(number =>
        {
            var toDatabase = Wire(new Link($"worker-{number} to database", [databasePort]));
            return Program($"worker-{number}", "Mavi.Worker", new()
            {
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
                ["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ",
                ["ConnectionStrings__RabbitMq"] = $"amqp://guest:guest@127.0.0.1:{Wire(new Link($"worker-{number} to broker", brokers, own: number)).Port}/",
                ["ConnectionStrings__Ledger"] = database.ConnectionString.Replace($"Port={databasePort}", $"Port={toDatabase.Port}", StringComparison.Ordinal) + ";Maximum Pool Size=60",
                ["Mavi__BaseUrl"] = $"http://127.0.0.1:{Wire(new Link($"worker-{number} to sandbox", [sandboxPort])).Port}/serve/api/v2",
                ["Mavi__ApiKey"] = Key,
                ["Mavi__RequestsPerSecond"] = "200",
                ["Mavi__Timeout"] = "00:00:05",
                ["Worker__SweepInterval"] = "00:00:01",
                ["Worker__ExclusiveAccount"] = "true",
            });
        })];

        Service Program(string name, string assembly, Dictionary<string, string> environment) =>
            new(folder, name, "dotnet", [Path.Combine(AppContext.BaseDirectory, assembly + ".dll")], environment);
    }

    public RunFolder Folder { get; }

    public Broker Broker { get; }

    public Service Sandbox { get; }

    public Uri SandboxUrl { get; }

    public IReadOnlyList<Service> Gateways { get; }

    public IReadOnlyList<Service> Workers { get; }

    public IReadOnlyList<Link> Links => _links;

    /// <summary>The database, past every link.</summary>
    public string Ledger => _database.ConnectionString;

    /// <summary>Starts broker and database; <see cref="OpenAsync"/> starts the rest once the checker listens.</summary>
    public static async Task<Installation> PrepareAsync(RunFolder folder, bool isCluster, CancellationToken stop)
    {
        var broker = new Broker(folder, isCluster ? 3 : 1);
        var started = broker.StartAsync(stop);
        var database = await PostgresNode.StartAsync();
        var installation = new Installation(folder, broker, database);
        try
        {
            await started;
            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

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
        await _database.KillAsync();
        await Task.Delay(down);
        await _database.RunAsync();
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
        await _database.DisposeAsync();
    }

    Link Wire(Link link)
    {
        _links.Add(link);
        return link;
    }

    sealed record MadeUp(IReadOnlyList<string> AssetIds);
}
