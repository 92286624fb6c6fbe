using Mavi.Ledger;

namespace Mavi.Tests.Ledger;

/// <summary>The account's slots and pauses: who may let a POST go, and when.</summary>
public abstract class SlotConformance(Func<Task<string>> newDatabase) : LedgerSuite(newDatabase)
{
    [Fact]
    public async Task A_slot_that_is_free_is_taken_at_once_with_the_intent_and_the_next_request_waits()
    {
        var attempt = AttemptOf(Request());
        var taken = await Ledger.TakeAsync(attempt, evenDeferred: false, Second, None);
        Assert.Equal((true, SubmissionState.Submitting, attempt.Id, 1), (taken.IsOurs, taken.Existing?.State, taken.Existing?.AttemptId, taken.Existing?.Attempts));
        Assert.Equal(["Submitting"], (await new LedgerView(Database).HistoryAsync(attempt.Request.RequestId, None)).Select(note => note.Kind));

        var next = AttemptOf(Request());
        Assert.Equal((false, null), await Ledger.TakeAsync(next, evenDeferred: false, Second, None));
        Assert.Equal(1_000_000, (await Ledger.ReserveAsync(next, evenDeferred: false, Second, None)).Slot?.Wait);
    }

    [Fact]
    public async Task A_slot_taken_at_once_is_still_ours_where_it_is_asked_for_again_and_no_second_one_is_spent()
    {
        var attempt = AttemptOf(Request());
        for (var i = 0; i < 3; i++)
            Assert.True((await Ledger.TakeAsync(attempt, evenDeferred: i == 2, Second, None)).IsOurs);
        Assert.Equal(1, (await Ledger.FindAsync(attempt.Request.RequestId, None))!.Attempts);
        Clock.Advance(Second);
        await ClaimedAsync(Request());
        Assert.True((await Ledger.TakeAsync(attempt, evenDeferred: true, Second, None)).IsOurs);
        Assert.Equal(1_000_000, (await ReserveAsync(Request())).Slot!.Wait);
    }

