using System.Diagnostics;

namespace Mavi.Tests.Support;

/// <summary>
/// A small shell that holds the other end of a pipe: when the test process ends, in whatever way, it kills the processes it was told of and removes
/// their folders. What a test disposes in order it finds gone already.
/// </summary>
static class ProcessReaper
{
    const string Variable = "MAVI_TEST_RUN";

    // The environment is looked at because an id may belong to somebody else by now.
    const string Script = """
        trap '' INT TERM HUP
        while read -r pid; do pids="$pids $pid"; done
        for pid in $pids; do
          grep -qaF "MAVI_TEST_RUN=$0" "/proc/$pid/environ" 2> /dev/null && kill -9 "$pid"
        done
        until rm -rf "$0"; do sleep 0.05; done
        """;

    static readonly string Run = Directory.CreateTempSubdirectory("mavi-services-").FullName;
    static readonly StreamWriter Shell = Start();
    static int _folders;

    /// <summary>A new folder for one process.</summary>
    public static string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(Run, $"{name}-{Interlocked.Increment(ref _folders)}")).FullName;

    /// <summary>Before the start: by this the process is known as ours.</summary>
    public static void Mark(ProcessStartInfo start) => start.Environment[Variable] = Run;

    /// <summary>After the start.</summary>
    public static void Watch(Process process)
    {
        lock (Shell)
            Shell.WriteLine(process.Id);
    }

    static StreamWriter Start()
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        Array.ForEach(["-c", Script, Run], start.ArgumentList.Add);
        var input = Process.Start(start)!.StandardInput;
        input.AutoFlush = true;
        return input;
    }
}
