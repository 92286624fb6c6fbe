using System.Globalization;
using System.Text.Json;
using Dapper;
using Mavi.HistoryChecker;
using Npgsql;

namespace Mavi.Chaos.Outages;

/// <summary>How long Mavi is out of order, and how many requests wait.</summary>
sealed record OutageSettings
{
    /// <summary>Published when the outage begins; 20 to 10,000, default 500.</summary>
    public required int Requests { get; init; }

    /// <summary>0.1 to 120, default 10. The time afterwards comes on top.</summary>
    public required double Minutes { get; init; }

    /// <summary>Of the Sandbox's answers and the commands; default 1.</summary>
    public required int Seed { get; init; }

    public static OutageSettings From(Options options) => new()
    {
        Requests = options.Whole("--requests", 500, 20, 10_000),
        Minutes = options.Number("--minutes", 10, 0.1, 120),
        Seed = options.Whole("--seed", 1, 0, int.MaxValue),
    };
}

/// <summary>
/// Mavi answers every POST with a 500, a cut or a 503, and three of four reads too, while requests wait and more workers than one want to send them.
/// Each POST may leave a request in doubt, so the workers have to stop; when it is over, all of them have to be done.
/// </summary>
sealed class OutageRun(OutageSettings settings) : IRun
{
    /// <summary>Of the workers alone, so that the rest is done in a minute; the Sandbox has no limit here, which another run looks at.</summary>
    const double Rate = 5;

    const int Workers = 3;

    /// <summary>Three in a row before the pause, those under way beside them, and the probes of ten minutes.</summary>
    const int Handful = 10;

    static readonly object[] Outage =
    [
        new { fault = "500", probability = 0.25 }, new { fault = "500After", probability = 0.15 }, new { fault = "cutBefore", probability = 0.25 },
        new { fault = "cutAfter", probability = 0.25 }, new { fault = "503", every = 1 },
        new { fault = "500", operation = "metadata", probability = 0.35 }, new { fault = "cutBefore", operation = "metadata", probability = 0.35 },
        new { fault = "503", operation = "metadata", probability = 0.4 },
    ];

    public string Title => FormattableString.Invariant(
        $"Outage: {settings.Requests} requests wait for {settings.Minutes:0.##} min, {Workers} workers, {Rate} requests/s of each operation, seed {settings.Seed}.");

    public async Task<bool> ExecuteAsync(RunFolder folder, TextWriter log, CancellationToken stop)
    {
        var report = new Report(log);
        await using var servers = await Servers.StartAsync(folder, 1, stop);
        await using var installation = new Installation(folder, servers, new Plan
        {
            Workers = Workers,
            HasLinks = false,
            Worker = new Dictionary<string, string> { ["Mavi__RequestsPerSecond"] = Rate.ToString(CultureInfo.InvariantCulture), ["Worker__ExclusiveAccount"] = "true" },
        });
        var places = await installation.PlacesAsync();
        await Taps.ListenAsync(places.Broker);
        await installation.OpenAsync(stop);
        var assets = await installation.AssetsAsync(settings.Requests, stop);
        await using var commands = new Commands(installation, new Random(settings.Seed));
        var operators = new Operators(installation, commands);
        var mix = new SandboxMix(installation.SandboxUrl);

        await mix.PutAsync(settings.Seed, Outage);
        await commands.PublishAsync(assets, TimeSpan.Zero, stop);
        await Task.Delay(TimeSpan.FromMinutes(settings.Minutes), stop);
        await mix.StopAsync();
        var over = DateTimeOffset.UtcNow;

        var settling = new Settling(installation, log);
        var hasSettled = await settling.RestAsync(stop);
        var posts = await Journal.PostsAsync(installation.SandboxUrl, stop);
        var doubts = await DoubtsAsync(installation);
        var (_, adopted) = await operators.CountAsync();
        for (var round = 0; hasSettled && round < 5 && await operators.DecideAsync(stop) > 0; round++)
            hasSettled = await settling.RestAsync(stop);

        var during = posts.Where(post => post.Time < over).ToList();
        var after = posts.Where(post => post.Time >= over).ToList();
        report.Say($"POSTs during the outage: {during.Count} ({Counts(during.Select(static post => post.Status is { } status ? $"{status}{(post.IsAccepted ? " but accepted" : "")}" : post.IsAccepted ? "cut, accepted" : "cut, not accepted"))})");
        report.Say($"Left in doubt: {doubts.Count} ({Counts(doubts)}); {adopted} found their task by themselves, an operator adopted {operators.Adopted} and had {operators.Resubmitted} submitted again");
        if (after.Count > 0)
            report.Say($"Afterwards: first POST after {(after[0].Time - over).TotalSeconds:0} s, the last of {after.Count} after {(after[^1].Time - over).TotalSeconds:0} s; {settings.Requests} requests at {Rate}/s of each operation take {settings.Requests / 2 / Rate:0} s at least");

        var verdict = Judge.Judged(await Checker.ReadAsync(places));
        foreach (var finding in verdict.Findings)
            await log.WriteLineAsync($"{finding.Kind} {finding.Subject}: {finding.Sentence}");
        var failed = await FailedAsync(installation);
        report.Goal(hasSettled, $"It did not come to rest.");
        report.Goal(during.Count > 0 && doubts.Count <= Handful, $"{doubts.Count} requests were left in doubt by {during.Count} POSTs; expected at most {Handful}.");
        report.Goal(failed == 0, $"{failed} requests failed; expected none.");
        report.Goal(verdict.IsPass, $"The history checker found {verdict.Findings.Count} offences: {string.Join(" ", verdict.Findings.Take(5).Select(static finding => $"{finding.Subject}: {finding.Sentence}"))}");
        report.Figure($"{verdict.Line[..verdict.Line.LastIndexOf(' ')]}");
        report.Figure($"posts_in_outage={during.Count}");
        report.Figure($"in_doubt={doubts.Count}");
        report.Figure($"failed={failed}");
        return report.Close();
    }

    /// <summary>For each request that was in doubt at some time, the answer that left it so.</summary>
    static async Task<IReadOnlyList<string>> DoubtsAsync(Installation installation)
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        return [.. (await connection.QueryAsync<string?>("select detail from history where kind = 'Uncertain'")).Select(static detail =>
        {
            using var document = JsonDocument.Parse(detail ?? "{}");
            return document.RootElement.TryGetProperty("httpStatus", out var status) && status.ValueKind == JsonValueKind.Number ? $"{status.GetInt32()}" : "cut";
        })];
    }

    static async Task<long> FailedAsync(Installation installation)
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        return await connection.ExecuteScalarAsync<long>(
            "select (select count(*) from submissions where state in ('Failed', 'Rejected')) + (select count(*) from tasks where state in ('Failed', 'Lost') and request_id is not null)");
    }

    static string Counts(IEnumerable<string> names) =>
        string.Join(", ", names.GroupBy(static name => name).OrderBy(static group => group.Key, StringComparer.Ordinal).Select(static group => $"{group.Count()} x {group.Key}"));
}
