using System.Text.Json;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.Support;

namespace Mavi.Tests.Worker;

public sealed class DeadlineTests
{
    [Fact]
    public async Task No_callback_is_an_alarm_then_a_failure_and_a_result_after_both_is_published_late()
    {
        await using var system = await WorkerSystem.StartAsync(workers: 2, clock: new FakeClock());
        await system.Mavi.ArmAsync("""[{ "fault": "lost" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        var task = (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().TaskId;
        await JoinedAsync(system, request);

        system.Clock.Advance(TimeSpan.FromHours(2) + TimeSpan.FromSeconds(1));
        var overdue = (await system.TakeAsync<TaskOverdue>()).Read<TaskOverdue>();
        Assert.Equal((request, task), (overdue.RequestId, overdue.TaskId));

        system.Clock.Advance(TimeSpan.FromHours(22));
        var failed = await system.TakeAsync<SplitVideoFailed>();
        Assert.Equal((request, FailureReasons.CallbackLost, task), (failed.Read<SplitVideoFailed>().RequestId, failed.Read<SplitVideoFailed>().Reason, failed.Read<SplitVideoFailed>().TaskId));

        await system.CallBackAsync(SplitCallback(task));
        var late = (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>();
        Assert.Equal((request, true), (late.RequestId, late.Late));

        await system.CallBackAsync(SplitCallback(task));
        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<TaskOverdue>() + await system.CountAsync<SplitVideoFailed>() + await system.CountAsync<SplitVideoSucceeded>());
    }

    [Fact]
    public async Task A_failure_callback_after_the_loss_is_no_second_failure()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock());
        await system.Mavi.ArmAsync("""[{ "fault": "lost" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        var task = (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().TaskId;
        await JoinedAsync(system, request);
        system.Clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1));
        await system.SweepAsync();
        system.Clock.Advance(TimeSpan.FromDays(1));
        await system.TakeAsync<SplitVideoFailed>();
        await system.CallBackAsync(JsonSerializer.Serialize(new { code = 500, message = "no", task_id = task }));
        await Eventually.TrueAsync("the callback to be taken", async () => await system.Bus.CountAsync("mavi-task") == 0);
        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<SplitVideoFailed>());
    }

    [Fact]
    public async Task A_late_result_after_the_alarm_is_an_ordinary_success()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock());
        await system.Mavi.ArmAsync("""[{ "fault": "lost" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        var task = (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().TaskId;
        await JoinedAsync(system, request);
        system.Clock.Advance(TimeSpan.FromHours(3));
        await system.TakeAsync<TaskOverdue>();
        await system.CallBackAsync(SplitCallback(task));
        var done = (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>();
        Assert.Equal((request, false), (done.RequestId, done.Late));
    }

    [Fact]
    public async Task What_Mavi_never_takes_is_given_up()
    {
        await using var system = await WorkerSystem.StartAsync(clock: new FakeClock(), worker: ["--Worker:GiveUpAfter", "00:01:00"]);
        await system.Mavi.ArmAsync("""[{ "fault": "503", "every": 1 }]""");
        var request = await system.PublishAsync<ExtractFramesRequested>();
        await system.StateAsync(request, SubmissionState.Deferred);

        // In small steps: a POST that is on its way when the clock jumps would be one without an answer.
        await Eventually.TrueAsync("the request to be given up", async () =>
        {
            system.Clock.Advance(TimeSpan.FromSeconds(1));
            return await system.CountAsync<ExtractFramesFailed>() == 1;
        });
        var failed = (await system.TakeAsync<ExtractFramesFailed>()).Read<ExtractFramesFailed>();
        Assert.Equal((request, FailureReasons.GaveUp), (failed.RequestId, failed.Reason));
    }

    static Task JoinedAsync(WorkerSystem system, Guid request) => Eventually.TrueAsync("the saga to wait for the callback", async () =>
        (await ((LedgerView)system.Worker.GetService(typeof(LedgerView))!).CountAsync(CancellationToken.None)).Any(count => count.State == TaskStates.AwaitingCallback));

    static string SplitCallback(string task) => JsonSerializer.Serialize(new
    {
        code = "0000",
        message = "SUCCESS",
        task_id = task,
        data = new { splits = new[] { new { asset_id = "re_1", original_filename = "segment_video_1a2b3c4d_0000", upload_status = "SUCCESS" } } },
    });
}
