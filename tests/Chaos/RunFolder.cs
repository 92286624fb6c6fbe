using System.Diagnostics;

namespace Mavi.Chaos;

/// <summary>
/// Everything of one run on disk. A small shell holds the other end of a pipe: when this object is disposed, or the runner ends in whatever way,
/// it kills the run's processes by their ids, unmounts what was mounted, and removes the folder, except the logs of a run that is to be looked at.
/// </summary>
sealed class RunFolder : IAsyncDisposable
{
    /// <summary>In the environment of every process of the run, so that an id that belongs to somebody else by now is let alone.</summary>
    public const string Mark = "MAVI_CHAOS_RUN";

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    const string Reaper = """
        trap '' INT TERM HUP
        cat > /dev/null
        for file in "$0"/pids/*; do
          pid=$(cat "$file" 2> /dev/null) && grep -qaF "MAVI_CHAOS_RUN=$0" "/proc/$pid/environ" 2> /dev/null && kill -9 "$pid"
        done
        for mount in "$0"/mounts/*; do
          [ -d "$mount" ] && umount -l "$mount"
        done
        for entry in "$0"/* "$0"/.[!.]*; do
          [ -e "$0/keep" ] && [ "$entry" = "$0/logs" ] && continue
          [ "$entry" = "$0/keep" ] && continue
          until rm -rf "$entry"; do sleep 0.05; done
        done
        [ -e "$0/keep" ] && rm "$0/keep" || rm -rf "$0"
        """;

    readonly Process _reaper;

    public RunFolder()
    {
        foreach (var name in new[] { "logs", "pids" })
            Directory.CreateDirectory(In(name));
        var reaper = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, WorkingDirectory = "/" };
        Array.ForEach(["-c", Reaper, Path], reaper.ArgumentList.Add);
        _reaper = Process.Start(reaper)!;
    }

    /// <summary>The run is over: nothing may be started any more, a fault that is still under way included.</summary>
    public bool IsClosing { get; private set; }

    public string Path { get; } = Directory.CreateTempSubdirectory("mavi-chaos-").FullName;

    public string Logs => In("logs");

    public string In(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    /// <summary>The logs outlive the run.</summary>
    public void KeepLogs() => File.WriteAllText(In("keep"), "");

    public async ValueTask DisposeAsync()
    {
        IsClosing = true;
        _reaper.StandardInput.Close();
        await _reaper.WaitForExitAsync().WaitAsync(Limit);
        _reaper.Dispose();
    }
}
