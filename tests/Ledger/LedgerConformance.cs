using Mavi.Ledger;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mavi.Tests.Ledger;

/// <summary>What every database behind the ledger must do. Each database adopts the suite in a few lines.</summary>
public abstract class LedgerConformance(Func<Task<string>> newDatabase) : LedgerSuite(newDatabase)
{
    [Fact]
    public async Task Eight_workers_apply_the_schema_to_an_empty_database_at_once()
    {
        var empty = await NewDatabaseAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            await using var worker = new LedgerDatabase(empty, NullLogger<LedgerDatabase>.Instance);
            await new SubmissionLedger(worker).PrepareAsync(["Split"], None);
        }));
        await using var one = new LedgerDatabase(empty, NullLogger<LedgerDatabase>.Instance);
        Assert.Null((await new SubmissionLedger(one).AccountAsync(None)).PausedKind);
    }

    [Fact]
    public async Task A_newer_schema_is_refused_with_a_sentence()
    {
        await Ledger.AccountAsync(None);
        await using (var newer = Open(null))
            await newer.RunAsync("update schema_version set version = 99", new { }, None);

        await using var older = Open(null);
        var refused = await Assert.ThrowsAsync<SchemaTooNewException>(() => new SubmissionLedger(older).AccountAsync(None));
        Assert.Contains("schema version 99", refused.Message, StringComparison.Ordinal);
        Assert.Contains("start the newer worker", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_is_recorded_once_however_often_it_is_written_with_one_history_row()
    {
        var attempt = await ClaimedAsync(Request());
        var end = Accepted("0f3c9a6be1d24c7f8a55d0b1c2e3f4a5");
        for (var i = 0; i < 3; i++)
        {
            var row = await Ledger.FinishAsync(attempt, end, None);
            Assert.Equal((SubmissionState.Submitted, end.TaskId), (row.State, row.TaskId));
        }

        var history = await new LedgerView(Database).HistoryAsync(attempt.Request.RequestId, None);
        Assert.Equal(["Submitting", "Submitted"], history.Select(note => note.Kind));
    }

    [Fact]
    public async Task A_task_id_that_belongs_to_another_request_is_not_taken_twice()
    {
        await Ledger.FinishAsync(await ClaimedAsync(Request()), Accepted("same"), None);
        Clock.Advance(Second);
        var second = await ClaimedAsync(Request());
        Assert.Equal(SubmissionState.Submitting, (await Ledger.FinishAsync(second, Accepted("same"), None)).State);
    }

    [Fact]
    public async Task A_lease_that_ended_makes_the_request_uncertain_and_its_late_answer_makes_it_certain_again()
    {
        var attempt = await ClaimedAsync(Request());
        Assert.Equal(0, await Sweeps.ExpireLeasesAsync("sweep", None));
        Clock.Advance(TimeSpan.FromMinutes(2));
        var swept = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Sweeps.ExpireLeasesAsync("sweep", None))));
        Assert.Equal(1, swept.Sum());
        Assert.Equal(SubmissionState.Uncertain, (await Ledger.FindAsync(attempt.Request.RequestId, None))!.State);

        var row = await Ledger.FinishAsync(attempt, Accepted("late"), None);
        Assert.Equal((SubmissionState.Submitted, "late"), (row.State, row.TaskId));
    }

    [Fact]
    public async Task What_a_sweep_owes_is_taken_by_one_and_comes_back_until_it_is_cleared()
    {
        await ClaimedAsync(Request());
        Clock.Advance(TimeSpan.FromMinutes(2));
        await Sweeps.ExpireLeasesAsync("sweep", None);

        var announcements = new Announcements(Database);
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => announcements.TakeSubmissionsAsync(TimeSpan.FromSeconds(30), None))));
        Assert.Single(taken.SelectMany(owed => owed));

        Clock.Advance(TimeSpan.FromSeconds(31));
        var again = Assert.Single(await announcements.TakeSubmissionsAsync(TimeSpan.FromSeconds(30), None));
        await announcements.ClearAsync(again, None);
        Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Empty(await announcements.TakeSubmissionsAsync(TimeSpan.FromSeconds(30), None));
    }

    [Fact]
    public async Task What_a_request_that_was_put_off_before_owes_is_not_forgotten_while_nobody_knows_how_its_post_ended()
    {
        var request = Request();
        await Ledger.RecordAsync(request, SubmissionState.Deferred, Second, null, null, new HistoryNote("Deferred", "test"), None);
        await ClaimedAsync(request);
        Clock.Advance(TimeSpan.FromMinutes(3));
        var announcements = new Announcements(Database);
        Assert.Empty(await announcements.TakeSubmissionsAsync(TimeSpan.FromSeconds(30), None));
        await Sweeps.ExpireLeasesAsync("sweep", None);
        Assert.Equal(SubmissionState.Uncertain, Assert.Single(await announcements.TakeSubmissionsAsync(TimeSpan.FromSeconds(30), None)).Row.State);
    }

    [Fact]
    public async Task Due_requests_are_taken_by_one_worker_each_and_given_up_after_their_time()
    {
        var requests = Enumerable.Range(0, 10).Select(_ => Request()).ToList();
        foreach (var request in requests)
            await Ledger.RecordAsync(request, SubmissionState.Deferred, Second, null, "paused", new HistoryNote("Deferred", "test"), None);
        Assert.Empty(await Sweeps.TakeDueAsync("Split", 10, TimeSpan.FromMinutes(2), None));

        Clock.Advance(TimeSpan.FromSeconds(2));
        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Sweeps.TakeDueAsync("Split", 3, TimeSpan.FromMinutes(2), None))));
        var ids = taken.SelectMany(rows => rows).Select(row => row.RequestId).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());

        Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(10, await Sweeps.GiveUpAsync(TimeSpan.FromDays(1), "sweep", None));
        Assert.Equal("GaveUp", (await Ledger.FindAsync(requests[0].RequestId, None))!.Reason);
    }

    [Fact]
    public async Task A_task_that_nobody_answers_is_overdue_once_and_lost_once_on_eight_workers()
    {
        var task = await RecordedAsync(new TaskRow { TaskId = "t", State = TaskStates.AwaitingCallback, RequestId = Guid.NewGuid().ToString(), DueIn = TimeSpan.FromHours(2) });
        Assert.Equal(0, await ExpireOnEightAsync());
        Clock.Advance(TimeSpan.FromHours(2) + Second);
        Assert.Equal(1, await ExpireOnEightAsync());
        Assert.Equal(0, await ExpireOnEightAsync());
        Clock.Advance(TimeSpan.FromHours(22));
        Assert.Equal(1, await ExpireOnEightAsync());
        Assert.Equal(TaskStates.Lost, (await new TaskLedger(Database).FindAsync(Guid.Parse(task.Id), None))!.State);

        async Task<int> ExpireOnEightAsync() => (await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => new TaskSweeps(Database).ExpireAsync(TimeSpan.FromHours(2), TimeSpan.FromDays(1), "sweep", None))))).Sum();
    }

    [Fact]
    public async Task The_same_callback_is_kept_once_and_found_again_when_its_task_turns_out_to_be_ours()
    {
        var callbacks = new CallbackLedger(Database);
        var callback = new KeptCallback { Id = Guid.NewGuid().ToString(), TaskId = "ours", Body = "{}", Reason = "another operation" };
        Assert.False(await callbacks.KeepAsync(callback, TimeSpan.FromMinutes(1), "test", None));
        Assert.False(await callbacks.KeepAsync(callback, TimeSpan.FromMinutes(1), "test", None));
        await RecordedAsync(new TaskRow { TaskId = "ours", State = TaskStates.AwaitingCallback, RequestId = "r" });

        Assert.Equal(callback.Id, Assert.Single(await callbacks.TakeOursAsync(Second, None)).Id);
        await callbacks.SettleAsync(callback.Id, None);
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await callbacks.TakeOursAsync(Second, None));
    }

    [Fact]
    public async Task A_callback_kept_in_vain_is_found_again_when_a_request_claims_its_task_much_later()
    {
        var callbacks = new CallbackLedger(Database);
        await callbacks.KeepAsync(new KeptCallback { Id = Guid.NewGuid().ToString(), TaskId = "later", Body = "{}", Reason = "data is null" }, TimeSpan.FromMinutes(1), "test", None);
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty(await callbacks.TakeOursAsync(Second, None));
        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await callbacks.TakeOursAsync(Second, None));

        await RecordedAsync(new TaskRow { TaskId = "later", State = TaskStates.AwaitingCallback, RequestId = "r" });
        Assert.Single(await callbacks.TakeOursAsync(Second, None));
    }

    [Fact]
    public async Task A_callback_that_waits_for_a_submission_that_is_recorded_makes_the_ledger_owe_its_event_again()
    {
        var lost = await ClaimedAsync(Request());
        await Ledger.FinishAsync(lost, Accepted("unjoined"), None);
        await RecordedAsync(new TaskRow { TaskId = "unjoined", State = TaskStates.AwaitingSubmission, Operation = "Split" });
        await RecordedAsync(new TaskRow { TaskId = "another program's", State = TaskStates.AwaitingSubmission, Operation = "Split" });
        Assert.Equal(0, await Sweeps.OweUnjoinedAsync(TimeSpan.FromMinutes(1), None));

        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await Sweeps.OweUnjoinedAsync(TimeSpan.FromMinutes(1), None));
        Assert.Equal(0, await Sweeps.OweUnjoinedAsync(TimeSpan.FromMinutes(1), None));
        Assert.Equal(lost.Request.RequestId, Assert.Single(await new Announcements(Database).TakeSubmissionsAsync(Second, None)).Row.Request);
    }

    [Fact]
    public async Task What_ended_long_ago_is_forgotten_and_what_has_not_ended_is_kept()
    {
        var ended = await ClaimedAsync(Request());
        await Ledger.FinishAsync(ended, Accepted("t9"), None);
        var waiting = Request();
        await Ledger.RecordAsync(waiting, SubmissionState.Deferred, Second, null, null, new HistoryNote("Deferred", "test"), None);
        Clock.Advance(TimeSpan.FromDays(31));

        Assert.NotEqual(0, await new Retention(Database).PurgeAsync(TimeSpan.FromDays(30), None));
        Assert.Null(await Ledger.FindAsync(ended.Request.RequestId, None));
        Assert.NotNull(await Ledger.FindAsync(waiting.RequestId, None));
    }

    [Fact]
    public async Task The_databases_own_clock_is_the_time_in_production()
    {
        await using var real = Open(null);
        var ledger = new SubmissionLedger(real);
        var request = Request();
        await ledger.RecordAsync(request, SubmissionState.Rejected, null, "InvalidRequest", null, new HistoryNote("Rejected", "test"), None);
        var at = (await ledger.FindAsync(request.RequestId, None))!.CreatedAt.ToTime();
        Assert.InRange(at, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }
}

/// <inheritdoc />
public sealed class PostgresLedgerTests() : LedgerConformance(Databases.PostgresAsync);

/// <inheritdoc />
public sealed class SqliteLedgerTests() : LedgerConformance(Databases.SqliteAsync);
