using System.Globalization;

namespace Mavi.AllInOne;

/// <summary>What the person sees: one line per event with its time, and on a terminal a last line that moves while something runs.</summary>
sealed class Screen : IDisposable
{
    static readonly TimeSpan MovesEvery = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan SaysEvery = TimeSpan.FromSeconds(5);

    readonly bool isTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
    readonly bool hasColor = Environment.GetEnvironmentVariable("NO_COLOR") is null or "";
    readonly long started = TimeProvider.System.GetTimestamp();
    readonly Lock gate = new();
    bool isMoving;

    public void Headline(string text) => Write(isTerminal && hasColor ? $"\e[1m{text}\e[0m" : text);

    public void Say(string text) => Write(string.Create(CultureInfo.InvariantCulture, $"[{Elapsed.TotalSeconds,6:0.0} s] {text}"));

    public void Line(string text = "") => Write(text);

    /// <summary>Shows what is going on until the task ends: on a terminal in place, elsewhere a line now and then.</summary>
    public async Task<T> WhileAsync<T>(Func<string> status, Task<T> task, CancellationToken cancel)
    {
        var lastSaid = Elapsed;
        while (await Task.WhenAny(task, Task.Delay(MovesEvery, cancel)) != task)
        {
            cancel.ThrowIfCancellationRequested();
            if (isTerminal)
            {
                Move(status());
            }
            else if (Elapsed - lastSaid >= SaysEvery)
            {
                lastSaid = Elapsed;
                Say(status());
            }
        }

        return await task;
    }

    public void Dispose()
    {
        lock (gate)
            Clear();
    }

    TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(started);

    void Write(string line)
    {
        lock (gate)
        {
            Clear();
            Console.Out.WriteLine(line);
        }
    }

    void Move(string text)
    {
        lock (gate)
        {
            Clear();
            var line = string.Create(CultureInfo.InvariantCulture, $"[{Elapsed.TotalSeconds,6:0.0} s] {text}");
            // A line that wraps could not be taken back.
            var width = Console.WindowWidth > 20 ? Console.WindowWidth - 1 : 79;
            Console.Out.Write(line.Length > width ? line[..width] : line);
            isMoving = true;
        }
    }

    void Clear()
    {
        if (isMoving)
            Console.Out.Write("\r\e[2K");
        isMoving = false;
    }
}
