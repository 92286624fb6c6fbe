using System.Diagnostics;
using System.Globalization;
using Mavi.Tests.Support;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>
/// Every change that a process makes under one folder, before and after, by its system calls: it can be made to die between any two of them, and knows
/// nothing of it. The tracer is a process of its own, see <c>tests/FileTrace</c>.
/// </summary>
sealed class FileTrace : IAsyncDisposable
{
    readonly Process _tracer;
    readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Task _listening;

    FileTrace(int process, string folder, PointWatch watch, Func<string, string> nameOf)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Mavi.FileTrace.dll"), process.ToString(CultureInfo.InvariantCulture), folder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        ProcessReaper.Mark(start);
        _tracer = Process.Start(start)!;
        _listening = Task.Run(() => ListenAsync(watch, nameOf));
    }

    /// <summary>Attaches to a running process for the rest of its life; it dies with its tracer.</summary>
    /// <param name="process">Its id.</param>
    /// <param name="folder">What happens here is told.</param>
    /// <param name="watch">To whom, and who may let it die.</param>
    /// <param name="nameOf">What to call a path.</param>
    public static async Task<FileTrace> AttachAsync(int process, string folder, PointWatch watch, Func<string, string> nameOf)
    {
        var trace = new FileTrace(process, folder, watch, nameOf);
        await trace._attached.Task;
        return trace;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_tracer.HasExited)
            _tracer.Kill();
        await _listening;
        _tracer.Dispose();
    }

    async Task ListenAsync(PointWatch watch, Func<string, string> nameOf)
    {
        try
        {
            while (await _tracer.StandardOutput.ReadLineAsync() is { } line)
            {
                await _tracer.StandardInput.WriteLineAsync(Heard(line.Split('\t'), watch, nameOf));
                await _tracer.StandardInput.FlushAsync();
            }
        }
        catch (IOException)
        {
            // The tracer ended with the traced process, under an answer.
        }

        _attached.TrySetException(new IOException("The tracer ended before it began: see its error output."));
    }

    string Heard(string[] line, PointWatch watch, Func<string, string> nameOf)
    {
        switch (line)
        {
            case ["attached"]:
                _attached.TrySetResult();
                return "";
            case ["arrived", var change, var path]:
                return watch.Arrive($"file {change} {nameOf(path)}").ToString();
            case ["completed", var change, var path, var how]:
                watch.Completed($"file {change} {nameOf(path)}", Enum.Parse<Passing>(how), changed: true);
                return "";
            default:
                _attached.TrySetException(new IOException(string.Join(' ', line.Skip(1))));
                return "";
        }
    }
}
