using System.Diagnostics;
using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.Reporting;
using Mavi.Ledger;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Mavi.Bench.Scenarios;

/// <summary>The same requests on a ledger that a year has filled, and on one that is nearly empty.</summary>
sealed class LedgerScenario : IScenario
{
    const double Pace = 100;
    const int Sweeps = 9;

    public string Name => "ledger";

    public string Title => "A ledger of 1,000,000 requests, 100,000 of them still open, against one of 1,000: CPU time per request, and the time of a sweep";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        var (full, empty) = (await Place.MakeAsync(lab, "full", stop), await Place.MakeAsync(lab, "empty", stop));
        await using var onFull = await Pipeline.StartAsync(lab, full, "full", stop);
        await using var onEmpty = await Pipeline.StartAsync(lab, empty, "empty", stop);
        await FillAsync(lab, full, lab.Count(1_000_000, 10_000), stop);
        await FillAsync(lab, empty, 1_000, stop);

        var servers = await lab.ServersAsync(stop);
        var count = lab.Count(1000, 100);
        Side SideOf(string name, Pipeline pipeline)
        {
            var meter = new Meter(pipeline.Own, servers);
            return new(name, token => meter.MeasureAsync(() => pipeline.RunAsync(count, Pace, token), token));
        }

        var comparison = await lab.CompareAsync("requests on a full ledger", SideOf("full", onFull), SideOf("nearly empty", onEmpty), lab.Effort, [Cpu], stop);
        yield return lab.Judge("ledger-cpu", comparison.Ratio(Cpu), Goal.AtMost(1.1));
        yield return lab.Judge("ledger-sweep", await SweepAsync(full, stop), Goal.AtMost(50, " ms"));
    }

    static double Cpu(Round round) => round.CpuPer10k(round.Own, round.Broker, round.Database);

    /// <summary>Requests as the Worker leaves them, a tenth with an open task that is due tomorrow, each with two rows of history.</summary>
    static async Task FillAsync(Lab lab, Place place, int requests, CancellationToken stop)
    {
        lab.Say($"filling a ledger with {requests} requests");
        await using var connection = new NpgsqlConnection(place.Ledger);
        await connection.OpenAsync(stop);
        await using var fill = new NpgsqlCommand(
            $"""
            create temporary table past as
              select n, gen_random_uuid()::text as request, replace(gen_random_uuid()::text, '-', '') as task,
                     (extract(epoch from clock_timestamp()) * 1000000)::bigint - n * 20000000::bigint as at from generate_series(1, {requests}) n;
            insert into submissions (request_id, account, operation, asset_id, caller, state, attempts, attempt_id, worker, attempted_at, task_id, submitted_at, transition, created_at, updated_at)
              select request, 'default', case n % 2 when 0 then 'split' else 'extract-frames' end, 're_700000000000000001', 'bench', 'Submitted', 1, task, 'bench', at, task, at, request, at, at from past;
            insert into tasks (id, account, task_id, state, operation, request_id, asset_id, submitted_at, result_kind, result, received_at, ended_at, due_at, transition, created_at, updated_at)
              select task::uuid::text, 'default', task, case when n % 10 = 0 then 'AwaitingCallback' else 'Succeeded' end, case n % 2 when 0 then 'split' else 'extract-frames' end, request,
                     're_700000000000000001', at, case when n % 10 > 0 then 'VideoSplitCompleted' end, case when n % 10 > 0 then repeat('x', 300) end, at, at,
                     case when n % 10 = 0 then (extract(epoch from clock_timestamp()) * 1000000)::bigint + 86400000000 + n end, request, at, at from past;
            insert into history (id, account, request_id, task_id, at, kind, actor)
              select request || kind, 'default', request, task, at, kind, 'bench' from past cross join (values ('Submitting'), ('Submitted')) as kinds (kind);
            drop table past;
            """, connection)
        { CommandTimeout = 600 };
        await fill.ExecuteNonQueryAsync(stop);
        await using var analyze = new NpgsqlCommand("vacuum analyze", connection) { CommandTimeout = 600 };
        await analyze.ExecuteNonQueryAsync(stop);
        await using var checkpoint = new NpgsqlCommand("checkpoint", connection) { CommandTimeout = 600 };
        await checkpoint.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Everything that a sweep asks the ledger for, as a Worker asks it, in milliseconds.</summary>
    static async Task<Spread> SweepAsync(Place place, CancellationToken stop)
    {
        await using var database = new LedgerDatabase(place.Ledger, NullLogger<LedgerDatabase>.Instance);
        var (submissions, tasks, announcements, callbacks) = (new SubmissionSweeps(database), new TaskSweeps(database), new Announcements(database), new CallbackLedger(database));
        var (day, hold) = (TimeSpan.FromDays(1), TimeSpan.FromSeconds(30));
        var taken = new List<double>();
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var watch = Stopwatch.StartNew();
            await submissions.ExpireLeasesAsync("bench", stop);
            await submissions.EndUncertainAsync(day, "bench", stop);
            await submissions.GiveUpAsync(day, "bench", stop);
            await tasks.ExpireAsync(TimeSpan.FromHours(2), day, "bench", stop);
            await callbacks.TakeOursAsync(hold, stop);
            foreach (var operation in (string[])["split", "extract-frames"])
                await submissions.TakeDueAsync(operation, 10, hold, stop);
            await announcements.TakeSubmissionsAsync(hold, stop);
            await announcements.TakeTasksAsync(hold, stop);
            taken.Add(watch.Elapsed.TotalMilliseconds);
        }

        return new(taken.Skip(2));
    }
}
