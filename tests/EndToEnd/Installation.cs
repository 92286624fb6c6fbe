using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mavi.Tests.Support;
using Npgsql;
using RabbitMQ.Client;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

/// <summary>
/// The whole installation as it is run: the gateway, the Sandbox and any number of workers, each a process of its own, on a real broker and a real
/// PostgreSQL. Tests enter by the bus, and see what comes out on it, in the Sandbox's journal and in the ledger.
/// </summary>
sealed class Installation : IAsyncDisposable
{
    public const string Key = "key-of-the-account-4711";
    public const string Secret = "secret-of-the-gateway-4711";

    /// <summary>The history of a request is told in the order of its times; moved together, all of them stay in it.</summary>
    const string MoveBack = """
        update submissions set attempted_at = attempted_at - @by, lease_until = lease_until - @by, uncertain_at = uncertain_at - @by,
                               announce_at = announce_at - @by, created_at = created_at - @by;
        update tasks set created_at = created_at - @by, received_at = received_at - @by, announce_at = announce_at - @by;
        """;

    readonly ITestOutputHelper _log;
    readonly List<ServiceProcess> _all = [];
    readonly List<ServiceProcess> _workers = [];
    readonly (string Name, string Value)[] _settings;
    readonly string _spool = ProcessReaper.NewFolder("spool");
    readonly NpgsqlDataSource _rows;
    HttpClient? _sandbox;

    Installation(string broker, string ledger, (string, string)[] settings, ITestOutputHelper log)
    {
        (Broker, Ledger, _settings, _log) = (broker, ledger, settings, log);
        _rows = NpgsqlDataSource.Create(ledger);
    }

    public string Broker { get; }

    public string Ledger { get; }

    public ServiceProcess Gateway { get; private set; } = null!;

    public ServiceProcess Sandbox { get; private set; } = null!;

    /// <summary>Every worker that was started, in order; some may have ended.</summary>
    public IReadOnlyList<ServiceProcess> Workers => _workers;

    /// <summary>Every process that was started; some may have ended.</summary>
    public IReadOnlyList<ServiceProcess> Processes => _all;

    public EventRecorder Events { get; private set; } = null!;

    /// <summary>The Sandbox, its API under <c>serve/api/v2/</c> and its switches under <c>sandbox/</c>.</summary>
    public HttpClient Mavi => _sandbox!;

    /// <summary>Starts everything, on the test run's broker and database unless told otherwise, and returns when it is ready.</summary>
    public static async Task<Installation> StartAsync(
        ITestOutputHelper log, int workers = 1, string? broker = null, string? ledger = null,
        (string, string)[]? worker = null, (string, string)[]? sandbox = null, (string, string)[]? gateway = null)
    {
        broker ??= await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync();
        ledger ??= await (await PrivatePostgres.SharedAsync()).CreateDatabaseAsync();
        var installation = new Installation(broker, ledger, worker ?? [], log);
        try
        {
            installation.Events = await EventRecorder.StartAsync(broker);
            await installation.LaunchAsync(gateway ?? [], sandbox ?? []);
            await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => installation.StartWorkerAsync()));
            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

    /// <summary>The processes alone, started while broker and database may not be there; <see cref="ConnectAsync"/> when they are.</summary>
    public static async Task<Installation> LaunchAsync(ITestOutputHelper log, string broker, string ledger)
    {
        var installation = new Installation(broker, ledger, [], log);
        await installation.LaunchAsync([], []);
        installation.LaunchWorker();
        return installation;
    }

    /// <summary>Listens on the bus, once there is one.</summary>
    public async Task ConnectAsync() => Events = await EventRecorder.StartAsync(Broker);

    /// <summary>One worker more, ready.</summary>
    public Task<ServiceProcess> StartWorkerAsync() => LaunchWorker().ReadyAsync();

