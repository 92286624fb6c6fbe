using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Mavi.Tests.Support;

namespace Mavi.Chaos;

/// <summary>A private broker of one node or three, on 127.0.0.1 only, with a port mapper (epmd) of its own.</summary>
sealed class Broker
{
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);

    static readonly HttpClient Http = new()
    {
        Timeout = TimeSpan.FromSeconds(10),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("guest:guest"u8)) },
    };

    readonly Service _epmd;

    public Broker(RunFolder folder, int nodes)
    {
        var epmdPort = FreePorts.Next();
        var names = Enumerable.Range(1, nodes).Select(static n => $"n{n}@localhost").ToArray();
        Nodes = [.. names.Select(name => new BrokerNode(folder, name, epmdPort, names))];
        _epmd = new Service(folder, "epmd", "epmd", ["-port", $"{epmdPort}", "-address", "127.0.0.1"], new Dictionary<string, string>());
    }

    public IReadOnlyList<BrokerNode> Nodes { get; }

    public async Task StartAsync(CancellationToken stop)
    {
        _epmd.Start();
        foreach (var node in Nodes)
            node.Process.Start();
        foreach (var node in Nodes)
            await node.ReadyAsync(StartLimit, stop);
        await Waiting.ForAsync(
            $"{Nodes.Count} running nodes", async () => (await GetAsync("/api/nodes")).EnumerateArray().Count(static node => node.TryGetProperty("running", out var running) && running.GetBoolean()) == Nodes.Count,
            StartLimit, stop);
    }

    /// <summary>A virtual host of that name, open to the one user there is.</summary>
    public async Task MakeVirtualHostAsync(string name)
    {
        var management = await ManagementAsync();
        using var made = await Http.PutAsync(new Uri(management, $"/api/vhosts/{name}"), content: null);
        made.EnsureSuccessStatusCode();
        using var granted = await Http.PutAsJsonAsync(new Uri(management, $"/api/permissions/{name}/guest"), new { configure = ".*", write = ".*", read = ".*" });
        granted.EnsureSuccessStatusCode();
    }

    /// <summary>Of the server, such as 4.0.5.</summary>
    public async Task<string> VersionAsync() => (await GetAsync("/api/overview")).GetProperty("rabbitmq_version").GetString()!;

    /// <summary>The node that leads a queue; null where nobody can say.</summary>
    public async Task<BrokerNode?> LeaderAsync(string queue)
    {
        try
        {
            var leader = (await GetAsync($"/api/queues/%2F/{queue}")).TryGetProperty("leader", out var name) ? name.GetString() : null;
            return Nodes.FirstOrDefault(node => node.Name == leader);
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The management address of a node that answers.</summary>
    public async Task<Uri> ManagementAsync()
    {
        foreach (var node in Nodes)
        {
            try
            {
                using var answer = await Http.GetAsync(new Uri(node.Management, "/api/overview"));
                if (answer.IsSuccessStatusCode)
                    return node.Management;
            }
            catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException)
            {
                // The next one.
            }
        }

        throw new HttpRequestException("No node of the broker answers on its management port.");
    }

    async Task<JsonElement> GetAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(new Uri(await ManagementAsync(), path));
}

/// <summary>One node of the installed <c>rabbitmq-server</c>.</summary>
sealed class BrokerNode
{
    readonly int _port = FreePorts.Next();
    readonly int _managementPort = FreePorts.Next();

    public BrokerNode(RunFolder folder, string name, int epmdPort, string[] all)
    {
        Name = name;
        var place = folder.In("broker-" + name.Split('@')[0]);
        Directory.CreateDirectory(place);
        File.WriteAllText(Path.Combine(place, "env.conf"), "");
        File.WriteAllText(Path.Combine(place, "enabled_plugins"), "[rabbitmq_management].\n");
        File.WriteAllText(Path.Combine(place, "rabbitmq.conf"), Configuration(all));
        var cookie = folder.In(".erlang.cookie");
        if (!File.Exists(cookie))
        {
            File.WriteAllText(cookie, Guid.NewGuid().ToString("N"));
            File.SetUnixFileMode(cookie, UnixFileMode.UserRead);
        }

        Process = new Service(folder, "broker-" + name.Split('@')[0], Program(), [], new Dictionary<string, string>
        {
            ["HOME"] = folder.Path,
            ["ERL_EPMD_PORT"] = $"{epmdPort}",
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODENAME"] = name,
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_NODE_PORT"] = $"{_port}",
            ["RABBITMQ_DIST_PORT"] = $"{FreePorts.Next()}",
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(place, "mnesia"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(place, "log"),
            ["RABBITMQ_LOGS"] = "-",
            ["RABBITMQ_PID_FILE"] = Path.Combine(place, "pid"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(place, "enabled_plugins"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(place, "rabbitmq.conf"),
            ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(place, "advanced.config"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(place, "env.conf"),
            ["RABBITMQ_SCHEMA_DIR"] = Path.Combine(place, "schema"),
            ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(place, "generated"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
            // The script then becomes the node instead of starting it, so that the process id is the node's.
            ["RUNNING_UNDER_SYSTEMD"] = "true",
        });
    }

    public string Name { get; }

    public Service Process { get; }

    public int Port => _port;

    public string Amqp => $"amqp://guest:guest@127.0.0.1:{_port}/";

    public Uri Management => new($"http://127.0.0.1:{_managementPort}");

    /// <summary>Returns when it takes connections.</summary>
    public Task ReadyAsync(TimeSpan limit, CancellationToken stop) => Waiting.ForAsync($"{Name} to take connections", async () =>
    {
        using var client = new System.Net.Sockets.TcpClient();
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await client.ConnectAsync("127.0.0.1", _port, stop);
        using var answer = await http.GetAsync(Management, stop);
        return answer.IsSuccessStatusCode;
    }, limit, stop);

    string Configuration(string[] all) => $"""
        management.tcp.ip = 127.0.0.1
        management.tcp.port = {_managementPort}
        loopback_users.guest = false
        vm_memory_high_watermark.absolute = 1GB
        disk_free_limit.absolute = 50MB
        log.console = true
        log.console.level = info

        """ + (all.Length == 1 ? "" : $"""
        cluster_formation.peer_discovery_backend = classic_config
        {string.Join('\n', all.Select(static (name, index) => $"cluster_formation.classic_config.nodes.{index + 1} = {name}"))}
        cluster_partition_handling = autoheal
        net_ticktime = 5

        """);

    static string Program()
    {
        // The packaged one first: what Debian puts on the path is a wrapper that changes to the user rabbitmq when root calls it.
        var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Select(static folder => Path.Combine(folder, "rabbitmq-server"));
        return places.Prepend("/usr/lib/rabbitmq/bin/rabbitmq-server").FirstOrDefault(File.Exists) ?? throw new SettingsException(
            "rabbitmq-server is not installed; the chaos needs brokers of its own: install it (apt-get install rabbitmq-server).");
    }
}
