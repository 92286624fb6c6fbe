using Mavi.Ledger;

namespace Mavi.Tests.Ledger;

/// <summary>Requests of which nobody knows whether Mavi took them, and callbacks that nobody claims: who may be joined to whom without a person.</summary>
public abstract class DoubtConformance(Func<Task<string>> newDatabase) : LedgerSuite(newDatabase)
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    OperatorLedger Decisions => new(Database, Sweeps);

    /// <summary><c>u</c>: a POST whose answer is lost; <c>c</c>: a callback that nobody claims; <c>s</c>: a POST still on its way. Each comes a while after the one before.</summary>
    [Theory]
    [InlineData("uc", "u1=c1")]
    [InlineData("cu", "")]
    [InlineData("cuc", "u1=c2")]
    [InlineData("uucc", "")]
    [InlineData("ucuc", "u1=c1 u2=c2")]
    [InlineData("ucucuc", "u1=c1 u2=c2 u3=c3")]
    [InlineData("ucuuc", "u1=c1")]
    [InlineData("uuc", "")]
    [InlineData("ucc", "")]
    [InlineData("uccuc", "")]
    [InlineData("suc", "")]
    [InlineData("ucs", "u1=c1")]
    [InlineData("ucsc", "u1=c1")]
    public async Task A_callback_is_adopted_where_it_fits_one_request_alone(string story, string adoptions)
    {
        var (requests, callbacks) = (new List<Guid>(), new List<string>());
        foreach (var what in story)
        {
            if (what == 'c')
                callbacks.Add(await OrphanAsync());
            else
                requests.Add(what == 'u' ? await DoubtedAsync() : (await ClaimedAsync(Request())).Request.RequestId);
            Clock.Advance(Second);
        }

        Clock.Advance(Grace);
        Assert.Equal(adoptions, string.Join(' ', (await AdoptAllAsync()).Select(row => $"u{requests.IndexOf(row.Request) + 1}=c{callbacks.IndexOf(row.TaskId!) + 1}")));
    }

    [Fact]
    public async Task A_callback_counts_as_unclaimed_only_when_its_submission_had_time_to_be_recorded()
    {
        await DoubtedAsync();
        Clock.Advance(Second);
        await OrphanAsync();
        Clock.Advance(Grace - Second);
        Assert.Empty(await AdoptAllAsync());
        Clock.Advance(Second);
        Assert.Single(await AdoptAllAsync());
    }

    [Fact]
    public async Task A_callback_of_a_task_that_was_answered_is_nobody_elses_though_the_saga_has_not_joined_it_yet()
    {
        var doubted = await DoubtedAsync();
        Clock.Advance(Second);
        var task = await OrphanAsync();
        var claimed = await OrphanAsync();
        await Ledger.FinishAsync(await ClaimedAsync(Request()), Accepted(claimed), None);
        Clock.Advance(Grace);
        Assert.Equal((doubted, task), Assert.Single((await AdoptAllAsync()).Select(row => (row.Request, row.TaskId))));
    }

    [Fact]
    public async Task A_callback_that_another_one_contradicts_is_left_to_a_person()
    {
        await DoubtedAsync();
        Clock.Advance(Second);
        var callback = new KeptCallback { Id = Guid.NewGuid().ToString(), TaskId = await OrphanAsync(), Body = "{}", Reason = "a further callback" };
        await new CallbackLedger(Database).KeepAsync(callback, null, "test", None);
        Clock.Advance(Grace);
        Assert.Empty(await AdoptAllAsync());
    }

    [Fact]
    public async Task A_request_in_doubt_about_two_posts_stays_a_candidate_after_one_callback_is_its()
    {
        var request = Request();
        await LoseAnswerAsync(request);
        await Decisions.ResubmitAsync(request.RequestId, Note("Resubmitted"), None);
        Clock.Advance(Second);
        await LoseAnswerAsync(request);
        Clock.Advance(Second);
        var its = await OrphanAsync();
        Clock.Advance(Second);
        await DoubtedAsync();
        Clock.Advance(Second);
        await OrphanAsync();
        Clock.Advance(Grace);

        // The second callback may be the first request's other task as well as the second request's.
        Assert.Equal((request.RequestId, its), Assert.Single((await AdoptAllAsync()).Select(row => (row.Request, row.TaskId))));
    }

    [Fact]
    public async Task One_that_is_submitted_again_is_tried_whatever_its_age_and_stays_adoptable_when_it_is_given_up()
    {
        var request = Request();
        await LoseAnswerAsync(request);
        Clock.Advance(TimeSpan.FromDays(2));
        await Decisions.ResubmitAsync(request.RequestId, Note("Resubmitted"), None);
        Assert.Equal(0, await Sweeps.GiveUpAsync(TimeSpan.FromDays(1), "sweep", None));

        await Ledger.FinishAsync(await ClaimedAsync(request), End(SubmissionState.Deferred, AccountEffect.Throttled) with { RetryIn = Second }, None);
        Assert.Equal(1, await Sweeps.GiveUpAsync(TimeSpan.FromDays(1), "sweep", None));
        Assert.Equal("SubmissionUncertain", (await Ledger.FindAsync(request.RequestId, None))!.Reason);
        Assert.NotNull(await Decisions.AdoptAsync(request.RequestId, "found", Note("Adopted"), None));
    }

    static HistoryNote Note(string kind) => new(kind, "test");

    async Task<List<SubmissionRow>> AdoptAllAsync()
    {
        var adopted = new List<SubmissionRow>();
        while (await Decisions.AdoptOnlyFitAsync("Split", Grace, Note("Adopted"), None) is { } row)
            adopted.Add(row);
        return adopted;
    }

    async Task<Guid> DoubtedAsync()
    {
        var request = Request();
        await LoseAnswerAsync(request);
        return request.RequestId;
    }

    async Task LoseAnswerAsync(SubmissionRequest request) =>
        await Ledger.FinishAsync(await ClaimedAsync(request), End(SubmissionState.Uncertain, AccountEffect.Healthy), None);

    async Task<string> OrphanAsync() => (await RecordedAsync(new TaskRow
    {
        TaskId = Guid.NewGuid().ToString("N"),
        State = TaskStates.AwaitingSubmission,
        Operation = "Split",
        ResultKind = "VideoSplitCompleted",
        Result = "{}",
    })).TaskId;
}

/// <inheritdoc />
public sealed class PostgresDoubtTests() : DoubtConformance(Databases.PostgresAsync);

/// <inheritdoc />
public sealed class SqliteDoubtTests() : DoubtConformance(Databases.SqliteAsync);
