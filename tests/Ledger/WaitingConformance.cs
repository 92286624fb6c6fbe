using Mavi.Ledger;

namespace Mavi.Tests.Ledger;

/// <summary>What the gauges read at every collection: right, and no dearer in a ledger that is full of what ended long ago.</summary>
public abstract class WaitingConformance(Func<Task<string>> newDatabase) : LedgerSuite(newDatabase)
{
    /// <summary>Put before a statement it tells how the database would carry it out.</summary>
    protected abstract string Explain { get; }

    /// <summary>Whether a step of that reads submissions or tasks from end to end.</summary>
    protected abstract bool IsOfWholeTable(string step);

    [Fact]
    public async Task What_waits_is_counted_with_the_age_of_the_oldest_and_what_ended_is_not_looked_at()
    {
        await RecordedAsync(new TaskRow { TaskId = "nobodys", State = TaskStates.AwaitingSubmission });
        await Ledger.RecordAsync(Request(), SubmissionState.Deferred, Second, null, null, new HistoryNote("Deferred", "test"), None);
        await Ledger.FinishAsync(await ClaimedAsync(Request()), End(SubmissionState.Uncertain, AccountEffect.Blocked), None);
        Clock.Advance(TimeSpan.FromSeconds(90));
        await Ledger.RecordAsync(Request(), SubmissionState.Deferred, Second, null, null, new HistoryNote("Deferred", "test"), None);

        var waiting = await new LedgerView(Database).WaitingAsync(None);
        Assert.Equal(
            [
                ("requests", "Submitting", 0, 0), ("requests", "Deferred", 2, 90), ("requests", "Uncertain", 1, 90), ("requests", "AwaitingCallback", 0, 0),
                ("orphans", "AwaitingSubmission", 1, 90), ("pauses", "Outage", 0, 0), ("pauses", "Blocked", 1, 90),
            ],
            waiting.Select(count => (count.Kind, count.State, count.Count, count.OldestSeconds)));

        await ManyEndedAsync(20_000);
        var plan = await Database.RunAsync(
            Explain + LedgerView.Waiting, new { }, static async results => (await results.ReadAsync()).Select(static row => string.Join(' ', ((IDictionary<string, object>)row).Values)).ToList(), None);
        Assert.NotEmpty(plan);
        Assert.DoesNotContain(plan, IsOfWholeTable);
    }

    /// <summary>What a ledger is full of after some months.</summary>
    Task ManyEndedAsync(int many) => Database.RunAsync(
        """
        insert into submissions (request_id, account, operation, asset_id, state, transition, created_at, updated_at)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < @Many) select 'ended-' || i, 'default', 'Split', 're_1', 'Submitted', 't', 1, 1 from n;

        insert into tasks (id, account, task_id, state, created_at, updated_at)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < @Many) select 'ended-' || i, 'default', 'ended-' || i, 'Succeeded', 1, 1 from n;

        analyze submissions;

        analyze tasks;
        """,
        new { Many = many }, None);
}

/// <inheritdoc />
public sealed class PostgresWaitingTests() : WaitingConformance(Databases.PostgresAsync)
{
    protected override string Explain => "explain ";

    protected override bool IsOfWholeTable(string step) => step.Contains("Seq Scan on submissions", StringComparison.Ordinal) || step.Contains("Seq Scan on tasks", StringComparison.Ordinal);
}

/// <inheritdoc />
public sealed class SqliteWaitingTests() : WaitingConformance(Databases.SqliteAsync)
{
    protected override string Explain => "explain query plan ";

    protected override bool IsOfWholeTable(string step) =>
        (step.Contains("SCAN submissions", StringComparison.Ordinal) || step.Contains("SCAN tasks", StringComparison.Ordinal)) && !step.Contains("INDEX", StringComparison.Ordinal);
}
