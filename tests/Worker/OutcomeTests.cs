using System.Text.Json;
using Mavi.Contracts;
using Mavi.Ledger;

namespace Mavi.Tests.Worker;

public sealed class OutcomeTests
{
    [Theory]
    [InlineData("C", true, false)]
    [InlineData("A", true, false)]
    [InlineData("C", false, false)]
    [InlineData("A", false, false)]
    [InlineData("C", false, true)]
    public async Task A_command_becomes_one_outcome_in_both_generations_and_both_formats(string generation, bool plain, bool sqlite)
    {
        await using var system = await WorkerSystem.StartAsync(sqlite: sqlite, sandbox: [$"Generation={generation}"]);
        var (split, frames) = (Guid.NewGuid(), Guid.NewGuid());
        if (plain)
        {
            await system.PublishAsync<SplitVideoRequested>(split);
            await system.PublishBodyAsync<ExtractFramesRequested>($$"""{"requestId":"{{frames:N}}","assetId":"{{system.Asset}}","caller":"me","more":[1]}""");
        }
        else
        {
            await system.PublishEnvelopeAsync<SplitVideoRequested>(new SplitVideoRequested { RequestId = split, AssetId = system.Asset });
            await system.PublishEnvelopeAsync<ExtractFramesRequested>(new { requestId = frames, assetId = system.Asset });
        }

        var splitDone = await system.TakeAsync<SplitVideoSucceeded>();
        var framesDone = await system.TakeAsync<ExtractFramesSucceeded>();
        var segments = splitDone.Read<SplitVideoSucceeded>();
        Assert.Equal((split, system.Asset, false), (segments.RequestId, segments.AssetId, segments.Late));
        Assert.Equal(split, splitDone.CorrelationId);
        Assert.Equal(Enumerable.Range(0, segments.Segments.Count), segments.Segments.Select(segment => segment.Index!.Value));
        Assert.All(segments.Segments, segment => Assert.StartsWith("re_", segment.AssetId, StringComparison.Ordinal));
        var images = framesDone.Read<ExtractFramesSucceeded>();
        Assert.Equal((frames, system.Asset), (images.RequestId, images.AssetId));
        Assert.NotEmpty(images.FrameIds);
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$", framesDone.Message.GetProperty("completedAt").GetString());

        await system.DrainAsync();
        Assert.Equal((0u, 0u), (await system.CountAsync<SplitVideoSucceeded>(), await system.CountAsync<ExtractFramesSucceeded>()));
        Assert.Single(await system.PostsAsync("split"));
        Assert.Single(await system.PostsAsync("extract-frames"));
    }

