using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Mavi.HistoryChecker;
using Npgsql;

namespace Mavi.Chaos;

/// <summary>Waits until nothing moves any more: every condition has a name, and all together a limit.</summary>
sealed class Settling(Installation installation, TextWriter log)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>No adoption can follow any more: an unclaimed callback counts as such after ten seconds, and the sweeps have been there.</summary>
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(14);

    /// <summary>Returns when all is at its end, or in doubt for good.</summary>
    /// <returns>False where it did not come to rest within the limit; the log says what still moved.</returns>
    public async Task<bool> RestAsync(CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var quiet = Stopwatch.StartNew();
        var before = "";
        while (clock.Elapsed < Limit)
        {
            var (moving, inDoubt) = await LookAsync(stop);
            var now = moving + inDoubt;
            if (now != before || moving.Length > 0)
                quiet.Restart();
            if (now != before && clock.Elapsed > TimeSpan.FromSeconds(30))
                await log.WriteLineAsync($"   waiting for{moving}; in doubt: {inDoubt}");
            before = now;
            // The broker counts every five seconds; one who is in doubt may be adopted until the end of the quiet time.
            if (quiet.Elapsed > (inDoubt == "0" ? Quiet / 2 : Quiet))
                return true;
            await Task.Delay(Interval, stop);
        }

        await log.WriteLineAsync($"It did not come to rest within {Limit.TotalMinutes:0} min; it still waits for{before}");
        return false;
    }

    async Task<(string Moving, string InDoubt)> LookAsync(CancellationToken stop)
    {
        try
        {
            using var http = new HttpClient { BaseAddress = installation.SandboxUrl };
            var journal = await http.GetFromJsonAsync<JsonElement>(new Uri("/sandbox/journal?since=9000000000&bodies=false", UriKind.Relative), stop);
            var spooled = Directory.EnumerateFiles(installation.Folder.Path, "*.callback", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Count();
            var depths = await QueueDepths.NowAsync(await installation.Broker.ManagementAsync(), installation.Amqp);
            var rows = await RowsAsync();
            (string Name, long Count)[] conditions =
            [
                ("callbacks owed", journal.GetProperty("pending").GetInt64()), ("spooled", spooled),
                ("in queues", depths.Where(static queue => !queue.Name.EndsWith("_error", StringComparison.Ordinal)).Sum(static queue => queue.Messages)),
                ("submitting", rows.Submitting), ("deferred", rows.Deferred), ("awaiting a callback", rows.Awaiting), ("events owed", rows.Owed),
            ];
            return (string.Concat(conditions.Where(static condition => condition.Count > 0).Select(static condition => $" {condition.Name}={condition.Count}")), $"{rows.Uncertain}");
        }
        catch (Exception failed) when (Waiting.IsTheWorlds(failed) && !stop.IsCancellationRequested)
        {
            return ($" an answer ({failed.Message})", "?");
        }
    }

    async Task<Rows> RowsAsync()
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        return await connection.QuerySingleAsync<Rows>("""
            select (select count(*) from submissions where state = 'Submitting') as Submitting,
                   (select count(*) from submissions where state = 'Deferred') as Deferred,
                   (select count(*) from submissions where state = 'Uncertain') as Uncertain,
                   (select count(*) from tasks where state = 'AwaitingCallback') as Awaiting,
                   (select count(*) from submissions where announce_at is not null) + (select count(*) from tasks where announce_at is not null) as Owed
            """);
    }

    sealed class Rows
    {
        public long Submitting { get; init; }
        public long Deferred { get; init; }
        public long Uncertain { get; init; }
        public long Awaiting { get; init; }
        public long Owed { get; init; }
    }
}
