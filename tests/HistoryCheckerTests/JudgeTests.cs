using System.Text.Json;
using Mavi.HistoryChecker;

namespace Mavi.Tests.HistoryCheckerTests;

/// <summary>The finer rules on recorded evidence: what the product is not known to do, and what is no violation though it looks like one.</summary>
public sealed class JudgeTests
{
    const string Request = "11111111-1111-1111-1111-111111111111";
    const string Task = "66302abc66302abc66302abc66302abc";
    const string Whole = """{"code":200,"message":"SUCCESS","task_id":"66302abc66302abc66302abc66302abc","data":{"splits":[{"asset_id":"re_2","upload_status":"SUCCESS"}]}}""";
    const string Failure = """{"code":500,"message":"Task failed","task_id":"66302abc66302abc66302abc66302abc","data":null}""";

    static readonly Message Command = Said("SplitVideoRequested", "c", $$"""{"requestId":"{{Request}}","assetId":"re_1"}""");
    static readonly Message Success = Succeeded();

    [Fact]
    public void Evidence_without_fault_passes() => Assert.True(Judge.Judged(Of([Success, Success])).IsPass);

    [Fact]
    public void Nothing_asked_proves_nothing() =>
        Assert.Equal(Violation.NoRequests, Assert.Single(Judge.Judged(new Evidence([], [], [], [], new LedgerRecords([], [], [], []))).Findings).Kind);

    [Theory]
    [InlineData("CallbackLost")]
    [InlineData("SubmissionUncertain")]
    [InlineData("Abandoned")]
    public void A_late_success_after_a_failure_in_doubt_is_the_one_exception(string reason) =>
        Assert.True(Judge.Judged(Of([Failed(reason), Succeeded(late: true)])).IsPass);

    [Theory]
    [InlineData("CallbackLost", false)]
    [InlineData("TaskFailed", true)]
    [InlineData("Rejected", true)]
    public void Any_other_pair_conflicts(string reason, bool late) => Conflicts([Failed(reason), Succeeded(late: late)], "SplitVideoFailed because of");

    [Fact]
    public void Late_without_a_failure_before_conflicts() => Conflicts([Succeeded(late: true)], "no failure came before");

    [Fact]
    public void One_message_id_with_two_contents_conflicts() => Conflicts([Success, Said("SplitVideoSucceeded", "s", Success.Content.GetRawText().Replace("2026", "2027", StringComparison.Ordinal))], "different contents");

    [Fact]
    public void A_task_the_journal_does_not_have_conflicts() => Conflicts([Succeeded(task: "77")], "no such task");

    [Fact]
    public void A_segment_the_callback_did_not_have_conflicts() => Conflicts([Succeeded(segment: "re_3")], "does not say what Mavi's callback said");

    [Fact]
    public void An_outcome_of_another_asset_conflicts() => Conflicts([Succeeded(asset: "re_9")], "answers Split of re_1");

    [Fact]
    public void A_failure_of_a_task_that_was_a_whole_success_conflicts_and_is_lost()
    {
        var verdict = Conflicts([Failed("TaskFailed")], "was a whole success");
        Assert.Equal(1, verdict.Count(Violation.Lost));
    }

    [Fact]
    public void Where_callbacks_of_one_task_contradict_each_other_either_may_decide()
    {
        var forged = new CallbackAttempt(Task, true, Failure);
        var failed = Of([Failed("TaskFailed")]);
        Assert.True(Judge.Judged(failed with { Callbacks = [forged, .. failed.Callbacks] }).IsPass);
        var good = Of([Success]);
        Assert.True(Judge.Judged(good with { Callbacks = [forged, .. good.Callbacks] }).IsPass);
    }

    [Fact]
    public void Refused_though_accepted_conflicts() => Conflicts([Failed("Rejected")], "says that nothing was accepted");

    [Fact]
    public void A_failure_that_mavi_reported_passes() => Assert.True(Judge.Judged(Of([Failed("TaskFailed")], Failure)).IsPass);

    [Fact]
    public void An_outcome_that_nobody_asked_for_conflicts() =>
        Conflicts([Success, Said("SplitVideoFailed", "x", """{"requestId":"22222222-2222-2222-2222-222222222222","reason":"GaveUp"}""")], "nobody made");

    [Fact]
    public void A_post_for_an_asset_nobody_named_is_paid_for_nobody()
    {
        var good = Of([Success]);
        var verdict = Judge.Judged(good with { Posts = [.. good.Posts, new Post("ExtractFrames", "re_1", true, "88")] });
        Assert.Equal((1, 0), (verdict.Count(Violation.DoublePaid), verdict.Count(Violation.Lost)));
    }

