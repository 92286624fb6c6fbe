using System.Text;
using System.Text.Json;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.Support;
using RabbitMQ.Client;

namespace Mavi.Tests.Worker;

public sealed class CommandTests
{
    [Fact]
    public async Task The_same_command_many_times_at_once_on_two_workers_is_one_post_and_one_outcome()
    {
        await using var system = await WorkerSystem.StartAsync(workers: 2);
        var request = Guid.NewGuid();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => system.PublishAsync<SplitVideoRequested>(request)));
        var first = await system.TakeAsync<SplitVideoSucceeded>();

        // A repeat after the end says again what stands, under the same message ids, and nothing new.
        var submitted = (await system.TakeAsync<TaskSubmitted>()).MessageId;
        await system.PublishAsync<SplitVideoRequested>(request);
        await Eventually.TrueAsync("all commands to be taken", async () => await system.Bus.CountAsync("mavi-split-video") == 0);
        await system.DrainAsync();
        Assert.Equal(0u, await system.CountAsync<SplitVideoFailed>());
        // What the first worker had in hand when it was stopped comes to the second as a redelivery, which may say the outcome again.
        for (var left = await system.CountAsync<SplitVideoSucceeded>(); left > 0; left--)
            Assert.Equal(first.MessageId, (await system.TakeAsync<SplitVideoSucceeded>()).MessageId);
        for (var left = await system.CountAsync<TaskSubmitted>(); left > 0; left--)
            Assert.Equal(submitted, (await system.TakeAsync<TaskSubmitted>()).MessageId);
        Assert.Single(await system.PostsAsync());
        Assert.Equal(request, first.CorrelationId);
    }

    [Fact]
    public async Task A_refused_command_that_comes_again_gets_the_same_failure_under_the_same_id()
    {
        await using var system = await WorkerSystem.StartAsync();
        var request = await system.PublishAsync<SplitVideoRequested>(assetId: "re_404");
        var first = await system.TakeAsync<SplitVideoFailed>();
        await system.PublishAsync<SplitVideoRequested>(request, "re_404");
        var second = await system.TakeAsync<SplitVideoFailed>();

        Assert.Equal(FailureReasons.AssetNotFound, first.Read<SplitVideoFailed>().Reason);
        Assert.Equal(first.MessageId, second.MessageId);
        Assert.Equal(first.Message.GetRawText(), second.Message.GetRawText());
        Assert.Single(await system.PostsAsync());
    }

    [Fact]
    public async Task In_plain_json_the_amqp_message_id_serves_as_request_id_and_the_app_id_as_caller()
    {
        await using var system = await WorkerSystem.StartAsync();
        var id = Guid.NewGuid();
        await system.PublishBodyAsync<SplitVideoRequested>(
            $$"""{"assetId":"{{system.Asset}}"}""", new BasicProperties { ContentType = "application/json", MessageId = id.ToString(), AppId = "billing" });
        Assert.Equal(id, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        Assert.Equal("billing", (await system.FindAsync(id))!.Caller);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/octet-stream")]
    [InlineData(null)]
    public async Task Json_with_another_content_type_or_none_is_read_all_the_same(string? contentType)
    {
        await using var system = await WorkerSystem.StartAsync();
        var id = Guid.NewGuid();
        var properties = new BasicProperties();
        if (contentType is not null)
            properties.ContentType = contentType;
        await system.PublishBodyAsync<SplitVideoRequested>("\uFEFF" + JsonSerializer.Serialize(new { requestId = id, assetId = system.Asset }), properties);
        Assert.Equal(id, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
    }

    [Fact]
    public async Task An_envelope_that_calls_itself_plain_json_is_read_as_an_envelope()
    {
        await using var system = await WorkerSystem.StartAsync();
        var id = Guid.NewGuid();
        await system.PublishBodyAsync<SplitVideoRequested>(
            $$$"""{"messageType":["urn:message:Mavi.Contracts:SplitVideoRequested"],"message":{"requestId":"{{{id}}}","assetId":"{{{system.Asset}}}"}}""");
        Assert.Equal(id, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
    }

    [Theory]
    [InlineData("\"\"", "missing or empty")]
    [InlineData("null", "missing or empty")]
    [InlineData("\"../re_1/metadata\"", "\"../re_1/metadata\"")]
    [InlineData("\"re_1?x=1\"", "\"re_1?x=1\"")]
    [InlineData("LONG", "10240 characters long")]
    public async Task A_bad_asset_id_is_one_typed_failure_and_no_post(string assetId, string said)
    {
        await using var system = await WorkerSystem.StartAsync();
        var id = Guid.NewGuid();
        await system.PublishBodyAsync<ExtractFramesRequested>(
            $$"""{"requestId":"{{id}}","assetId":{{assetId.Replace("LONG", $"\"{new string('a', 10_240)}\"", StringComparison.Ordinal)}}}""");
        var failed = (await system.TakeAsync<ExtractFramesFailed>()).Read<ExtractFramesFailed>();
        Assert.Equal((id, FailureReasons.InvalidRequest, (string?)null), (failed.RequestId, failed.Reason, failed.TaskId));
        Assert.Contains(said, failed.Message!, StringComparison.Ordinal);
        Assert.True(failed.AssetId!.Length <= 128);
        Assert.Empty(await system.PostsAsync("extract-frames"));
        Assert.Equal(0u, await system.Bus.CountAsync("mavi-extract-frames_error"));
    }

    [Theory]
    [InlineData("""{"assetId":"re_1"}""", "application/json", "The command has no requestId")]
    [InlineData("""{"request_id":"6f0cbd6b-63c5-5b0e-9a53-0d6f4c2f9f2e","asset_id":"re_1"}""", "application/json", "The command has no requestId")]
    [InlineData("""{"requestId":"nope","assetId":"re_1"}""", "application/json", "requestId is \"nope\"; expected a UUID")]
    [InlineData("""{"requestId":"6f0cbd6b-63c5-5b0e-9a53-0d6f4c2f9f2e","assetId":700000000000000001}""", "application/json", "is the number 700000000000000001; expected a JSON string")]
    [InlineData("not json", "application/json", "The body of 8 bytes is not JSON")]
    [InlineData("not json", "text/plain", "The body of 8 bytes is not JSON")]
    [InlineData("[1]", "application/json", "The body is a JSON array; expected a JSON object")]
    [InlineData("", "application/json", "The message has no body")]
    [InlineData("""{"message":{"assetId":"re_1"}}""", "application/vnd.masstransit+json", "The envelope's messageType is []; expected urn:message:Mavi.Contracts:SplitVideoRequested")]
    [InlineData("""{"messageType":["urn:message:Mavi.Contracts:SplitVideoRequested"],"messageId":"6f0cbd6b-63c5-5b0e-9a53-0d6f4c2f9f2e","message":{"assetId":"re_1"}}""", "application/vnd.masstransit+json", "The command has no requestId")]
    public async Task An_unusable_command_lies_in_the_error_queue_with_a_sentence_and_the_next_one_goes_on(string body, string contentType, string sentence)
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.PublishBodyAsync<SplitVideoRequested>(body, new BasicProperties { ContentType = contentType });
        var next = await system.PublishAsync<SplitVideoRequested>();

        Assert.Contains(sentence, await system.ErrorAsync("mavi-split-video"), StringComparison.Ordinal);
        Assert.Equal(next, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        Assert.Equal(0u, await system.Bus.CountAsync("mavi-split-video_skipped"));
        Assert.Single(await system.PostsAsync());
    }

    [Fact]
    public async Task A_request_id_that_is_used_for_another_request_is_refused_and_the_first_one_stands()
    {
        await using var system = await WorkerSystem.StartAsync();
        var request = await system.PublishAsync<SplitVideoRequested>();
        await system.TakeAsync<SplitVideoSucceeded>();
        await system.PublishAsync<SplitVideoRequested>(request, "re_other");
        Assert.Contains($"Request id {request} was used before for Split of asset {system.Asset}", await system.ErrorAsync("mavi-split-video"), StringComparison.Ordinal);
        await system.PublishAsync<ExtractFramesRequested>(request);
        Assert.Contains("publish this command again under a new one", await system.ErrorAsync("mavi-extract-frames"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(SubmissionState.Submitted, (await system.FindAsync(request))!.State);
        Assert.Single(await system.PostsAsync());
        Assert.Empty(await system.PostsAsync("extract-frames"));
    }

    [Fact]
    public async Task A_command_published_while_no_worker_runs_is_handled_when_one_comes()
    {
        await using var system = await WorkerSystem.StartAsync();
        await system.DrainAsync();
        var request = Guid.NewGuid();
        await system.Bus.PublishAsync(AmqpClient.ExchangeOf<SplitVideoRequested>(), Encoding.UTF8.GetBytes($$"""{"requestId":"{{request}}","assetId":"{{system.Asset}}"}"""));
        await system.StartWorkerAsync();
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
    }
}
