using System.Diagnostics;

namespace Mavi.Chaos;

/// <summary>A process of the run that can be killed, stopped for a while, ended in order, and started again; its output goes to a log that its successors go on with.</summary>
sealed class Service(RunFolder folder, string name, string program, string[] words, IReadOnlyDictionary<string, string> environment)
{
    static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    Dictionary<string, string> _environment = new(environment);
    Process? _process;

    public string Name => name;

    public string LogFile => Path.Combine(folder.Logs, name + ".log");

    /// <summary>The process id; it has been started.</summary>
    public int Id => _process!.Id;

    /// <summary>Where it listens.</summary>
    public string Url => _environment["ASPNETCORE_URLS"];

    public bool HasEnded => _process is null or { HasExited: true };

    /// <summary>Memory that it holds now, in MiB; 0 where it has ended.</summary>
    public int ResidentMegabytes
    {
        get
        {
            try
            {
                var line = HasEnded ? null : File.ReadLines($"/proc/{_process!.Id}/status").FirstOrDefault(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
                return line is null ? 0 : int.Parse(line.AsSpan(6, line.Length - 8).Trim(), System.Globalization.CultureInfo.InvariantCulture) / 1024;
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }

    /// <summary>One fault at a time.</summary>
    public Turns Turns { get; } = new();

    /// <summary>What it is told by one of its settings.</summary>
    public string Setting(string key) => _environment[key];

    /// <summary>From the next start on.</summary>
    public void Set(string key, string value) => _environment = new Dictionary<string, string>(_environment) { [key] = value };

    public void Start()
    {
        if (folder.IsClosing)
            return;

        // The shell notes the id, which is the program's own after exec, and the log needs no reader of ours.
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = folder.Path };
        Array.ForEach(
            ["-c", """echo $$ > "$0" && log=$1 && shift && exec "$@" >> "$log" 2>&1 < /dev/null""", folder.In("pids", name), LogFile, program, .. words],
            start.ArgumentList.Add);
        foreach (var (key, value) in _environment)
            start.Environment[key] = value;
        start.Environment[RunFolder.Mark] = folder.Path;
        _process?.Dispose();
        _process = Process.Start(start)!;
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync().WaitAsync(EndLimit);
    }

    /// <summary>SIGTERM, and SIGKILL where that is not obeyed in time.</summary>
    /// <returns>False where it had to be killed.</returns>
    public async Task<bool> EndAsync()
    {
        await SignalAsync("TERM");
        try
        {
            await _process!.WaitForExitAsync().WaitAsync(EndLimit);
            return true;
        }
        catch (TimeoutException)
        {
            await KillAsync();
            return false;
        }
    }

    /// <summary>SIGSTOP: it holds its connections and answers nobody.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    async Task SignalAsync(string signal)
    {
        if (HasEnded)
            return;
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }
}
