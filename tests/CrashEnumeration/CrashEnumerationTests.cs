using Xunit.Abstractions;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>
/// Wherever the worker dies, the end is the same: at most one accepted POST, one outcome under one id, nothing left in a queue, a spool or an open
/// state. By default some deaths of some histories; with <c>CRASH_ALL=1</c> every history dies before and after every point.
/// </summary>
public sealed class CrashEnumerationTests(CrashSummary summary, ITestOutputHelper output) : IClassFixture<CrashSummary>
{
    /// <summary>For every day: one history of each kind, and so many deaths of each.</summary>
    static readonly string[] EveryDay =
    [
        "A split succeeds", "A throttled split is tried again", "The callback comes before the answer", "The operator resubmits an extraction in doubt",
        "A split in doubt adopts its callback on an exclusive account", "A split is overdue, then lost, and its result comes late",
    ];

    const int DeathsEveryDay = 4;

    static bool All => Environment.GetEnvironmentVariable("CRASH_ALL") == "1";

    public static TheoryData<string> Names => [.. Histories.All.Select(static history => history.Name).Where(static name => All || EveryDay.Contains(name))];

    public static TheoryData<string> GatewayNames => [.. GatewayLane.All.Select(static history => history.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_history_ends_the_same_wherever_the_worker_dies(string name)
    {
        var history = Histories.All.Single(history => history.Name == name);
        var idle = new HashSet<string>();
        await CheckAsync(name, new Enumeration(name, () => WorkerLane.StartAsync(history, idle), lanes: All ? 3 : 1, most: All ? null : DeathsEveryDay));
    }

    [Theory]
    [MemberData(nameof(GatewayNames))]
    public async Task A_callback_arrives_wherever_the_gateway_dies(string name)
    {
        var history = GatewayLane.All.Single(history => history.Name == name);
        await CheckAsync(name, new Enumeration(name, () => GatewayLane.StartAsync(history), lanes: All ? 2 : 1, most: All ? null : DeathsEveryDay));
    }

    async Task CheckAsync(string name, Enumeration enumeration)
    {
        await enumeration.RunAsync();

        output.WriteLine(summary.Add(name, enumeration));
        foreach (var point in enumeration.Points)
            output.WriteLine($"  {point}");
        foreach (var death in enumeration.NotReached)
            output.WriteLine($"  not reached: {death}");
        Assert.True(enumeration.Wrong.Count == 0, $"{name}: {enumeration.Wrong.Count} runs ended otherwise.\n{string.Join("\n\n", enumeration.Wrong)}");
        Assert.True(enumeration.NotReached.Count <= enumeration.Points.Count / 4, $"{name}: {enumeration.NotReached.Count} deaths did not come about: {string.Join(", ", enumeration.NotReached)}");
    }
}

/// <summary>Counts over all histories; said at the end, and written to the file that <c>CRASH_SUMMARY</c> names.</summary>
public sealed class CrashSummary : IAsyncLifetime
{
    readonly Lock _lock = new();
    int _histories, _points, _crashes, _notReached, _wrong;

    internal string Add(string name, Enumeration enumeration)
    {
        lock (_lock)
        {
            _histories++;
            _points += enumeration.Points.Count;
            _crashes += enumeration.Crashes;
            _notReached += enumeration.NotReached.Count;
            _wrong += enumeration.Wrong.Count;
        }

        return $"{name}: {enumeration.Points.Count} points, {enumeration.Crashes} crashes, {enumeration.NotReached.Count} not reached, {enumeration.Wrong.Count} ended otherwise; the end is {enumeration.End}";
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Funeral.DoneAsync();
        var line = $"crash enumeration: {_histories} histories, {_points} points, {_crashes} crashes, "
            + (_wrong == 0 ? "all ended the same" : $"{_wrong} ended otherwise") + (_notReached == 0 ? "" : $", {_notReached} not reached");
        Console.WriteLine(line);
        if (Environment.GetEnvironmentVariable("CRASH_SUMMARY") is { Length: > 0 } file)
            await File.WriteAllTextAsync(file, line + "\n");
    }
}