    [Theory]
    [InlineData("""[{ "fault": "early" }]""", 1)]
    [InlineData("""[{ "fault": "duplicated", "times": 2 }]""", 2)]
    [InlineData("""[{ "fault": "duplicated", "times": 3, "atOnce": true }]""", 3)]
    public async Task A_callback_that_is_early_or_comes_again_makes_no_second_outcome(string rules, int callbacks)
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync(rules);
        var request = await system.PublishAsync<SplitVideoRequested>();
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);

        Assert.Equal(callbacks, (await system.Mavi.SettledJournalAsync()).GetProperty("callbacks").GetArrayLength());
        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<SplitVideoSucceeded>());
        Assert.Equal(0u, await system.Bus.CountAsync("mavi-task_error"));
        Assert.Single(await system.PostsAsync());
    }

    [Theory]
    [InlineData("""[{ "fault": "failed" }]""", FailureReasons.TaskFailed)]
    [InlineData("""[{ "fault": "negativeFlag" }]""", FailureReasons.TaskFailed)]
    [InlineData("""[{ "fault": "empty" }]""", FailureReasons.PartialResult)]
    [InlineData("""[{ "fault": "failedSegment" }]""", FailureReasons.PartialResult)]
    public async Task A_result_that_is_not_whole_is_one_failure_with_its_reason(string rules, string reason)
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync(rules);
        var request = await system.PublishAsync<SplitVideoRequested>();
        var failed = (await system.TakeAsync<SplitVideoFailed>()).Read<SplitVideoFailed>();
        Assert.Equal((request, reason), (failed.RequestId, failed.Reason));
        Assert.NotNull(failed.TaskId);
        Assert.NotEmpty(failed.Message!);
        Assert.Equal(reason == FailureReasons.PartialResult, failed.Segments is not null);
        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<SplitVideoFailed>() + await system.CountAsync<SplitVideoSucceeded>());
    }

    [Fact]
    public async Task Twenty_thousand_frames_and_a_task_id_that_is_no_uuid_are_joined_like_any_other()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync("""[{ "fault": "manyFrames", "frames": 20000 }]""");
        await system.PublishAsync<ExtractFramesRequested>();
        Assert.Equal(20_000, (await system.TakeAsync<ExtractFramesSucceeded>()).Read<ExtractFramesSucceeded>().FrameIds.Count);
    }

    [Fact]
    public async Task A_callback_nobody_asked_for_is_an_orphan_and_one_of_another_operation_is_kept()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.CallBackAsync("""{"code":200,"message":"SUCCESS","task_id":"ros-sd-1","data":{"splits":[{"asset_id":"re_1","original_filename":"segment_video_1a2b3c4d_0000","upload_status":"SUCCESS"}]}}""");
        await system.CallBackAsync("""{"code":200,"message":"SUCCESS","task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5","data":{"data":[{"start":1,"end":2}]}}""");
        await system.CallBackAsync("not json");

        var view = (LedgerView)system.Worker.GetService(typeof(LedgerView))!;
        await Support.Eventually.TrueAsync("the orphan", async () => (await view.OrphansAsync(10, CancellationToken.None)).SingleOrDefault()?.TaskId == "ros-sd-1");
        await Support.Eventually.TrueAsync("the kept callbacks", async () => (await view.CallbacksAsync(10, CancellationToken.None)).Count == 2);
    }

    [Fact]
    public async Task A_callback_of_no_known_shape_for_a_task_of_ours_is_its_failure()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync("""[{ "fault": "lost" }]""");
        var request = await system.PublishAsync<SplitVideoRequested>();
        var task = (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().TaskId;
        await system.CallBackAsync(JsonSerializer.Serialize(new { code = 200, message = "SUCCESS", task_id = task, data = new { something = "else" } }));
        var failed = (await system.TakeAsync<SplitVideoFailed>()).Read<SplitVideoFailed>();
        Assert.Equal((request, FailureReasons.TaskFailed, task), (failed.RequestId, failed.Reason, failed.TaskId));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_further_callback_that_says_otherwise_changes_nothing_and_is_kept_to_be_seen(bool joined)
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.Mavi.ArmAsync("""[{ "fault": "lost" }]""");
        var task = "ros-sd-1";
        if (joined)
        {
            await system.PublishAsync<SplitVideoRequested>();
            task = (await system.TakeAsync<TaskSubmitted>()).Read<TaskSubmitted>().TaskId;
        }

        var (failure, success) = ($$"""{"code":500,"message":"no","task_id":"{{task}}","data":null}""", WholeSplit(task));
        var view = (LedgerView)system.Worker.GetService(typeof(LedgerView))!;
        await system.CallBackAsync(failure);
        if (joined)
            await system.TakeAsync<SplitVideoFailed>();
        else
            await Support.Eventually.TrueAsync("the orphan", async () => (await view.OrphansAsync(10, CancellationToken.None)).Count == 1);
        await system.CallBackAsync(failure);
        await system.CallBackAsync(success);
        await system.CallBackAsync(success);
        await Support.Eventually.TrueAsync("the other callback to be kept", async () => (await view.CallbacksAsync(10, CancellationToken.None)).Count > 0);

        await system.DrainAsync();
        var kept = Assert.Single(await view.CallbacksAsync(10, CancellationToken.None));
        Assert.Equal(task, kept.TaskId);
        Assert.Contains("re_1", kept.Body, StringComparison.Ordinal);
        Assert.Contains("by TaskFailed", kept.Reason, StringComparison.Ordinal);
        Assert.Equal(0u, await system.CountAsync<SplitVideoSucceeded>());
    }

    static string WholeSplit(string task) => JsonSerializer.Serialize(new
    {
        code = "0000",
        message = "SUCCESS",
        task_id = task,
        data = new { splits = new[] { new { asset_id = "re_1", original_filename = "segment_video_1a2b3c4d_0000", upload_status = "SUCCESS" } } },
    });
}
