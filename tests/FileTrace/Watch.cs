using System.Text;

namespace Mavi.FileTrace;

/// <summary>
/// Tells whoever started this program, line by line on the standard output, and waits for one line of answer each on the standard input. Not the
/// console class: that listens to the ends of children, as does the tracer.
/// </summary>
sealed class Watch : IDisposable
{
    readonly StreamWriter _says = new(new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(1, ownsHandle: false), FileAccess.Write), new UTF8Encoding(false)) { AutoFlush = true };
    readonly StreamReader _hears = new(new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(0, ownsHandle: false), FileAccess.Read), Encoding.UTF8);

    /// <summary>From now on every change is told.</summary>
    public void Attached() => Say("attached");

    /// <summary>A change is about to be made.</summary>
    /// <returns>What the answer was; said again at its end.</returns>
    public string Arrived(string change, string path) => Say($"arrived\t{change}\t{path}");

    /// <summary>A change was made.</summary>
    public void Completed(string change, string path, string how) => Say($"completed\t{change}\t{path}\t{how}");

    /// <summary>The trace cannot begin.</summary>
    public void Failed(string sentence) => Say($"failed\t{sentence}");

    public void Dispose()
    {
        _says.Dispose();
        _hears.Dispose();
    }

    string Say(string line)
    {
        _says.WriteLine(line);
        return _hears.ReadLine() ?? throw new EndOfStreamException("Whoever asked for the trace is gone.");
    }
}
