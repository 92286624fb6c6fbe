using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Mavi.Tests.Support;

/// <summary>
/// One private node of the installed PostgreSQL: own folder and port, on 127.0.0.1 only. The server refuses to run as root, so root starts it as
/// <c>postgres</c> (or <c>nobody</c>). A small shell holds the other end of a pipe: when this object is disposed, or the test process ends in
/// whatever way, it stops the node by its id and removes the folder.
/// </summary>
sealed class PostgresNode : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // The command line is looked at because an id may belong to somebody else by now. SIGQUIT: at once, but without leaving shared memory behind.
    const string Reaper = """
        trap '' INT TERM HUP
        cat > /dev/null
        pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null)
        ours() { [ -n "$pid" ] && grep -qaF "$0/data" "/proc/$pid/cmdline" 2> /dev/null; }
        ours && kill -QUIT "$pid"
        while ours; do sleep 0.05; done
        rm -rf "$0"
        """;

    // Without fsync a machine that crashes would lose data, a server that is killed does not. Everything else a promise rests on is as usual.
    static readonly string[] Settings =
    [
        "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off", "max_connections=500", "shared_buffers=64MB",
        "timezone=UTC", "log_timezone=UTC", "lc_messages=C",
    ];

    readonly string folder = Directory.CreateTempSubdirectory("mavi-postgres-").FullName;
    readonly string binaries = FindBinaries();
    readonly int port = FreePorts.Next();
    readonly ConcurrentQueue<string> output = new();
    readonly Process reaper;
    Process? server;

    PostgresNode()
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, WorkingDirectory = "/" };
        Array.ForEach(["-c", Reaper, folder], start.ArgumentList.Add);
        reaper = Process.Start(start)!;
    }

    public string ConnectionString => $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;GSS Encryption Mode=Disable";

    /// <summary>The server itself; each connection is a process below it.</summary>
    public int ProcessId => server?.Id ?? throw new InvalidOperationException("The private PostgreSQL node is not running.");

    public static async Task<PostgresNode> StartAsync()
    {
        var node = new PostgresNode();
        try
        {
            if (Environment.IsPrivilegedProcess)
                await node.FinishAsync(node.Run("chown", User, node.folder), "giving it its folder");
            await node.FinishAsync(
                node.RunAsUser("initdb", "-D", node.Data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"),
                "its initdb");
            await node.RunAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server and returns when it takes connections.</summary>
    public async Task RunAsync()
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server = RunAsUser("postgres", ["-D", Data, "-p", $"{port}", .. Settings.SelectMany(setting => new[] { "-c", setting })], line =>
        {
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
                ready.TrySetResult();
        });
        var ended = server.WaitForExitAsync();
        if (await Task.WhenAny(ready.Task, ended).WaitAsync(Limit) == ended)
            throw new InvalidOperationException($"The private PostgreSQL node ended at once. It said:\n{Said()}");
    }

    /// <summary>SIGINT: sessions are ended, then the server.</summary>
    public Task StopAsync() => EndAsync(running => Process.Start("kill", ["-INT", $"{running.Id}"]).Dispose());

    /// <summary>SIGKILL for the server and each of its processes: one that lived on would keep the next start from the data.</summary>
    public Task KillAsync() => EndAsync(running => running.Kill(entireProcessTree: true));

    public async ValueTask DisposeAsync()
    {
        reaper.StandardInput.Close();
        await reaper.WaitForExitAsync().WaitAsync(Limit);
        reaper.Dispose();
        server?.Dispose();
    }

    static string User => File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    string Data => Path.Combine(folder, "data");

    async Task EndAsync(Action<Process> how)
    {
        var running = server ?? throw new InvalidOperationException("The private PostgreSQL node is not running.");
        server = null;
        how(running);
        await running.WaitForExitAsync().WaitAsync(Limit);
        running.Dispose();
    }

    async Task FinishAsync(Process process, string what)
    {
        using (process)
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"No private PostgreSQL node: {what} ended with {process.ExitCode}. It said:\n{Said()}");
        }
    }

    Process RunAsUser(string program, params string[] words) => RunAsUser(program, words, null);

    Process RunAsUser(string program, string[] words, Action<string>? heard) => Environment.IsPrivilegedProcess
        ? Run("setpriv", [$"--reuid={User}", "--regid=nogroup", "--clear-groups", Path.Combine(binaries, program), .. words], heard)
        : Run(Path.Combine(binaries, program), words, heard);

    Process Run(string program, params string[] words) => Run(program, words, null);

    Process Run(string program, string[] words, Action<string>? heard)
    {
        var start = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        Array.ForEach(words, start.ArgumentList.Add);
        // Nothing of the caller's own settings (PGDATA, PGHOST, PGPORT) may lead elsewhere.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Hear(string? line)
        {
            if (line == null)
                return;
            output.Enqueue(line);
            heard?.Invoke(line);
        }
    }

    string Said() => string.Join('\n', output.TakeLast(30));

    static string FindBinaries()
    {
        const string Debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(Debian) ? Directory.GetDirectories(Debian) : [];
        var packaged = versions
            .OrderByDescending(version => double.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Select(version => Path.Combine(version, "bin"));
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return packaged.Concat(onPath).FirstOrDefault(place => File.Exists(Path.Combine(place, "initdb"))) ?? throw new InvalidOperationException(
            "PostgreSQL is not installed; install it (apt-get install postgresql) or name a server in TEST_LEDGER, as a connection string.");
    }
}
