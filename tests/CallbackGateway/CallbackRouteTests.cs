using System.Net;
using System.Text;
using System.Text.Json;
using Mavi.Contracts;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The table of the gateway's answers, row by row, from outside: HTTP in, a real broker behind.</summary>
public sealed class CallbackRouteTests : IAsyncLifetime
{
    GatewayBus _bus = null!;
    GatewayHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _bus = await GatewayBus.CreateAsync();
        await _bus.BindAllAsync();
        _gateway = await GatewayHost.StartAsync(_bus.Address);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _bus.DisposeAsync();
    }

    [Theory]
    [InlineData("200")]
    [InlineData("\"200\"")]
    [InlineData("\"0000\"")]
    public async Task A_split_callback_becomes_its_event_in_the_envelope(string code)
    {
        var taskId = CallbackBodies.NewTaskId();
        var body = CallbackBodies.Split(taskId, code);
        var before = DateTimeOffset.UtcNow;

        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(body));

        var message = await _bus.TakeAsync<VideoSplitCompleted>();
        Assert.Equal(CallbackBodies.MessageId<VideoSplitCompleted>(taskId, body), message.MessageId);
        Assert.Equal("urn:message:Mavi.Contracts:VideoSplitCompleted", message.Envelope.GetProperty("messageType")[0].GetString());
        Assert.True(message.Properties.Persistent);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", message.Message.GetProperty("receivedAt").GetString());
        var split = message.Read<VideoSplitCompleted>();
        Assert.Equal((taskId, 2, "re_700000000004194301"), (split.TaskId, split.Segments.Count, split.Segments[1].AssetId));
        Assert.InRange(split.ReceivedAt, before.AddMilliseconds(-1), DateTimeOffset.UtcNow);
        Assert.Equal(((int?)Encoding.UTF8.GetByteCount(body), CallbackBodies.HashOf(body)), (split.BodyBytes, split.BodySha256));
        Assert.Equal(1, _gateway.Counted("mavi.gateway.callbacks.taken{event=VideoSplitCompleted,kept=InQueue}"));
    }

    [Fact]
    public async Task Twenty_thousand_frames_become_one_event()
    {
        var taskId = CallbackBodies.NewTaskId();
        var body = CallbackBodies.Frames(taskId, 20_000);

        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(body));

        var message = await _bus.TakeAsync<FramesExtracted>();
        var frames = message.Read<FramesExtracted>();
        Assert.Equal((taskId, "im_700000000000000002", 20_000), (frames.TaskId, frames.CollectionId, frames.FrameIds.Count));
        Assert.Equal("imc_700000000000000002_19999", frames.FrameIds[^1]);
        Assert.Equal(CallbackBodies.MessageId<FramesExtracted>(taskId, body), message.MessageId);
    }

    [Fact]
    public async Task Frame_ids_are_the_same_however_they_are_written()
    {
        const string Body = """{"code":200,"task_id":"spelt","data":{"asset_id":"im_1","asset_ch_ids":[ "imc_\u0031_0","imc_1_\"1\"" , "imc_1_é" ]}}""";

        await _gateway.PostAsync(Body);

        Assert.Equal(["imc_1_0", "imc_1_\"1\"", "imc_1_é"], (await _bus.TakeAsync<FramesExtracted>()).Read<FramesExtracted>().FrameIds);
    }

    [Fact]
    public async Task No_segments_and_a_failed_segment_are_left_to_the_saga()
    {
        await _gateway.PostAsync("""{"code":200,"message":"SUCCESS","task_id":"empty","data":{"splits":[]}}""");
        await _gateway.PostAsync(CallbackBodies.Split("partial", "200", "SUCCESS", "FAILED"));

        Assert.Empty((await _bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().Segments);
        Assert.Equal(["SUCCESS", "FAILED"], (await _bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().Segments.Select(segment => segment.UploadStatus));
    }

    [Fact]
    public async Task A_negative_flag_inside_a_200_is_a_failed_task()
    {
        const string Body = """{"code":200,"message":"SUCCESS","task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5","data":{"success":false,"msg":"unsupported \"codec\"","splits":[]}}""";

        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(Body));

        var message = await _bus.TakeAsync<TaskFailed>();
        var failed = message.Read<TaskFailed>();
        Assert.Equal(("200", "data.success is false: unsupported \"codec\"", Body), (failed.Code, failed.Message, failed.Body));
        Assert.Equal(CallbackBodies.MessageId<TaskFailed>(failed.TaskId, Body), message.MessageId);
    }

    [Fact]
    public async Task A_task_id_that_is_not_hexadecimal_is_a_task_id()
    {
        await _gateway.PostAsync(CallbackBodies.Split("ros-sd-20260313-a3f8c2b1"));

        Assert.Equal("ros-sd-20260313-a3f8c2b1", (await _bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
    }

    [Fact]
    public async Task Another_operation_is_kept_with_its_body_and_a_reason()
    {
        var taskId = CallbackBodies.NewTaskId();
        var body = CallbackBodies.OtherOperation(taskId);

        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(body));

        var message = await _bus.TakeAsync<CallbackReceived>();
        var received = message.Read<CallbackReceived>();
        Assert.Equal((taskId, body), (received.TaskId, received.Body));
        Assert.StartsWith("Another operation", received.Reason, StringComparison.Ordinal);
        Assert.Equal(CallbackBodies.MessageId<CallbackReceived>(taskId, body), message.MessageId);
    }

    [Theory]
    [InlineData("", "The body is empty;")]
    [InlineData("this is no JSON", "The body is not JSON")]
    [InlineData("""{"task_id":"cut o""", "The body is not JSON")]
    public async Task A_body_that_cannot_be_read_is_kept_with_a_reason(string body, string reason)
    {
        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(body));

        var message = await _bus.TakeAsync<CallbackReceived>();
        var received = message.Read<CallbackReceived>();
        Assert.Equal((null, body), (received.TaskId, received.Body));
        Assert.StartsWith(reason, received.Reason, StringComparison.Ordinal);
        Assert.Equal(CallbackBodies.MessageId<CallbackReceived>(null, body), message.MessageId);
    }

    [Fact]
    public async Task A_body_of_eight_megabytes_arrives_unchanged_and_its_content_type_does_not_matter()
    {
        var text = "\"\\é" + new string('x', 8 * 1024 * 1024);
        using var body = new StringContent(text, Encoding.UTF8, "text/html");

        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(body));

        Assert.Equal(text, (await _bus.TakeAsync<CallbackReceived>()).Read<CallbackReceived>().Body);
    }

    [Fact]
    public async Task The_same_callback_three_times_at_once_carries_one_message_id()
    {
        var body = CallbackBodies.Frames(CallbackBodies.NewTaskId());

        var answers = await Task.WhenAll(_gateway.PostAsync(body), _gateway.PostAsync(body), _gateway.PostAsync(body));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer));
        var ids = new List<Guid>();
        for (var taken = 0; taken < 3; taken++)
            ids.Add((await _bus.TakeAsync<FramesExtracted>()).MessageId);
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Either_secret_is_right_while_they_are_rotated()
    {
        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(CallbackBodies.Split("new"), GatewayHost.Secret));
        Assert.Equal(HttpStatusCode.OK, await _gateway.PostAsync(CallbackBodies.Split("old"), GatewayHost.OldSecret));

        Assert.Equal("new", (await _bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
        Assert.Equal("old", (await _bus.TakeAsync<VideoSplitCompleted>()).Read<VideoSplitCompleted>().TaskId);
    }

    [Theory]
    [InlineData("callbacks/mavi/test-secret-0123456789abcdeg")]
    [InlineData("callbacks/mavi/test-secret-0123456789abcde")]
    [InlineData("callbacks/mavi/TEST-SECRET-0123456789ABCDEF")]
    [InlineData("callbacks/mavi/test-secret-0123456789abcdef/more")]
    [InlineData("callbacks/mavi/")]
    [InlineData("callbacks/other/test-secret-0123456789abcdef")]
    [InlineData("")]
    [InlineData("health")]
    public async Task A_wrong_secret_or_path_is_an_empty_404_and_nothing_is_kept(string path)
    {
        using var body = new StringContent(CallbackBodies.Split(CallbackBodies.NewTaskId()));
        using var answer = await _gateway.Http.PostAsync(new Uri(path, UriKind.Relative), body);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.False(answer.Headers.Contains("Server"));
        Assert.Equal(0, await _bus.CountAsync());
        Assert.Equal(0, _gateway.SpoolDepth);
    }

    [Fact]
    public async Task A_wrong_secret_is_answered_without_its_body_and_counted()
    {
        using var request = await RawRequest.SendAsync(_gateway.Http.BaseAddress!, RawRequest.PostHead("wrong-secret-0123456789abcdef", 1_000_000));

        Assert.Equal("HTTP/1.1 404 Not Found", await request.StatusLineAsync());
        Assert.Equal(1, _gateway.Counted("mavi.gateway.callbacks.refused{reason=wrong_secret}"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_twenty_megabytes_is_refused(bool chunked)
    {
        using var body = new StreamContent(new MemoryStream(new byte[20 * 1024 * 1024]));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"callbacks/mavi/{GatewayHost.Secret}") { Content = body };
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await _gateway.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal(1, _gateway.Counted("mavi.gateway.callbacks.refused{reason=too_large}"));
        Assert.Equal(0, await _bus.CountAsync());
        Assert.Equal(0, _gateway.SpoolDepth);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    public async Task Anything_but_POST_is_405(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"callbacks/mavi/{GatewayHost.Secret}");
        using var answer = await _gateway.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task Health_tells_what_is_there_and_no_secret()
    {
        using var live = await _gateway.Http.GetAsync(new Uri("health/live", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);

        using var ready = JsonDocument.Parse(await _gateway.ReadyAsync());
        Assert.Equal("ready", ready.RootElement.GetProperty("status").GetString());
        Assert.Equal("connected", ready.RootElement.GetProperty("broker").GetString());
        Assert.Equal(0, ready.RootElement.GetProperty("spool").GetProperty("depth").GetInt32());
        Assert.DoesNotContain("secret", await _gateway.ReadyAsync(), StringComparison.OrdinalIgnoreCase);
    }
}
