namespace Mavi.Tests.CrashEnumeration;

/// <summary>Runs one history without a death, to find its points and its end, then with a death at each of them, and compares the ends.</summary>
sealed class Enumeration(string name, Func<Task<ILane>> startLane, int lanes, int? most)
{
    readonly List<string> _wrong = [];
    readonly List<Death> _notReached = [];
    string _end = "";

    public IReadOnlyList<Point> Points { get; private set; } = [];

    public int Crashes { get; private set; }

    /// <summary>Deaths that did not come about, because the run took another way.</summary>
    public IReadOnlyList<Death> NotReached => _notReached;

    /// <summary>What ended otherwise, a paragraph each.</summary>
    public IReadOnlyList<string> Wrong => _wrong;

    /// <summary>How every run must end.</summary>
    public string End => _end;

    public async Task RunAsync()
    {
        await using var first = await startLane();
        await first.LearnAsync();
        var (reference, points, _) = await first.RunAsync(null);
        (_end, Points) = (reference, points);
        if (points.Count == 0)
            throw new InvalidOperationException($"{name}: no point was found, which cannot be; the links do not see what the process does.");

        var deaths = new Queue<Death>(Chosen([.. points.SelectMany(static point => new[] { new Death(point, Side.Before), new Death(point, Side.After) })]));
        await Task.WhenAll([DieAsync(first, deaths), .. Enumerable.Range(1, lanes - 1).Select(async _ =>
        {
            await using var lane = await startLane();
            await DieAsync(lane, deaths);
        })]);
    }

    async Task DieAsync(ILane lane, Queue<Death> deaths)
    {
        while (Next(deaths) is { } death)
        {
            try
            {
                var (end, _, died) = await lane.RunAsync(death);
                if (!died)
                    (end, _, died) = await lane.RunAsync(death);
                lock (_wrong)
                {
                    Crashes += died ? 1 : 0;
                    if (!died)
                        _notReached.Add(death);
                    if (end != _end)
                        _wrong.Add($"{death}: ended as\n    {end}\n  and not as\n    {_end}");
                }
            }
#pragma warning disable CA1031 // Whatever goes wrong in a run is reported with its death, and the other deaths are died all the same.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                lock (_wrong)
                    _wrong.Add($"{death}: {(exception is WrongEndException or TimeoutException ? exception.Message : exception)}");
                await lane.StartOverAsync();
            }
        }
    }

    static Death? Next(Queue<Death> deaths)
    {
        lock (deaths)
            return deaths.TryDequeue(out var death) ? death : null;
    }

    /// <summary>All, or so many spread over the history.</summary>
    IEnumerable<Death> Chosen(IReadOnlyList<Death> deaths) => most is { } count && count < deaths.Count
        ? Enumerable.Range(0, count).Select(index => deaths[(int)((index + 0.5) * deaths.Count / count)])
        : deaths;
}

/// <summary>A world and the process in it that may die, for one run after the other: whoever was started after a death is the next to die.</summary>
interface ILane : IAsyncDisposable
{
    /// <summary>Learns what the process does by itself. Once per history, before its first run.</summary>
    Task LearnAsync();

    /// <summary>Plays the history, with a death if there is one; returns how it ended, the points it had, and whether the process died.</summary>
    /// <exception cref="WrongEndException">It did not end.</exception>
    Task<(string End, IReadOnlyList<Point> Points, bool Died)> RunAsync(Death? death);

    /// <summary>Throws the world away, with what a run that ended wrong has left in it.</summary>
    Task StartOverAsync();
}

/// <summary>A run that did not end as it must.</summary>
sealed class WrongEndException(string message) : Exception(message);