    [Fact]
    public void A_delivered_callback_that_cannot_be_read_has_to_be_kept()
    {
        var good = Of([Success]);
        var strange = good with { Callbacks = [.. good.Callbacks, new CallbackAttempt(null, true, "{\"code\":2")] };
        Assert.Equal(1, Judge.Judged(strange).Count(Violation.Lost));
        Assert.True(Judge.Judged(strange with { Ledger = good.Ledger with { Kept = [new KeptRecord(null, "{\"code\":2")] } }).IsPass);
    }

    [Fact]
    public void A_callback_that_was_not_answered_2xx_may_be_lost()
    {
        var good = Of([Success]);
        Assert.True(Judge.Judged(good with { Callbacks = [.. good.Callbacks, new CallbackAttempt("99", false, Whole)] }).IsPass);
    }

    [Theory]
    [InlineData("Submitting", false, 1)]
    [InlineData("Deferred", false, 1)]
    [InlineData("Submitted", true, 1)]
    [InlineData("Submitted", false, 0)]
    public void A_submission_that_is_not_at_its_end_is_open(string state, bool isOwed, int expected)
    {
        var good = Of([Success]);
        var open = good with { Ledger = good.Ledger with { Submissions = [good.Ledger.Submissions[0] with { State = state, IsOwed = isOwed }] } };
        Assert.Equal(expected, Judge.Judged(open).Count(Violation.UncertainOpen));
    }

    [Fact]
    public void A_post_without_an_intent_in_the_history_fails()
    {
        var good = Of([Success]);
        var verdict = Judge.Judged(good with { Ledger = good.Ledger with { History = [.. good.Ledger.History.Where(static note => note.Kind != "Submitting")] } });
        Assert.Equal(Violation.History, Assert.Single(verdict.Findings).Kind);
        Assert.EndsWith("verdict=FAIL", verdict.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void Commands_are_known_by_any_form_of_their_id()
    {
        Assert.Equal(Request, Taps.Parse("SplitVideoRequested", """{"requestId":"11111111111111111111111111111111"}"""u8.ToArray(), null).RequestId);
        Assert.Equal(Request, Taps.Parse("SplitVideoRequested", """{"assetId":"re_1"}"""u8.ToArray(), Request).RequestId);
        Assert.Null(Taps.Parse("SplitVideoRequested", """{"messageId":"x","message":{"assetId":"re_1"}}"""u8.ToArray(), Request).RequestId);
    }

    static Verdict Conflicts(Message[] outcomes, string sentence)
    {
        var verdict = Judge.Judged(Of(outcomes));
        Assert.Equal(1, verdict.Count(Violation.OutcomeConflicting));
        Assert.Contains(verdict.Findings, finding => finding.Kind == Violation.OutcomeConflicting && finding.Sentence.Contains(sentence, StringComparison.Ordinal));
        return verdict;
    }

    static Evidence Of(Message[] outcomes, string callback = Whole) => new(
        [new Post("Split", "re_1", true, Task)], [new CallbackAttempt(Task, true, callback)], [Command, .. outcomes], [new QueueDepth("mavi-task", 0)],
        new LedgerRecords(
            [new SubmissionRecord(Request, "Submitted", Task, "t2", false)], [new TaskRecord(Task, "Succeeded", Request, "VideoSplitCompleted", false)], [],
            [
                new HistoryRecord("t1", Request, null, "Submitting", "worker"), new HistoryRecord("t2", Request, Task, "Submitted", "worker"),
                new HistoryRecord("t3", Request, Task, "TaskSubmitted", "worker"), new HistoryRecord("t4", Request, Task, "VideoSplitCompleted", "worker"),
            ]));

    static Message Succeeded(bool late = false, string task = Task, string segment = "re_2", string asset = "re_1") => Said("SplitVideoSucceeded", "s", JsonSerializer.Serialize(
        new { requestId = Request, assetId = asset, taskId = task, segments = new[] { new { assetId = segment } }, completedAt = "2026-01-02T03:04:05.678Z", late }));

    static Message Failed(string reason) =>
        Said("SplitVideoFailed", "f", JsonSerializer.Serialize(new { requestId = Request, assetId = "re_1", taskId = reason == "Rejected" ? null : Task, reason }));

    static Message Said(string kind, string messageId, string content)
    {
        using var document = JsonDocument.Parse(content);
        var message = new Message(kind, messageId, null, document.RootElement.Clone());
        return message with { RequestId = message.Text("requestId") };
    }
}
