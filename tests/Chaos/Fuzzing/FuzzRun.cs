using System.Diagnostics;
using System.Xml.Linq;

namespace Mavi.Chaos.Fuzzing;

/// <summary>How much hostile input.</summary>
sealed record FuzzSettings
{
    /// <summary>Mutated callbacks, and as many commands; 100 to 10,000,000, default 100,000.</summary>
    public required int Count { get; init; }

    /// <summary>Of the mutations; default 20261121.</summary>
    public required int Seed { get; init; }

    public static FuzzSettings From(Options options) => new()
    {
        Count = options.Whole("--count", 100_000, 100, 10_000_000),
        Seed = options.Whole("--seed", 20261121, 0, int.MaxValue),
    };
}

/// <summary>The tests of <c>tests/Hostile</c>, with more of everything than in <c>./test.sh</c>.</summary>
sealed class FuzzRun(FuzzSettings settings) : IRun
{
    public string Title => FormattableString.Invariant($"Fuzz: {settings.Count} callbacks and {settings.Count} commands, seed {settings.Seed}.");

    public async Task<bool> ExecuteAsync(RunFolder folder, TextWriter log, CancellationToken stop)
    {
        var report = new Report(log);
        var clock = Stopwatch.StartNew();
        var tests = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../Tests/debug/Mavi.Tests.dll"));
        var service = new Service(
            folder, "tests", "dotnet", ["test", tests, "--filter", "FullyQualifiedName~.Hostile.", "--results-directory", folder.Logs, "--logger", "trx;LogFileName=tests.trx"],
            new Dictionary<string, string> { ["FUZZ_COUNT"] = $"{settings.Count}", ["FUZZ_SEED"] = $"{settings.Seed}" });
        service.Start();
        while (!service.HasEnded)
            await Task.Delay(TimeSpan.FromSeconds(1), stop);

        var results = Path.Combine(folder.Logs, "tests.trx");
        XNamespace of = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";
        var tried = File.Exists(results) ? [.. XDocument.Load(results).Descendants(of + "UnitTestResult")] : new List<XElement>();
        foreach (var test in tried)
        {
            var name = test.Attribute("testName")!.Value;
            var said = test.Descendants(of + "StdOut").FirstOrDefault()?.Value.Trim();
            if (said is not null)
                report.Say($"{said} ({TimeSpan.Parse(test.Attribute("duration")!.Value, System.Globalization.CultureInfo.InvariantCulture).TotalSeconds:0} s)");
            report.Goal(test.Attribute("outcome")!.Value == "Passed", $"{name}: {test.Descendants(of + "Message").FirstOrDefault()?.Value}");
        }

        report.Goal(tried.Count > 0, $"No test ran: see tests.log.");
        report.Figure($"callbacks={settings.Count}");
        report.Figure($"commands={settings.Count}");
        report.Figure($"seed={settings.Seed}");
        report.Figure($"tests={tried.Count}");
        report.Figure($"seconds={clock.Elapsed.TotalSeconds:0}");
        return report.Close();
    }
}
