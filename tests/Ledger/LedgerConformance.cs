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
    public async Task Slots_of_one_operation_are_an_interval_apart_and_those_of_another_are_its_own()
    {
        var waits = new List<long>();
        for (var i = 0; i < 4; i++)
            waits.Add((await Ledger.ReserveAsync(Request(), false, Second, None)).Slot!.Wait);
        Assert.Equal([0, 1_000_000, 2_000_000, 3_000_000], waits);
        Assert.Equal(0, (await Ledger.ReserveAsync(Request("ExtractFrames"), false, Second, None)).Slot!.Wait);

        Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, (await Ledger.ReserveAsync(Request(), false, Second, None)).Slot!.Wait);
    }

    [Fact]
    public async Task Many_at_once_get_slots_that_all_differ()
    {
        var slots = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Ledger.ReserveAsync(Request(), false, Second, None))));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i * 1_000_000L), slots.Select(slot => slot.Slot!.Wait).Order());
    }

    [Fact]
    public async Task One_request_claimed_by_many_at_once_is_claimed_once()
    {
        var request = Request();
        var slot = (await Ledger.ReserveAsync(request, false, Second, None)).Slot!;
        var claims = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Ledger.ClaimAsync(AttemptOf(request, slot, spacing: TimeSpan.Zero), None))));
        Assert.Single(claims, claim => claim.IsOurs);
        Assert.All(claims.Where(claim => !claim.IsOurs), claim => Assert.Equal(SubmissionState.Submitting, claim.Existing!.State));
        Assert.Equal(1, (await Ledger.FindAsync(request.RequestId, None))!.Attempts);
    }

    [Fact]
    public async Task Two_claims_are_never_closer_than_their_spacing_however_late_the_first_one_was()
    {
        var (first, second) = (Request(), Request());
        var early = (await Ledger.ReserveAsync(first, false, Second, None)).Slot!;
        var next = (await Ledger.ReserveAsync(second, false, Second, None)).Slot!;
        Clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.True((await Ledger.ClaimAsync(AttemptOf(first, early), None)).IsOurs);

        Clock.Advance(TimeSpan.FromMilliseconds(100));
        var tooEarly = await Ledger.ClaimAsync(AttemptOf(second, next), None);
        Assert.False(tooEarly.IsOurs);
        Assert.False(tooEarly.Slot.IsVoid);
        Assert.Equal(900_000, tooEarly.Slot.Wait);

        Clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.True((await Ledger.ClaimAsync(AttemptOf(second, next), None)).IsOurs);
    }

    [Fact]
    public async Task A_throttle_pushes_everybody_back_and_voids_the_slots_reserved_before()
    {
        var (throttled, waiting) = (Request(), Request());
        var attempt = await ClaimedAsync(throttled);
        var slot = (await Ledger.ReserveAsync(waiting, false, Second, None)).Slot!;
        await Ledger.FinishAsync(attempt, End(SubmissionState.Deferred, AccountEffect.Throttled) with { PushBack = TimeSpan.FromSeconds(7), RetryIn = Second }, None);

        Clock.Advance(TimeSpan.FromSeconds(2));
        var claim = await Ledger.ClaimAsync(AttemptOf(waiting, slot), None);
        Assert.False(claim.IsOurs);
        Assert.True(claim.Slot.IsVoid);
        Assert.Equal(5_000_000, (await Ledger.ReserveAsync(waiting, false, Second, None)).Slot!.Wait);
    }

    [Fact]
    public async Task Throttles_in_a_row_double_the_push_back_until_an_answer_is_good()
    {
        var waits = new List<long>();
        for (var i = 0; i < 8; i++)
        {
            var attempt = await ClaimedAsync(Request());
            await Ledger.FinishAsync(attempt, End(SubmissionState.Deferred, AccountEffect.Throttled) with { RetryIn = TimeSpan.FromHours(1) }, None);
            var wait = (await Ledger.ReserveAsync(Request(), false, Second, None)).Slot!.Wait;
            waits.Add(wait / 1_000_000);
            Clock.Advance(Moment.ToSpan(wait) + Second);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 32, 32], waits);
        await Ledger.FinishAsync(await ClaimedAsync(Request()), Accepted("t1"), None);
        Clock.Advance(Second);
        await Ledger.FinishAsync(await ClaimedAsync(Request()), End(SubmissionState.Deferred, AccountEffect.Throttled) with { RetryIn = Second }, None);
        Assert.Equal(1_000_000, (await Ledger.ReserveAsync(Request(), false, Second, None)).Slot!.Wait);
    }

    [Fact]
    public async Task A_blocked_account_gives_no_slots_until_a_single_probe_is_due_and_a_good_answer_ends_it()
    {
        var blocked = await ClaimedAsync(Request());
        await Ledger.FinishAsync(blocked, End(SubmissionState.Deferred, AccountEffect.Blocked) with { PauseReason = "no balance", RetryIn = Second }, None);
        var refused = await Ledger.ReserveAsync(Request("ExtractFrames"), false, Second, None);
        Assert.Null(refused.Slot);
        Assert.Equal((PauseKind.Blocked, "no balance"), (refused.Account.PausedKind, refused.Account.PausedReason));

        Clock.Advance(TimeSpan.FromSeconds(15));
        var (one, other) = (Request(), Request());
        var slot = (await Ledger.ReserveAsync(one, false, Second, None)).Slot!;
        var probe = AttemptOf(one, slot);
        Assert.True((await Ledger.ClaimAsync(probe, None)).IsOurs);
        Assert.Null((await Ledger.ReserveAsync(other, false, Second, None)).Slot);

        await Ledger.FinishAsync(probe, Accepted("t2"), None);
        Assert.NotNull((await Ledger.ReserveAsync(other, false, Second, None)).Slot);
    }

    [Fact]
    public async Task A_probe_whose_slot_is_not_there_yet_waits_for_it_and_is_not_spent()
    {
        var blocked = await ClaimedAsync(Request());
        await Ledger.FinishAsync(blocked, End(SubmissionState.Deferred, AccountEffect.Blocked) with { PauseReason = "no balance", RetryIn = Second }, None);
        Clock.Advance(TimeSpan.FromSeconds(15));
        var request = Request();
        var far = TimeSpan.FromSeconds(30);
        var probe = AttemptOf(request, (await Ledger.ReserveAsync(request, false, Second, None)).Slot!, spacing: far);

        var early = await Ledger.ClaimAsync(probe, None);
        Assert.Equal((false, false), (early.IsOurs, early.Slot.IsVoid));
        Clock.Advance(far);
        Assert.True((await Ledger.ClaimAsync(probe, None)).IsOurs);
    }

    [Fact]
    public async Task Three_failures_in_a_row_stop_everybody_and_two_do_not()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Null((await Ledger.AccountAsync(None)).PausedKind);
            Clock.Advance(Second);
            await Ledger.FinishAsync(await ClaimedAsync(Request()), End(SubmissionState.Uncertain, AccountEffect.Failing) with { PauseReason = "HTTP 500" }, None);
        }

        var account = await Ledger.AccountAsync(None);
        Assert.Equal((PauseKind.Outage, "HTTP 500"), (account.PausedKind, account.PausedReason));
    }

    [Fact]
    public async Task No_further_post_leaves_while_several_are_unanswered()
    {
        for (var i = 0; i < 4; i++)
        {
            await ClaimedAsync(Request());
            Clock.Advance(TimeSpan.FromSeconds(3));
        }

        var fifth = Request();
        var claim = await Ledger.ClaimAsync(AttemptOf(fifth, (await Ledger.ReserveAsync(fifth, false, Second, None)).Slot!), None);
        Assert.False(claim.IsOurs);
        Assert.Equal(4, claim.Slot.Unanswered);
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
