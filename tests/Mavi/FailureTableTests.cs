using Mavi.Client;

namespace Mavi.Tests.Client;

/// <summary>The table of what is certain and what is not, row by row, against a real server.</summary>
public sealed class FailureTableTests
{
    const string NotFoundText = """{"code":400,"msg":"Asset not found","data":null}""";
    const string LimitText = """{"code":400,"msg":"Request has exceeded the limit.","data":null}""";
    const string Infrastructure = """{"timestamp":"2026-01-01T00:00:00Z","path":"/x","status":404,"error":"Not Found","requestId":"a-1"}""";
    const string Html = "<html><body>error</body></html>";
    const string Hex = "0f3c9a6be1d24c7f8a55d0b1c2e3f4a5";

    [Theory]
    [InlineData(400, NotFoundText, MaviFailure.NotFound)]
    [InlineData(400, """{"code":"0400","message":"asset not found.","success":false,"failed":true}""", MaviFailure.NotFound)]
    [InlineData(400, """{"code":400,"msg":"asset_id cannot be null or empty","data":null}""", MaviFailure.Rejected)]
    [InlineData(400, """{"code":400,"msg":"An async request requires at least one webhook.","data":null}""", MaviFailure.Rejected)]
    [InlineData(400, Html, MaviFailure.Rejected)]
    [InlineData(400, "", MaviFailure.Rejected)]
    [InlineData(400, """{"code":402,"msg":"Insufficient balance","data":null}""", MaviFailure.AccountBlocked)]
    [InlineData(400, """{"code":"0429","msg":"Request has exceeded the limit.","data":null}""", MaviFailure.Throttled)]
    [InlineData(401, """{"code":401,"msg":"Invalid key","data":null}""", MaviFailure.AccountBlocked)]
    [InlineData(402, """{"code":402,"msg":"Insufficient balance","data":null}""", MaviFailure.AccountBlocked)]
    [InlineData(403, Html, MaviFailure.AccountBlocked)]
    [InlineData(404, """{"code":404,"msg":"Not found","data":null}""", MaviFailure.NotFound)]
    [InlineData(404, Infrastructure, MaviFailure.Rejected)]
    [InlineData(404, Html, MaviFailure.Rejected)]
    [InlineData(405, """{"code":405,"msg":"Method not supported","data":null}""", MaviFailure.Rejected)]
    [InlineData(408, "", MaviFailure.Unknown)]
    [InlineData(409, """{"code":409,"msg":"Conflict","data":null}""", MaviFailure.Rejected)]
    [InlineData(413, Html, MaviFailure.Rejected)]
    [InlineData(415, """{"code":415,"msg":"Unsupported media type","data":null}""", MaviFailure.Rejected)]
    [InlineData(422, """{"code":422,"msg":"?","data":null}""", MaviFailure.Rejected)]
    [InlineData(429, """{"code":429,"msg":"Rate limit exceeded","data":null}""", MaviFailure.Throttled)]
    [InlineData(429, LimitText, MaviFailure.Throttled)]
    [InlineData(429, Html, MaviFailure.Throttled)]
    [InlineData(500, """{"code":500,"msg":"Internal error","data":null}""", MaviFailure.Unknown)]
    [InlineData(500, NotFoundText, MaviFailure.Unknown)]
    [InlineData(501, Html, MaviFailure.Unknown)]
    [InlineData(502, Html, MaviFailure.Unknown)]
    [InlineData(503, """{"code":503,"msg":"Service unavailable","data":null}""", MaviFailure.Unavailable)]
    [InlineData(503, Infrastructure, MaviFailure.Unavailable)]
    [InlineData(503, Html, MaviFailure.Unavailable)]
    [InlineData(504, Html, MaviFailure.Unknown)]
    [InlineData(520, Html, MaviFailure.Unknown)]
    [InlineData(301, "", MaviFailure.Unknown)]
    [InlineData(302, "", MaviFailure.Unknown)]
    [InlineData(303, "", MaviFailure.Unknown)]
    [InlineData(307, "", MaviFailure.Unknown)]
    [InlineData(308, "", MaviFailure.Unknown)]
    public Task An_error_status_is_classified(int status, string body, MaviFailure expected) => Classified(status, body, expected);

    [Theory]
    [InlineData(NotFoundText, MaviFailure.NotFound)]
    [InlineData("""{"code":"0429","msg":"Request has exceeded the limit.","data":null}""", MaviFailure.Throttled)]
    [InlineData("""{"code":401,"msg":"Invalid key","data":null,"success":false,"failed":true}""", MaviFailure.AccountBlocked)]
    [InlineData("""{"code":"402","msg":"Insufficient balance"}""", MaviFailure.AccountBlocked)]
    [InlineData("""{"code":404,"msg":"No such asset"}""", MaviFailure.NotFound)]
    [InlineData("""{"code":409,"msg":"Conflict"}""", MaviFailure.Rejected)]
    [InlineData("""{"code":503,"msg":"Busy"}""", MaviFailure.Unavailable)]
    [InlineData("""{"code":500,"msg":"Internal error"}""", MaviFailure.Unknown)]
    [InlineData("""{"code":9999,"msg":"?"}""", MaviFailure.Unknown)]
    [InlineData("""{"code":"E1","msg":"?"}""", MaviFailure.Unknown)]
    public Task An_error_hidden_in_a_200_is_classified_by_its_code(string body, MaviFailure expected) => Classified(200, body, expected);