    [Fact]
    public async Task One_request_that_many_want_to_bring_at_once_gets_one_slot()
    {
        var request = Request();
        var takings = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Ledger.TakeAsync(AttemptOf(request), evenDeferred: false, Second, None))));
        Assert.Single(takings, taking => taking.IsOurs);
        Assert.All(takings, taking => Assert.Equal(SubmissionState.Submitting, taking.Existing!.State));
        Assert.Null((await Ledger.ReserveAsync(AttemptOf(request), evenDeferred: false, Second, None)).Slot);
        Assert.Equal(1, (await Ledger.FindAsync(request.RequestId, None))!.Attempts);
    }

    [Fact]
    public async Task A_deferred_request_takes_a_free_slot_only_when_its_time_has_come()
    {
        var request = Request();
        await Ledger.RecordAsync(request, SubmissionState.Deferred, Second, null, null, new HistoryNote("Deferred", "test"), None);
        var early = await Ledger.TakeAsync(AttemptOf(request), evenDeferred: false, Second, None);
        Assert.Equal((false, SubmissionState.Deferred), (early.IsOurs, early.Existing!.State));
        Assert.Null((await Ledger.ReserveAsync(AttemptOf(request), evenDeferred: false, Second, None)).Slot);
        Assert.True((await Ledger.TakeAsync(AttemptOf(request), evenDeferred: true, Second, None)).IsOurs);
    }

    [Fact]
    public async Task A_free_slot_closer_to_the_last_post_than_the_spacing_is_not_taken_at_once()
    {
        var first = await ClaimedAsync(Request());
        Clock.Advance(Second);
        await Ledger.LeavesNowAsync(first, None);
        Clock.Advance(TimeSpan.FromMilliseconds(100));
        var second = AttemptOf(Request());
        Assert.False((await Ledger.TakeAsync(second, evenDeferred: false, Second, None)).IsOurs);
        var reserved = await Ledger.ReserveAsync(second, evenDeferred: false, Second, None);
        Assert.Equal(0, reserved.Slot?.Wait);
        Assert.Equal(900_000, (await Ledger.ClaimAsync(second, reserved.Slot!.Generation, None)).Slot.Wait);
    }

    [Fact]
    public async Task Slots_of_one_operation_are_an_interval_apart_and_those_of_another_are_its_own()
    {
        var waits = new List<long>();
        for (var i = 0; i < 4; i++)
            waits.Add((await ReserveAsync(Request())).Slot!.Wait);
        Assert.Equal([0, 1_000_000, 2_000_000, 3_000_000], waits);
        Assert.Equal(0, (await ReserveAsync(Request("ExtractFrames"))).Slot!.Wait);

        Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, (await ReserveAsync(Request())).Slot!.Wait);
    }

    [Fact]
    public async Task Many_at_once_get_slots_that_all_differ()
    {
        var slots = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => ReserveAsync(Request()))));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i * 1_000_000L), slots.Select(slot => slot.Slot!.Wait).Order());
    }

    [Fact]
    public async Task One_request_claimed_by_many_at_once_is_claimed_once()
    {
        var request = Request();
        var slot = (await ReserveAsync(request)).Slot!;
        var claims = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Ledger.ClaimAsync(AttemptOf(request, spacing: TimeSpan.Zero), slot.Generation, None))));
        Assert.Single(claims, claim => claim.IsOurs);
        Assert.All(claims.Where(claim => !claim.IsOurs), claim => Assert.Equal(SubmissionState.Submitting, claim.Existing!.State));
        Assert.Equal(1, (await Ledger.FindAsync(request.RequestId, None))!.Attempts);
    }

    [Theory]
    [InlineData("Split", "re_2")]
    [InlineData("ExtractFrames", "re_1")]
    public async Task A_deferred_request_is_not_claimed_for_another_asset_or_operation(string operation, string asset)
    {
        var request = Request();
        var other = request with { Operation = operation, AssetId = asset };
        var slot = (await ReserveAsync(other)).Slot!;
        await Ledger.RecordAsync(request, SubmissionState.Deferred, Second, null, null, new HistoryNote("Deferred", "test"), None);
        var claim = await Ledger.ClaimAsync(AttemptOf(other), slot.Generation, None);
        Assert.Equal((false, SubmissionState.Deferred, 0), (claim.IsOurs, claim.Existing?.State, claim.Existing?.Attempts));

        // The slot is not spent on it.
        Assert.True((await Ledger.ClaimAsync(AttemptOf(Request(operation)), slot.Generation, None)).IsOurs);
    }

    [Fact]
    public async Task No_slot_is_reserved_more_than_ten_minutes_ahead()
    {
        for (var i = 0; i <= 600; i += 60)
            Assert.Equal(i * 1_000_000L, (await Ledger.ReserveAsync(AttemptOf(Request()), evenDeferred: false, Second * 60, None)).Slot?.Wait);
        Assert.Null((await Ledger.ReserveAsync(AttemptOf(Request()), evenDeferred: false, Second, None)).Slot);
        Clock.Advance(Second * 60);
        Assert.Equal(600_000_000, (await Ledger.ReserveAsync(AttemptOf(Request()), evenDeferred: false, Second, None)).Slot?.Wait);
    }

    [Fact]
    public async Task Two_claims_are_never_closer_than_their_spacing_however_late_the_first_one_was()
    {
        var (first, second) = (Request(), Request());
        var early = (await ReserveAsync(first)).Slot!;
        var next = (await ReserveAsync(second)).Slot!;
        Clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.True((await Ledger.ClaimAsync(AttemptOf(first), early.Generation, None)).IsOurs);

        Clock.Advance(TimeSpan.FromMilliseconds(100));
        var tooEarly = await Ledger.ClaimAsync(AttemptOf(second), next.Generation, None);
        Assert.False(tooEarly.IsOurs);
        Assert.False(tooEarly.Slot.IsVoid);
        Assert.Equal(900_000, tooEarly.Slot.Wait);

        Clock.Advance(TimeSpan.FromMilliseconds(900));
        Assert.True((await Ledger.ClaimAsync(AttemptOf(second), next.Generation, None)).IsOurs);
    }

    [Fact]
    public async Task A_throttle_pushes_everybody_back_and_voids_the_slots_reserved_before()
    {
        var (throttled, waiting) = (Request(), Request());
        var attempt = await ClaimedAsync(throttled);
        var slot = (await ReserveAsync(waiting)).Slot!;
        await Ledger.FinishAsync(attempt, End(SubmissionState.Deferred, AccountEffect.Throttled) with { PushBack = TimeSpan.FromSeconds(7), RetryIn = Second }, None);

        Clock.Advance(TimeSpan.FromSeconds(2));
        var claim = await Ledger.ClaimAsync(AttemptOf(waiting), slot.Generation, None);
        Assert.False(claim.IsOurs);
        Assert.True(claim.Slot.IsVoid);
        Assert.Equal(5_000_000, (await ReserveAsync(waiting)).Slot!.Wait);
    }

    [Fact]
    public async Task Throttles_in_a_row_double_the_push_back_until_an_answer_is_good()
    {
        var waits = new List<long>();
        for (var i = 0; i < 8; i++)
        {
            var attempt = await ClaimedAsync(Request());
            await Ledger.FinishAsync(attempt, End(SubmissionState.Deferred, AccountEffect.Throttled) with { RetryIn = TimeSpan.FromHours(1) }, None);
            var wait = (await ReserveAsync(Request())).Slot!.Wait;
            waits.Add(wait / 1_000_000);
            Clock.Advance(Moment.ToSpan(wait) + Second);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 32, 32], waits);
        await Ledger.FinishAsync(await ClaimedAsync(Request()), Accepted("t1"), None);
        Clock.Advance(Second);
        await Ledger.FinishAsync(await ClaimedAsync(Request()), End(SubmissionState.Deferred, AccountEffect.Throttled) with { RetryIn = Second }, None);
        Assert.Equal(1_000_000, (await ReserveAsync(Request())).Slot!.Wait);
    }

    [Fact]
    public async Task A_blocked_account_gives_no_slots_until_a_single_probe_is_due_and_a_good_answer_ends_it()
    {
        var blocked = await ClaimedAsync(Request());
        await Ledger.FinishAsync(blocked, End(SubmissionState.Deferred, AccountEffect.Blocked) with { PauseReason = "no balance", RetryIn = Second }, None);
        var refused = await ReserveAsync(Request("ExtractFrames"));
        Assert.Null(refused.Slot);
        Assert.Equal((PauseKind.Blocked, "no balance"), (refused.Account.PausedKind, refused.Account.PausedReason));

        Clock.Advance(TimeSpan.FromSeconds(15));
        var (one, other) = (Request(), Request());
        var slot = (await ReserveAsync(one)).Slot!;
        var probe = AttemptOf(one);
        Assert.True((await Ledger.ClaimAsync(probe, slot.Generation, None)).IsOurs);
        Assert.Null((await ReserveAsync(other)).Slot);

        await Ledger.FinishAsync(probe, Accepted("t2"), None);
        Assert.NotNull((await ReserveAsync(other)).Slot);
    }

    [Fact]
    public async Task A_probe_whose_slot_is_not_there_yet_waits_for_it_and_is_not_spent()
    {
        var blocked = await ClaimedAsync(Request());
        await Ledger.FinishAsync(blocked, End(SubmissionState.Deferred, AccountEffect.Blocked) with { PauseReason = "no balance", RetryIn = Second }, None);
        Clock.Advance(TimeSpan.FromSeconds(15));
        var request = Request();
        var far = TimeSpan.FromSeconds(30);
        var slot = (await ReserveAsync(request)).Slot!;
        var probe = AttemptOf(request, spacing: far);

        var early = await Ledger.ClaimAsync(probe, slot.Generation, None);
        Assert.Equal((false, false), (early.IsOurs, early.Slot.IsVoid));
        Clock.Advance(far);
        Assert.True((await Ledger.ClaimAsync(probe, slot.Generation, None)).IsOurs);
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
        var claim = await Ledger.ClaimAsync(AttemptOf(fifth), (await ReserveAsync(fifth)).Slot!.Generation, None);
        Assert.False(claim.IsOurs);
        Assert.Equal(4, claim.Slot.Unanswered);
    }
}

/// <inheritdoc />
public sealed class PostgresSlotTests() : SlotConformance(Databases.PostgresAsync);

/// <inheritdoc />
public sealed class SqliteSlotTests() : SlotConformance(Databases.SqliteAsync);
