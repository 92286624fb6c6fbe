using System.Text.Json;
using Mavi.Tests.Support;

namespace Mavi.Tests.Sandbox;

/// <summary>Faults of the callback: what it says, when and how often it comes.</summary>
public sealed class CallbackFaultTests
{
    [Fact]
    public async Task Early_comes_before_the_answer()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "early" }]""");
        var taskId = await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        // No waiting: it is there when the answer is.
        Assert.Contains(taskId, Assert.Single(sandbox.Webhook.Bodies), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Duplicated_comes_as_often_as_asked()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "duplicated", "times": 4 }]""");
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        await sandbox.SettledJournalAsync();
        Assert.Equal(4, sandbox.Webhook.Bodies.Count);
        Assert.Single(sandbox.Webhook.Bodies.Distinct());
    }

    [Fact]
    public async Task Duplicated_at_once_is_under_way_together()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        var allThree = new TaskCompletionSource();
        // Answers none of them before all are there: one after the other would never end.
        sandbox.Webhook.Answer = async position =>
        {
            if (position == 2)
                allThree.SetResult();
            await allThree.Task;
            return 200;
        };
        await sandbox.ArmAsync("""[{ "fault": "duplicated", "times": 3, "atOnce": true }]""");
        await sandbox.AcceptedAsync("extract-frames", await sandbox.MadeUpAssetAsync());
        await Eventually.DoneAsync("three callbacks at the same time", allThree.Task);
    }

    [Fact]
    public async Task Delayed_comes_late()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "delayed", "seconds": 0.5 }]""");
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        await sandbox.Webhook.ReceivedAsync(1);
        var journal = await sandbox.JournalAsync();
        double At(string list) => journal.GetProperty(list)[0].GetProperty("monotonicMs").GetDouble();
        var waited = At("callbacks") - At("submissions");
        // A timer may fire a millisecond early.
        Assert.InRange(waited, 490, 10_000);
    }

    [Fact]
    public async Task Lost_never_comes_but_the_journal_knows_what_it_would_have_been()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "lost" }]""");
        var taskId = await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        var lost = (await sandbox.SettledJournalAsync()).GetProperty("callbacks")[0];

        Assert.Empty(sandbox.Webhook.Bodies);
        Assert.Equal("lost on purpose", lost.GetProperty("error").GetString());
        Assert.False(lost.GetProperty("delivered").GetBoolean());

        using var content = new StringContent(lost.GetProperty("body").GetString()!);
        using var byHand = await sandbox.Control.PostAsync("callbacks", content);
        Assert.Equal(200, (await SandboxHost.ReadAsync(byHand))[0].GetProperty("status").GetInt32());
        Assert.Equal(3, (await sandbox.Webhook.CallbackOfAsync(taskId)).GetProperty("data").GetProperty("splits").GetArrayLength());
    }

    [Fact]
    public async Task Reordered_comes_last_submitted_first()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "reordered", "group": 3, "count": 3 }]""");
        var id = await sandbox.MadeUpAssetAsync();
        string[] submitted = [await sandbox.AcceptedAsync("split", id), await sandbox.AcceptedAsync("split", id), await sandbox.AcceptedAsync("extract-frames", id)];
        var received = (await sandbox.Webhook.ReceivedAsync(3)).Select(TaskIdOf);
        Assert.Equal(submitted.Reverse(), received);
    }

    [Fact]
    public async Task Reordered_does_not_wait_for_ever()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "reordered", "group": 3, "seconds": 0.2, "every": 1 }]""");
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        Assert.Single(await sandbox.Webhook.ReceivedAsync(1));
    }

    [Fact]
    public async Task Failed_says_so_in_the_generations_own_code()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "failed", "message": "decoder broke", "count": 2 }]""");
        var id = await sandbox.MadeUpAssetAsync();
        var c = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", id));
        Assert.Equal(500, c.GetProperty("code").GetInt32());
        Assert.Equal("decoder broke", c.GetProperty("message").GetString());
        Assert.Equal(JsonValueKind.Null, c.GetProperty("data").ValueKind);

        using var chosen = new StringContent("""{ "split": "A" }""");
        using var _ = await sandbox.Control.PutAsync("generation", chosen);
        var a = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", id));
        Assert.Equal("0500", a.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_failed_segment_is_failed_in_the_callback_and_in_its_metadata()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "failedSegment" }]""");
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync()));
        var splits = callback.GetProperty("data").GetProperty("splits");
        Assert.Equal(["SUCCESS", "SUCCESS", "FAILED"], splits.EnumerateArray().Select(split => split.GetProperty("upload_status").GetString()));
        using var download = await sandbox.Api.GetAsync($"{splits[2].GetProperty("asset_id").GetString()}/download");
        Assert.Equal(400, (int)download.StatusCode);
    }

    [Theory]
    [InlineData("split", "splits")]
    [InlineData("extract-frames", "asset_ch_ids")]
    public async Task Empty_is_a_success_with_nothing_in_it(string operation, string list)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "empty" }]""");
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync(operation, await sandbox.MadeUpAssetAsync()));
        Assert.Equal(200, callback.GetProperty("code").GetInt32());
        Assert.Equal(0, callback.GetProperty("data").GetProperty(list).GetArrayLength());
    }

    [Fact]
    public async Task A_negative_flag_hides_under_an_outer_success()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "negativeFlag" }]""");
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync()));
        Assert.Equal(200, callback.GetProperty("code").GetInt32());
        Assert.False(callback.GetProperty("data").GetProperty("success").GetBoolean());
    }

    [Fact]
    public async Task Malformed_is_no_json()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "malformed" }]""");
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        var body = Assert.Single(await sandbox.Webhook.ReceivedAsync(1));
        Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<JsonElement>(body));
    }

    [Fact]
    public async Task Drifted_says_the_same_in_other_types()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "drift" }]""");
        var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync()));
        Assert.Equal("200", callback.GetProperty("code").GetString());
        Assert.Equal("SUCCESS", callback.GetProperty("msg").GetString());
        Assert.False(callback.TryGetProperty("message", out _));
        var split = callback.GetProperty("data").GetProperty("splits")[0];
        Assert.Equal(JsonValueKind.String, split.GetProperty("file_size").ValueKind);
        Assert.Equal(JsonValueKind.Number, split.GetProperty("create_time").ValueKind);
    }

    [Fact]
    public async Task Many_frames_are_ids_that_can_be_downloaded()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "manyFrames", "frames": 20000 }]""");
        var frames = (await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync("extract-frames", await sandbox.MadeUpAssetAsync())))
            .GetProperty("data").GetProperty("asset_ch_ids");
        Assert.Equal(20_000, frames.EnumerateArray().Select(id => id.GetString()).Distinct().Count());
        using var last = await sandbox.Api.GetAsync($"{frames[19_999].GetString()}/download");
        Assert.Equal(200, (int)last.StatusCode);
    }

    [Theory]
    [InlineData("foreignTask", "^[0-9a-f]{32}$", "splits")]
    [InlineData("foreignOperation", "^[0-9a-f]{32}$", "exec_time")]
    [InlineData("foreignId", "^ros-sd-", "title")]
    public async Task A_foreign_callback_comes_besides_the_tasks_own(string fault, string foreignId, string field)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync($$"""[{ "fault": "{{fault}}" }]""");
        var taskId = await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        var received = await sandbox.Webhook.ReceivedAsync(2);

        Assert.Matches(foreignId, TaskIdOf(received[0]));
        Assert.NotEqual(taskId, TaskIdOf(received[0]));
        Assert.Contains(field, received[0], StringComparison.Ordinal);
        Assert.Equal(taskId, TaskIdOf(received[1]));
    }

    [Fact]
    public async Task A_forged_callback_has_the_tasks_id_and_another_operations_shape()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "forged" }]""");
        var taskId = await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        var received = await sandbox.Webhook.ReceivedAsync(2);
        Assert.Equal([taskId, taskId], received.Select(TaskIdOf));
        Assert.Contains("asset_ch_ids", received[0], StringComparison.Ordinal);
        Assert.Contains("splits", received[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_of_answer_and_callback_go_together()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "cutAfter" }, { "fault": "duplicated" }, { "fault": "failed" }]""");
        var id = await sandbox.MadeUpAssetAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.SubmitAsync("split", id));
        var journal = await sandbox.SettledJournalAsync();
        Assert.Equal(2, journal.GetProperty("callbacks").GetArrayLength());
        Assert.All(sandbox.Webhook.Bodies, body => Assert.Contains("\"code\":500", body, StringComparison.Ordinal));
    }

    static string TaskIdOf(string body) => JsonSerializer.Deserialize<JsonElement>(body).GetProperty("task_id").GetString()!;
}