    [Theory]
    [InlineData("")]
    [InlineData(Html)]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"0f3c""")]
    [InlineData(Infrastructure)]
    [InlineData("""{"code":200,"msg":"success","data":null}""")]
    [InlineData("""{"code":200,"msg":"success"}""")]
    [InlineData("""{"code":200,"msg":"success","data":[]}""")]
    [InlineData("""{"code":200,"msg":"success","data":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"}""")]
    [InlineData("""{"code":200,"msg":"success","data":{}}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":null}}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":""}}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":700000000000000001}}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"a\nb"}}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"\ud800"}}""")]
    [InlineData("""{"code":200,"msg":"\ud800","data":{"task_id":"a"}}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"a"},"success":false}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"a"},"failed":true}""")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"a"},"failed":"true"}""")]
    public Task A_success_without_a_usable_task_id_or_with_a_negative_flag_is_unknown(string body) => Classified(200, body, MaviFailure.Unknown);

    [Theory]
    [InlineData(200, 400)]
    [InlineData(200, 500)]
    [InlineData(400, 400)]
    [InlineData(409, 409)]
    [InlineData(429, 429)]
    [InlineData(503, 503)]
    public Task A_refusal_that_names_a_task_is_unknown(int status, int code) =>
        Classified(status, $$$"""{"code":{{{code}}},"msg":"?","data":{"task_id":"{{{Hex}}}"}}""", MaviFailure.Unknown);

    [Fact]
    public Task A_task_id_of_more_than_128_characters_is_unknown() =>
        Classified(200, $$$"""{"code":200,"data":{"task_id":"{{{new string('a', 129)}}}"}}""", MaviFailure.Unknown);

    [Fact]
    public Task A_success_of_more_than_1_MB_is_unknown() =>
        Classified(200, $$$"""{"code":200,"data":{"task_id":"{{{Hex}}}"},"more":"{{{new string('a', 1024 * 1024)}}}"}""", MaviFailure.Unknown);

    [Theory]
    [InlineData(400, true)]
    [InlineData(200, true)]
    [InlineData(429, false)]
    public async Task The_limit_text_is_a_throttle_that_nobody_can_tell_from_a_bad_asset_unless_the_status_says_so(int status, bool generic)
    {
        var failure = await Classified(status, LimitText, MaviFailure.Throttled);

        Assert.Equal(generic, failure.IsGenericLimitText);
    }

    [Theory]
    [InlineData("""{"code":"0000","msg":"success","data":{"task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"},"failed":false,"success":true}""", Hex, "0000")]
    [InlineData("""{"code":200,"msg":"success","data":{"task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"},"failed":false,"success":true}""", Hex, "200")]
    [InlineData("""{"data":{"more":[1],"task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"},"code":"200","message":"SUCCESS","extra":{"a":1}}""", Hex, "200")]
    [InlineData("""{"code":200,"msg":{"odd":1},"success":"true","failed":0,"data":{"task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"}}""", Hex, "200")]
    [InlineData("""{"success":true,"data":{"task_id":"0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"}}""", Hex, null)]
    [InlineData("\uFEFF{\"code\":200,\"data\":{\"task_id\":\"ros-sd-20260313-a3f8c2b1\"}}", "ros-sd-20260313-a3f8c2b1", "200")]
    public async Task Both_generations_and_what_lies_between_them_are_a_success(string body, string taskId, string? code)
    {
        await using var server = await MaviServer.StartAsync(200, body);
        using var client = server.Client();

        var accepted = await client.SplitAsync("re_1", CancellationToken.None);

        Assert.Equal(taskId, accepted.TaskId);
        Assert.Equal((200, code), (accepted.Answer.HttpStatus, accepted.Answer.Code));
        Assert.Contains(taskId, accepted.Answer.Body, StringComparison.Ordinal);
        Assert.True(accepted.Answer.Elapsed > TimeSpan.Zero);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("0", 0)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    [InlineData("2000000000", 86400)]
    [InlineData("Fri, 02 Jan 2026 03:04:45 GMT", 40)]
    [InlineData("Fri, 02 Jan 2026 03:00:00 GMT", 0)]
    public async Task Retry_After_is_kept_as_seconds_or_as_a_date(string header, int? seconds)
    {
        await using var server = await MaviServer.StartAsync(context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = header;
            return Task.CompletedTask;
        });
        using var client = Clients.For(server.BaseUrl, new Support.FakeClock());

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.Equal(seconds, failure.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public async Task The_message_says_what_came_what_was_expected_and_what_to_do()
    {
        var failure = await Classified(402, """{"code":402,"msg":"Insufficient balance","data":null}""", MaviFailure.AccountBlocked);

        Assert.Matches(
            "^POST /video/split failed after [0-9.]+ s: received HTTP 402 with code 402 and \"Insufficient balance\"; expected a task id\\. " +
            "Nothing was accepted: top up the account's balance in Mavi's console\\.$",
            failure.Message);
    }

    static async Task<MaviException> Classified(int status, string body, MaviFailure expected)
    {
        await using var server = await MaviServer.StartAsync(status, body);
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.Equal((expected, status), (failure.Kind, failure.Answer.HttpStatus));
        Assert.Equal(body[..Math.Min(body.Length, 2048)], failure.Answer.Body);
        Assert.Single(server.Requests);
        return failure;
    }
}
