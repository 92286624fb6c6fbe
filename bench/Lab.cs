using Mavi.Bench.Measuring;
using Mavi.Bench.References;
using Mavi.Bench.Reporting;
using Mavi.Chaos;
using Npgsql;

namespace Mavi.Bench;

/// <summary>A scenario's own place: a folder, a broker and a database once they are asked for, and processes. All of it ends with the lab, however that ends.</summary>
sealed class Lab(Machine machine, bool isQuick, TextWriter page, TextWriter progress) : IAsyncDisposable
{
    Servers? _servers;

    /// <summary>The harness itself is tried: few operations, few rounds, no verdict.</summary>
    public bool IsQuick => isQuick;

    public RunFolder Folder { get; } = new();

    /// <summary>How often things are measured unless a scenario has a reason to say otherwise.</summary>
    public Effort Effort { get; } = isQuick ? Effort.Quick : new Effort();

    /// <summary>The one, or in a quick run the other.</summary>
    public int Count(int full, int quick) => isQuick ? quick : full;

    /// <summary>The private broker (one node) and the private database; started by the first who asks.</summary>
    public async Task<Servers> ServersAsync(CancellationToken stop)
    {
        if (_servers is not null)
            return _servers;
        Say("starting broker and database");
        _servers = await Servers.StartAsync(Folder, brokerNodes: 1, stop);
        machine.Note("RabbitMQ", await _servers.Broker.VersionAsync());
        await using var connection = new NpgsqlConnection(_servers.Database.ConnectionString);
        await connection.OpenAsync(stop);
        machine.Note("PostgreSQL", connection.PostgreSqlVersion.ToString());
        return _servers;
    }

    /// <summary>
    /// A program of ours as it is published, not started: <paramref name="project"/> is such as <c>CallbackGateway</c>, the settings are in their
    /// environment form, <c>ASPNETCORE_URLS</c> among them. Each process has a name of its own.
    /// </summary>
    public Service Program(string name, string project, IReadOnlyDictionary<string, string> settings) =>
        new(Folder, name, "dotnet", [Path.Combine(AppContext.BaseDirectory, "..", project, $"Mavi.{project}.dll")], settings);

    /// <summary>A reference as a process, not started: one of <see cref="Roles"/>.</summary>
    public Service Role(string role, IReadOnlyDictionary<string, string> settings) =>
        new(Folder, role, "dotnet", [Path.Combine(AppContext.BaseDirectory, "Mavi.Bench.dll"), Roles.Verb, role], settings);

    /// <summary>Compares, and prints everything that was measured; more pairs are taken while the ratio of one of <paramref name="figures"/> spreads too far.</summary>
    public async Task<Comparison> CompareAsync(
        string name, Side subject, Side reference, Effort effort, IReadOnlyList<Func<Round, double>> figures, CancellationToken stop)
    {
        Say($"comparing {name}");
        var comparison = await Comparison.RunAsync(name, subject, reference, effort, figures, stop);
        Print(Figures.Table(comparison));
        return comparison;
    }

    /// <summary>Takes a figure that has no reference as often as the ratio of a comparison.</summary>
    public async Task<Spread> RepeatAsync(string name, Func<Task<double>> figure)
    {
        Say($"measuring {name}");
        return await Spread.TakeAsync(Effort, figure);
    }

    /// <summary>Rounds of something that has no reference, after those that are discarded; prints everything that was measured.</summary>
    public async Task<IReadOnlyList<Round>> RoundsAsync(string name, string side, Func<Task<Round>> round)
    {
        var rounds = new List<Round>();
        while (rounds.Count < Effort.DiscardLeast + Effort.TakeLeast)
            rounds.Add(await round());
        var taken = rounds[Effort.DiscardLeast..];
        Print(Figures.Table(name, side, taken));
        return taken;
    }

    /// <summary>The row of a figure, judged unless it is noisy or the run a quick one.</summary>
    public Row Judge(string name, Spread figure, Goal goal) => Row.Of(name, figure, goal, isQuick);

    /// <summary>Markdown for the page that the run leaves.</summary>
    public void Print(string markdown) => page.WriteLine(markdown);

    /// <summary>A line for whoever waits.</summary>
    public void Say(string line) => progress.WriteLine($"  {line}");

    public async ValueTask DisposeAsync()
    {
        if (_servers is not null)
            await _servers.DisposeAsync();
        await Folder.DisposeAsync();
    }
}
