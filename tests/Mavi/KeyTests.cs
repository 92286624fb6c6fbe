using System.Diagnostics;
using Mavi.Client;
using Microsoft.AspNetCore.Http;

namespace Mavi.Tests.Client;

/// <summary>The key goes to Mavi, raw, and nowhere else.</summary>
public sealed class KeyTests
{
    const string Key = Clients.Key;

    [Fact]
    public async Task The_raw_key_and_nothing_else_of_ours_is_in_the_headers()
    {
        await using var server = await MaviServer.StartAsync(200, """{"code":200,"data":{"task_id":"a"}}""");
        using var client = server.Client();
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).AddBaggage("tenant", "x").Start();

        await client.ExtractFramesAsync("re_700000000000000001", CancellationToken.None);

        var request = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/video/extract-frames", """{"asset_id":"re_700000000000000001"}"""), (request.Method, request.Path, request.Body));
        Assert.Equal(Key, request.Headers["Authorization"]);
        Assert.Equal(
            ["Authorization", "Content-Length", "Content-Type", "Host", "User-Agent"],
            request.Headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("application/json", request.Headers["Content-Type"]);
    }

    [Theory]
    [InlineData("""{"code":400,"msg":"key sk-mavi-0123456789abcdef is odd"}""")]
    [InlineData("""{"code":"sk-mavi-0123456789abcdef","msg":"?"}""")]
    [InlineData("sk-mavi-0123456789abcdef")]
    [InlineData("""{"code":400,"msg":"cut in the middle: sk-mavi-01234567""")]
    [InlineData("""{"code":400,"msg":"\u0073k-mavi-0123456789abcdef"}""")]
    public async Task A_key_that_comes_back_is_in_no_text(string body)
    {
        await using var server = await MaviServer.StartAsync(400, body);
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.NotEmpty(failure.Answer.Body!);
        AssertWithoutKey(Clients.Everything(failure));
    }

    [Fact]
    public async Task A_key_that_lies_across_the_end_of_the_kept_text_is_not_in_it()
    {
        var texts = new Queue<string>(Enumerable.Range(2048 - Key.Length - 2, Key.Length + 4).Select(before => new string('x', before) + Key + new string('y', 100)));
        await using var server = await MaviServer.StartAsync(context =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync(texts.Dequeue());
        });
        using var client = server.Client();

        while (texts.Count > 0)
        {
            var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));
            Assert.InRange(failure.Answer.Body!.Length, 2000, 2048);
            AssertWithoutKey(Clients.Everything(failure));
        }
    }

    [Theory]
    [InlineData("abc/def+ghi=\"jkl", """abc/def\u002Bghi=\u0022jkl""")]
    [InlineData("abc/def+ghi=\"jkl", "abc/def+ghi=\\\"jkl")]
    [InlineData("abc/def+ghi=\"jkl", "abc%2Fdef%2Bghi%3D%22jkl")]
    public async Task A_key_that_comes_back_escaped_is_in_no_text(string key, string written)
    {
        await using var server = await MaviServer.StartAsync(401, $$"""{"code":401,"msg":"{{written}}"}""");
        using var client = Clients.For(server.BaseUrl, key: key);

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.DoesNotContain(written, Clients.Everything(failure), StringComparison.Ordinal);
        Assert.DoesNotContain(key, Clients.Everything(failure), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 " + Key + "\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n" + Key + "\r\n\r\n")]
    [InlineData("HTTP/1.1 302 OK\r\nLocation: http://" + Key + ".test/\r\nContent-Length: 0\r\n\r\n")]
    public async Task A_key_in_what_is_not_even_HTTP_is_in_no_text(string answer)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(answer);
            connection.Close();
        });
        using var client = Clients.For(server.BaseUrl);

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
        AssertWithoutKey(Clients.Everything(failure));
    }

    [Theory]
    [InlineData(200, """{"code":200,"data":{"task_id":"a"},"msg":"sk-mavi-0123456789abcdef"}""")]
    [InlineData(500, "")]
    public async Task The_request_can_be_printed_afterwards(int status, string body)
    {
        await using var server = await MaviServer.StartAsync(status, body);
        var keeping = new Keeping();
        using var client = new MaviClient(new HttpClient(keeping), new MaviOptions { BaseUrl = server.BaseUrl, ApiKey = Key }, TimeProvider.System);

        var accepted = status == 200 ? await client.SplitAsync("re_1", CancellationToken.None) : null;
        if (accepted == null)
            await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.Equal(Key, Assert.Single(server.Requests).Headers["Authorization"]);
        AssertWithoutKey($"{keeping.Request} {accepted} {client}");
    }

    static void AssertWithoutKey(string text) => Assert.DoesNotContain(Key[..12], text, StringComparison.OrdinalIgnoreCase);

    sealed class Keeping() : DelegatingHandler(new SocketsHttpHandler())
    {
        public HttpRequestMessage? Request { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Request = request;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
