using System.Diagnostics;
using Mavi.HistoryChecker;

namespace Mavi.Chaos;

/// <summary>The worst night: start, publish under faults, heal, settle, decide what is in doubt, let deadlines end the rest, and ask the checker.</summary>
sealed class Run(Settings settings) : IRun
{
    public string Title =>
        $"Chaos: seed {settings.Seed}, {settings.Requests} requests, {settings.Kills} faults in {settings.Minutes:0.#} min, {(settings.IsCluster ? "three broker nodes" : "one broker node")}.";

    public async Task<bool> ExecuteAsync(RunFolder folder, TextWriter log, CancellationToken stop)
    {
        await using var servers = await Servers.StartAsync(folder, settings.IsCluster ? 3 : 1, stop);
        await using var installation = new Installation(folder, servers, new Plan());
        return await new Night(settings, installation, log).RunAsync(stop);
    }
}

/// <summary>That night, hour by hour.</summary>
sealed class Night(Settings settings, Installation installation, TextWriter log)
{
    readonly SandboxMix _mix = new(installation.SandboxUrl);
    readonly Settling _settling = new(installation, log);
    readonly Faults _faults = new(installation, log);
    readonly Stopwatch _clock = Stopwatch.StartNew();
    readonly List<string> _phases = [];

    public async Task<bool> RunAsync(CancellationToken stop)
    {
        var random = new Random(settings.Seed);
        var length = TimeSpan.FromMinutes(settings.Minutes);
        var deadlines = Math.Clamp(settings.Requests / 20, 6, 100);
        var places = await installation.PlacesAsync();
        await Taps.ListenAsync(places.Broker);
        await installation.OpenAsync(stop);
        var assets = await installation.AssetsAsync(settings.Requests, stop);
        await using var commands = new Commands(installation, random);
        var operators = new Operators(installation, commands);
        Phase("start");

        var doubts = new Doubts(installation, commands, _mix);
        await doubts.RaiseAsync([.. assets.Skip(deadlines).Take(2 * deadlines)], stop);
        var isResolved = await _settling.RestAsync(stop) && await doubts.AreResolvedAsync();
        Phase("doubts");

        await _mix.SpoilAsync(settings.Seed, settings.Requests);
        await Task.WhenAll(
            commands.PublishAsync([.. assets.Skip(3 * deadlines)], length, stop),
            _faults.RunAsync(Schedule.Of(settings.Seed, settings.Kills, length), stop));
        List<KeyValuePair<string, int>> spoilt = [.. await _mix.AppliedAsync()];
        await _mix.StopAsync();
        Phase("faults");

        var hasSettled = await _settling.RestAsync(stop);
        Phase("settling");
        var (doubted, adopted) = await operators.CountAsync();
        var left = await doubts.CountUnambiguousAsync();
        for (var round = 0; hasSettled && round < 5 && await operators.DecideAsync(stop) > 0; round++)
            hasSettled = await _settling.RestAsync(stop);
        Phase("operator");

        hasSettled &= await DeadlinesAsync(commands, [.. assets.Take(deadlines)], stop);
        spoilt.AddRange(await _mix.AppliedAsync());
        Phase("deadlines");

        var evidence = await Checker.ReadAsync(places);
        var verdict = Judge.Judged(evidence);
        foreach (var finding in verdict.Findings)
            await log.WriteLineAsync($"{finding.Kind} {finding.Subject}: {finding.Sentence}");
        foreach (var subject in verdict.Findings.Select(static finding => finding.Subject).Distinct().Take(50))
            await log.WriteLineAsync(Dossier.Of(evidence, subject));
        Phase("verdict");

        Say("Faults", _faults.Done.Select(static one => new KeyValuePair<string, int>(one.Key.ToString(), one.Value)));
        Say("Spoilt by the Sandbox", spoilt);
        if (_faults.EndedByThemselves.Count > 0)
            Console.WriteLine($"Ended by themselves, see their logs: {string.Join(", ", _faults.EndedByThemselves)}.");
        Console.WriteLine($"Callers: {commands.Duplicates} commands sent twice, {commands.Retried} publishes repeated for want of a confirm.");
        Console.WriteLine($"In doubt before any fault: {doubts.Raised} requests, {doubts.Resolved} found their task without a person.");
        Console.WriteLine($"In doubt in all: {doubted} requests; {adopted} found their task without a person and {left} more could have; an operator adopted {operators.Adopted} and had {operators.Resubmitted} submitted again.");
        Console.WriteLine($"Took {_clock.Elapsed.TotalSeconds:0} s: {string.Join(", ", _phases)}. Seed {settings.Seed}.");
        foreach (var finding in verdict.Findings.Take(20))
            Console.WriteLine($"  {finding.Kind} {finding.Subject}: {finding.Sentence}");
        Console.WriteLine(verdict.Line);
        return verdict.IsPass && hasSettled && isResolved && left == 0;
    }

    /// <summary>Workers with deadlines of seconds, on an account that others use too, and a Mavi that does not call back.</summary>
    async Task<bool> DeadlinesAsync(Commands commands, IReadOnlyList<string> assets, CancellationToken stop)
    {
        foreach (var worker in installation.Workers)
        {
            await worker.EndAsync();
            worker.Set("Worker__ExclusiveAccount", "false");
            worker.Set("Worker__OverdueAfter", "00:00:04");
            worker.Set("Worker__LostAfter", "00:00:08");
            worker.Start();
        }

        await installation.ReadyAsync(stop);
        await _mix.LoseAsync(settings.Seed);
        await commands.PublishAsync(assets, TimeSpan.FromSeconds(Math.Min(10, assets.Count / 4.0)), stop);
        return await _settling.RestAsync(stop);
    }

    void Phase(string name)
    {
        _phases.Add($"{name} until {_clock.Elapsed.TotalSeconds:0} s");
        log.WriteLine(FormattableString.Invariant($"{DateTime.UtcNow:HH:mm:ss.f} {name} done"));
        Console.WriteLine($"  {name} done after {_clock.Elapsed.TotalSeconds:0} s");
    }

    static void Say(string what, IEnumerable<KeyValuePair<string, int>> counts)
    {
        var sums = counts.GroupBy(static one => one.Key, static one => one.Value).Select(static one => (Name: one.Key, Count: one.Sum())).Where(static one => one.Count > 0).ToList();
        var each = sums.OrderBy(static one => one.Name, StringComparer.Ordinal).Select(static one => $"{one.Name}={one.Count}");
        Console.WriteLine($"{what} ({sums.Sum(static one => one.Count)}): {string.Join(' ', each)}");
    }
}