    /// <summary>One worker more; returns at once.</summary>
    public ServiceProcess LaunchWorker()
    {
        var worker = ServiceProcess.Start(
            ServiceProcess.Worker,
            [
                ("ConnectionStrings__RabbitMq", Broker), ("ConnectionStrings__Ledger", $"{Ledger};Application Name={NameOf(_workers.Count)}"),
                ("Mavi__BaseUrl", $"{_sandbox!.BaseAddress}serve/api/v2"), ("Mavi__ApiKey", Key), ("Mavi__RequestsPerSecond", "100"),
                ("Worker__SweepInterval", "00:00:00.5"), .. _settings,
            ]);
        lock (_all)
        {
            _all.Add(worker);
            _workers.Add(worker);
        }

        return worker;
    }

    /// <summary>SIGTERM to the gateway, and the next one at the same address with the same spool.</summary>
    public async Task RestartGatewayAsync()
    {
        var address = await Gateway.AddressAsync();
        Gateway.Terminate();
        Assert.Equal(0, await Gateway.ExitCodeAsync());
        await LaunchGateway([("ASPNETCORE_URLS", $"{address}")]).ReadyAsync();
    }

    /// <summary>SIGTERM to every worker that runs. What is in hand is finished, so what is on the bus then is all there will be.</summary>
    public async Task StopWorkersAsync()
    {
        var running = _workers.Where(worker => !worker.HasExited).ToList();
        running.ForEach(worker => worker.Terminate());
        foreach (var worker in running)
            Assert.Equal(0, await worker.ExitCodeAsync());
    }

    /// <summary>Publishes a command as plain JSON, the way any language does.</summary>
    public Task PublishAsync<T>(Guid requestId, string assetId) =>
        PublishBodyAsync<T>(JsonSerializer.Serialize(new { requestId, assetId }));

    /// <summary>Publishes a message in MassTransit's envelope, written by hand.</summary>
    public Task PublishEnvelopeAsync<T>(T message) => PublishBodyAsync<T>(
        JsonSerializer.Serialize(new { messageId = Guid.NewGuid(), messageType = new[] { $"urn:message:Mavi.Contracts:{typeof(T).Name}" }, message }, JsonSerializerOptions.Web),
        "application/vnd.masstransit+json");

    public Task PublishBodyAsync<T>(string body, string contentType = "application/json") =>
        Events.Bus.PublishAsync(AmqpClient.ExchangeOf<T>(), Encoding.UTF8.GetBytes(body), new BasicProperties { ContentType = contentType });

