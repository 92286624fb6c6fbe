using System.Text.Json;

namespace Mavi.Tests.Sandbox;

/// <summary>Faults of the answer: whether a task exists afterwards is what a client must get right.</summary>
public sealed class ResponseFaultTests
{
    [Theory]
    [InlineData("401", 401, "Invalid API key")]
    [InlineData("402", 402, "Insufficient balance")]
    [InlineData("403", 403, "Account disabled or IP not allowed")]
    [InlineData("409", 409, "Duplicate request")]
    [InlineData("429", 429, "Rate limit exceeded")]
    [InlineData("throttle400", 400, "Request has exceeded the limit.")]
    [InlineData("hidden400", 200, "Request could not be processed")]
    [InlineData("500", 500, "Internal error")]
    [InlineData("502", 502, "502 Bad Gateway")]
    [InlineData("503", 503, "Service Unavailable")]
    [InlineData("504", 504, "504 Gateway Time-out")]
    public async Task Refused_before_accepting_makes_no_task(string fault, int status, string says)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync($$"""[{ "fault": "{{fault}}" }]""");
        var id = await sandbox.MadeUpAssetAsync();
        using var response = await sandbox.SubmitAsync("split", id);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(says, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var entry = (await sandbox.JournalAsync()).GetProperty("submissions")[0];
        Assert.False(entry.GetProperty("accepted").GetBoolean());
        Assert.Equal([fault], entry.GetProperty("faults").EnumerateArray().Select(name => name.GetString()));
        await sandbox.AcceptedAsync("split", id);
        Assert.Single(await sandbox.Webhook.ReceivedAsync(1));
    }

    [Theory]
    [InlineData("500After", 500)]
    [InlineData("502After", 502)]
    [InlineData("504After", 504)]
    [InlineData("badJson", 200)]
    public async Task Spoiled_after_accepting_leaves_a_task_the_client_does_not_know_of(string fault, int status)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync($$"""[{ "fault": "{{fault}}" }]""");
        using var response = await sandbox.SubmitAsync("extract-frames", await sandbox.MadeUpAssetAsync());

        Assert.Equal(status, (int)response.StatusCode);
        await AssertTaskExistsAsync(sandbox, status);
    }

    [Fact]
    public async Task Hidden_in_a_200_is_an_error_all_the_same()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "hidden400" }]""");
        using var response = await sandbox.SubmitAsync("split", await sandbox.MadeUpAssetAsync());
        var envelope = await SandboxHost.ReadAsync(response);
        Assert.Equal(400, envelope.GetProperty("code").GetInt32());
        Assert.True(envelope.GetProperty("failed").GetBoolean());
        Assert.False(envelope.GetProperty("success").GetBoolean());
    }

    [Fact]
    public async Task Cut_before_accepting_ends_the_connection_and_makes_no_task()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "cutBefore" }]""");
        var id = await sandbox.MadeUpAssetAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.SubmitAsync("split", id));

        var entry = (await sandbox.SettledJournalAsync()).GetProperty("submissions")[0];
        Assert.False(entry.GetProperty("accepted").GetBoolean());
        Assert.Equal(JsonValueKind.Null, entry.GetProperty("status").ValueKind);
    }

    [Theory]
    [InlineData("cutAfter")]
    [InlineData("cutBody")]
    public async Task Cut_after_accepting_ends_the_connection_and_the_callback_comes(string fault)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync($$"""[{ "fault": "{{fault}}" }]""");
        var id = await sandbox.MadeUpAssetAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => sandbox.SubmitAsync("split", id));
        await AssertTaskExistsAsync(sandbox, status: null);
    }

    [Fact]
    public async Task A_download_is_cut_in_its_middle()
    {
        await using var sandbox = await SandboxHost.StartAsync();
        var id = await sandbox.UploadAsync(Videos.Mp4.Value);
        await sandbox.ArmAsync("""[{ "fault": "cutBody", "operation": "download" }]""");
        using var response = await sandbox.Api.GetAsync($"{id}/download", HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(new FileInfo(Videos.Mp4.Value).Length, response.Content.Headers.ContentLength);
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync());
        Assert.Equal(await File.ReadAllBytesAsync(Videos.Mp4.Value), await sandbox.Api.GetByteArrayAsync($"{id}/download"));
    }

    [Fact]
    public async Task A_slow_answer_comes_late_while_the_task_runs()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "slow", "seconds": 0.4 }]""");
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());

        Assert.Single(sandbox.Webhook.Bodies);
        Assert.InRange((await sandbox.JournalAsync()).GetProperty("submissions")[0].GetProperty("tookMs").GetDouble(), 390, 5000);
    }

    [Fact]
    public async Task A_client_that_gives_up_on_a_slow_answer_has_a_task_and_no_status()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "slow", "seconds": 600 }]""");
        var id = await sandbox.MadeUpAssetAsync();
        using var impatient = new CancellationTokenSource();
        using var content = new StringContent($$"""{"asset_id":"{{id}}"}""", null, "application/json");
        var submission = sandbox.Api.PostAsync("video/split", content, impatient.Token);
        await sandbox.Webhook.ReceivedAsync(1);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => submission);
        await AssertTaskExistsAsync(sandbox, status: null);
    }

    [Theory]
    [InlineData("429", "7")]
    [InlineData("503", "7")]
    public async Task Retry_after_is_sent_where_the_rule_says_so(string fault, string seconds)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync($$"""[{ "fault": "{{fault}}", "retryAfterSeconds": {{seconds}} }]""");
        using var response = await sandbox.SubmitAsync("split", await sandbox.MadeUpAssetAsync());
        Assert.Equal(seconds, response.Headers.GetValues("Retry-After").Single());
    }

    static async Task AssertTaskExistsAsync(SandboxHost sandbox, int? status)
    {
        var taskId = JsonSerializer.Deserialize<JsonElement>((await sandbox.Webhook.ReceivedAsync(1))[0]).GetProperty("task_id").GetString();
        var entry = (await sandbox.SettledJournalAsync()).GetProperty("submissions")[0];
        Assert.True(entry.GetProperty("accepted").GetBoolean());
        Assert.Equal(taskId, entry.GetProperty("taskId").GetString());
        Assert.Equal(status, entry.GetProperty("status").Deserialize<int?>());
    }
}
