using System.Collections.Concurrent;
using System.Diagnostics;

namespace Mavi.Tests.Support;

/// <summary>
/// One private node of the installed <c>rabbitmq-server</c>: own folder, ports, cookie and port mapper (epmd), everything on 127.0.0.1, as root
/// or not. A small shell holds the other end of a pipe: when this object is disposed, or the test process ends in whatever way, it kills
/// the node and its epmd by their ids and removes the folder.
/// </summary>
sealed class RabbitNode : IAsyncDisposable
{
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    // The environment is looked at because an id may belong to somebody else by now.
    const string Reaper = """
        trap '' INT TERM HUP
        cat > /dev/null
        for file in "$0"/*.pid; do
          pid=$(cat "$file") && grep -qaF "HOME=$0" "/proc/$pid/environ" && kill -9 "$pid"
        done
        until rm -rf "$0"; do sleep 0.05; done
        """;

    readonly string _folder = Directory.CreateTempSubdirectory("mavi-rabbit-").FullName;
    readonly int _amqpPort;
    readonly int _managementPort;
    readonly int _distributionPort;
    readonly int _epmdPort;
    readonly Process _reaper;
    readonly Process _epmd;
    readonly ConcurrentQueue<string> _output = new();
    Process? _node;

    RabbitNode()
    {
        (_amqpPort, _managementPort, _distributionPort, _epmdPort) = (FreePorts.Next(), FreePorts.Next(), FreePorts.Next(), FreePorts.Next());
        WriteFiles();
        var reaper = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardError = true };
        Array.ForEach(["-c", Reaper, _folder], reaper.ArgumentList.Add);
        _reaper = Process.Start(reaper)!;
        _epmd = Process.Start(Command("epmd", "epmd", "-port", $"{_epmdPort}", "-address", "127.0.0.1"))!;
    }

    public Uri Amqp => new($"amqp://guest:guest@127.0.0.1:{_amqpPort}/");

    public Uri Management => new($"http://127.0.0.1:{_managementPort}/");

    public static RabbitNode Prepare() => new();

    public static async Task<RabbitNode> StartAsync()
    {
        var node = new RabbitNode();
        try
        {
            await node.RunAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the node and returns when it takes connections.</summary>
    public async Task RunAsync()
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var command = Command("node", ServerScript());
        command.RedirectStandardOutput = command.RedirectStandardError = true;
        _node = new Process { StartInfo = command, EnableRaisingEvents = true };
        _node.OutputDataReceived += (_, line) => Read(line.Data);
        _node.ErrorDataReceived += (_, line) => Read(line.Data);
        _node.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"The private RabbitMQ node ended at once. It said:\n{Said()}"));
        _node.Start();
        _node.BeginOutputReadLine();
        _node.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(StartLimit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The private RabbitMQ node was not ready within {StartLimit.TotalSeconds:0} s. It said:\n{Said()}");
        }

        void Read(string? line)
        {
            if (line is null)
                return;
            _output.Enqueue(line);
            if (line.Contains("Server startup complete", StringComparison.Ordinal))
                ready.TrySetResult();
        }
    }

    /// <summary>SIGTERM: the node closes its queues and ends.</summary>
    public Task StopAsync() => EndAsync(node => Process.Start("kill", ["-TERM", $"{node.Id}"]).Dispose());

    /// <summary>SIGKILL: what a crash is.</summary>
    public Task KillAsync() => EndAsync(node => node.Kill());

    public async ValueTask DisposeAsync()
    {
        _reaper.StandardInput.Close();
        await _reaper.WaitForExitAsync().WaitAsync(EndLimit);
        Array.ForEach([_reaper, _epmd, _node], process => process?.Dispose());
    }

    async Task EndAsync(Action<Process> how)
    {
        var node = _node ?? throw new InvalidOperationException("The private RabbitMQ node is not running.");
        how(node);
        await node.WaitForExitAsync().WaitAsync(EndLimit);
        File.Delete(Path.Combine(_folder, "node.pid"));
        node.Dispose();
        _node = null;
    }

    string Said() => string.Join('\n', _output.TakeLast(30));

    /// <summary>A command in the node's own environment that leaves its process id in the folder.</summary>
    ProcessStartInfo Command(string name, params string[] words)
    {
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = _folder };
        Array.ForEach(["-c", """echo $$ > "$0" && exec "$@" """, Path.Combine(_folder, name + ".pid"), .. words], start.ArgumentList.Add);
        foreach (var (key, value) in Settings())
            start.Environment[key] = value;
        return start;
    }

    Dictionary<string, string> Settings() => new()
    {
        // Erlang makes its cookie in there.
        ["HOME"] = _folder,
        ["ERL_EPMD_PORT"] = $"{_epmdPort}",
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODENAME"] = "mavi@localhost",
        ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODE_PORT"] = $"{_amqpPort}",
        ["RABBITMQ_DIST_PORT"] = $"{_distributionPort}",
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(_folder, "mnesia"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(_folder, "log"),
        ["RABBITMQ_LOGS"] = "-",
        ["RABBITMQ_PID_FILE"] = Path.Combine(_folder, "rabbit-pid"),
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(_folder, "enabled_plugins"),
        ["RABBITMQ_CONFIG_FILE"] = Path.Combine(_folder, "rabbitmq.conf"),
        ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(_folder, "advanced.config"),
        ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(_folder, "env.conf"),
        ["RABBITMQ_SCHEMA_DIR"] = Path.Combine(_folder, "schema"),
        ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(_folder, "generated"),
        // Two cores are shared with the tests: the schedulers must not spin while they have nothing to do.
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        // The script then becomes the node instead of starting it, so that the process id is the node's.
        ["RUNNING_UNDER_SYSTEMD"] = "true",
    };

    void WriteFiles()
    {
        File.WriteAllText(Path.Combine(_folder, "env.conf"), "");
        File.WriteAllText(Path.Combine(_folder, "enabled_plugins"), "[rabbitmq_management].\n");
        File.WriteAllText(
            Path.Combine(_folder, "rabbitmq.conf"),
            $"""
            management.tcp.ip = 127.0.0.1
            management.tcp.port = {_managementPort}
            loopback_users.guest = false
            vm_memory_high_watermark.absolute = 1GB
            disk_free_limit.absolute = 50MB
            log.console = true
            log.console.level = info

            """);
    }

    static string ServerScript()
    {
        // The packaged one first: what Debian puts on the path is a wrapper that changes to the user rabbitmq when root calls it.
        var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Select(folder => Path.Combine(folder, "rabbitmq-server"));
        return places.Prepend("/usr/lib/rabbitmq/bin/rabbitmq-server").FirstOrDefault(File.Exists) ?? throw new InvalidOperationException(
            "rabbitmq-server is not installed; install it (apt-get install rabbitmq-server) or name a broker in TEST_RABBITMQ.");
    }
}