    /// <summary>New assets without an upload; tasks on them give made-up results at once. One asset per request makes the journal tell whose POST it was.</summary>
    public async Task<string[]> AssetsAsync(int count)
    {
        using var answer = await Mavi.PostAsJsonAsync("sandbox/assets", new { count });
        return [.. (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("assetIds").EnumerateArray().Select(id => id.GetString()!)];
    }

    /// <summary>New requests, each for an asset of its own; nothing is published yet.</summary>
    public async Task<IReadOnlyList<Request>> RequestsAsync(int count) => [.. (await AssetsAsync(count)).Select(asset => new Request(Guid.NewGuid(), asset))];

    public async Task ArmAsync(string rules)
    {
        using var content = new StringContent($$"""{ "rules": {{rules}} }""");
        using var answer = await Mavi.PutAsync(new Uri("sandbox/faults", UriKind.Relative), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The POSTs the Sandbox saw, in order: of an operation (<c>split</c>, <c>extract-frames</c>), or all.</summary>
    public async Task<IReadOnlyList<Post>> PostsAsync(string? operation = null)
    {
        var journal = await Mavi.GetFromJsonAsync<JsonElement>("sandbox/journal?bodies=false");
        return [.. journal.GetProperty("submissions").Deserialize<Post[]>(JsonSerializerOptions.Web)!.Where(post => operation is null || post.Operation == operation)];
    }

    /// <summary>Waits for a POST for an asset that is as it should be.</summary>
    public Task<Post> PostAsync(string what, string assetId, Func<Post, bool> isSo) => Eventually.GetAsync(
        $"the POST for {assetId} to be {what}", async () => (await PostsAsync()).FirstOrDefault(post => post.AssetId == assetId && isSo(post)));

    /// <summary>One value of the ledger.</summary>
    public async Task<T?> ReadAsync<T>(string sql)
    {
        await using var command = _rows.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>The state of a request in the ledger; null where it is not there.</summary>
    public Task<string?> StateAsync(Guid requestId) => ReadAsync<string>($"select state from submissions where request_id = '{requestId}'");

    /// <summary>Every row of every table, as text.</summary>
    public async Task<IReadOnlyList<string>> DumpAsync()
    {
        var rows = new List<string>();
        foreach (var table in new[] { "accounts", "rate_slots", "submissions", "tasks", "callbacks", "history" })
        {
            await using var command = _rows.CreateCommand($"select t::text from {table} t");
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                rows.Add($"{table} {reader.GetString(0)}");
        }

        return rows;
    }

    /// <summary>Lets two minutes pass for every request and task there is: the end of a lease or of a grace period need not be waited for.</summary>
    public async Task AgeAsync()
    {
        await using var command = _rows.CreateCommand(MoveBack);
        command.Parameters.AddWithValue("by", (long)TimeSpan.FromMinutes(2).TotalMicroseconds);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>As <see cref="AgeAsync"/>, once the callback of a submission that nobody recorded is there: it waits 10 s for it otherwise.</summary>
    public async Task AgeTheOrphanAsync()
    {
        await Eventually.TrueAsync(
            "the callback to wait for its submission", async () => await ReadAsync<long>("select count(*) from tasks where state = 'AwaitingSubmission'") == 1);
        await AgeAsync();
    }

    /// <summary>Waits until the last worker waits for a lock with a statement that has <paramref name="text"/> in it, <c>%</c> for any.</summary>
    public Task WaitsForLockAsync(string text) => Eventually.TrueAsync(
        $"the worker to wait with a statement like {text}",
        async () => await ReadAsync<long>(
            $"select count(*) from pg_stat_activity where application_name = '{NameOf(_workers.Count - 1)}' and wait_event_type = 'Lock' and query like '%{text}%'") > 0);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _all)
        {
            await process.DisposeAsync();
            // What a failed test shows.
            _log.WriteLine($"--- {process.Service} {process.Output}\n{process.Errors}");
        }

        _sandbox?.Dispose();
        await _rows.DisposeAsync();
        if (Events is not null)
            await Events.DisposeAsync();
    }

    /// <summary>What the ledger's server knows a worker as.</summary>
    static string NameOf(int worker) => $"worker-{worker}";

    async Task LaunchAsync((string, string)[] gateway, (string, string)[] sandbox)
    {
        var webhook = new Uri(await LaunchGateway(gateway).AddressAsync(), $"callbacks/mavi/{Secret}");
        Sandbox = ServiceProcess.Start(
            ServiceProcess.Sandbox,
            [
                ("Sandbox__WebhookUrls__0", $"{webhook}"), ("Sandbox__WebhookRetryDelaySeconds", "0.2"), ("Sandbox__ApiKey", Key),
                ("Sandbox__RequestsPerSecond", "0"), .. sandbox,
            ]);
        _all.Add(Sandbox);
        _sandbox = new HttpClient { BaseAddress = await Sandbox.AddressAsync() };
        await Sandbox.ReadyAsync();
    }

    ServiceProcess LaunchGateway((string, string)[] settings)
    {
        Gateway = ServiceProcess.Start(
            ServiceProcess.Gateway,
            [("ConnectionStrings__RabbitMq", Broker), ("Gateway__Secrets__0", Secret), ("Gateway__SpoolDirectory", _spool), .. settings]);
        _all.Add(Gateway);
        return Gateway;
    }
}

/// <summary>A request that a test makes.</summary>
sealed record Request(Guid Id, string AssetId);

/// <summary>A POST as the Sandbox's journal tells it.</summary>
sealed record Post(string Operation, string AssetId, double MonotonicMs, int? Status, bool Accepted, string? TaskId);
