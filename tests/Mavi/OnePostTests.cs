using System.Net;
using Mavi.Client;

namespace Mavi.Tests.Client;

/// <summary>One call, one request: whatever the connections, redirects and the handler's own retries would make of it.</summary>
public sealed class OnePostTests
{
    const string Accepted = """{"code":200,"data":{"task_id":"a"}}""";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_POST_on_a_connection_that_breaks_under_it_is_not_sent_again(bool reset)
    {
        using var server = new RawServer(ServeOneThenBreak(reset));
        using var client = Clients.For(server.BaseUrl);

        await client.SplitAsync("re_1", CancellationToken.None);
        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_2", CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_DELETE_on_a_connection_that_breaks_under_it_is_not_sent_again()
    {
        using var server = new RawServer(ServeOneThenBreak(reset: false));
        using var client = Clients.For(server.BaseUrl);

        await client.DeleteAsync("re_1", CancellationToken.None);
        var failure = await Assert.ThrowsAsync<MaviException>(() => client.DeleteAsync("re_2", CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
        Assert.Equal(2, server.Requests.Count);
    }

    /// <summary>The assumption the two tests above stand against: the same server makes the handler repeat a request that has no content.</summary>
    [Fact]
    public async Task A_GET_on_a_connection_that_breaks_under_it_is_sent_again_by_the_handler()
    {
        using var server = new RawServer(ServeOneThenBreak(reset: false));
        using var client = Clients.For(server.BaseUrl);

        await client.SplitAsync("re_1", CancellationToken.None);
        await Assert.ThrowsAsync<MaviException>(() => client.GetMetadataAsync("re_1", CancellationToken.None));

        Assert.True(server.Requests.Count > 2, $"{server.Requests.Count} requests; expected the handler to repeat the GET.");
    }

    [Fact]
    public async Task A_connection_closed_while_idle_doubles_no_POST()
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.AnswerAsync(Accepted);
            connection.Close();
        });
        using var client = Clients.For(server.BaseUrl);

        var kinds = new List<MaviFailure?>();
        for (var post = 1; post <= 50; post++)
            kinds.Add((await Record.ExceptionAsync(() => client.SplitAsync($"re_{post}", CancellationToken.None)) as MaviException)?.Kind);

        // Whether the handler sees the end of the connection before it writes is a race; that it never writes twice is not.
        Assert.All(kinds, kind => Assert.True(kind is null or MaviFailure.Unknown, $"{kind}"));
        Assert.InRange(server.Requests.Count, kinds.Count(kind => kind == null), 50);
        Assert.Contains(null, kinds);
    }

    [Fact]
    public async Task A_retry_below_the_client_finds_no_body_to_send()
    {
        await using var server = await MaviServer.StartAsync(500, "{}");
        using var client = new MaviClient(new HttpClient(new Retrying()), new MaviOptions { BaseUrl = server.BaseUrl, ApiKey = "k" }, TimeProvider.System);

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.Equal(MaviFailure.Unknown, failure.Kind);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task No_redirect_is_followed_and_no_cookie_is_kept()
    {
        await using var server = await MaviServer.StartAsync(context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = $"{context.Request.Scheme}://{context.Request.Host}/serve/api/v2/elsewhere?secret=1";
            context.Response.Headers.SetCookie = "a=b";
            return Task.CompletedTask;
        });
        using var client = server.Client();

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));
        await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.Contains("a redirect to http://127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["/video/split", "/video/split"], server.Requests.Select(request => request.Path));
        Assert.DoesNotContain(server.Requests, request => request.Headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_not_used()
    {
        await using var server = await MaviServer.StartAsync(200, Accepted);
        var before = HttpClient.DefaultProxy;
        // For this server alone, so that tests that run at the same time are left in peace.
        HttpClient.DefaultProxy = new DeadProxyFor(new Uri(server.BaseUrl).Port);
        try
        {
            using var proxied = new HttpClient();
            await Assert.ThrowsAsync<HttpRequestException>(() => proxied.GetAsync(new Uri(server.BaseUrl)));
            using var client = server.Client();

            Assert.Equal("a", (await client.SplitAsync("re_1", CancellationToken.None)).TaskId);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("re_1/../../x")]
    [InlineData("re 1")]
    [InlineData("..")]
    [InlineData("re_é")]
    public async Task An_id_that_would_be_another_path_is_refused_before_anything_is_sent(string assetId)
    {
        await using var server = await MaviServer.StartAsync(200, Accepted);
        using var client = server.Client();

        await Assert.ThrowsAsync<ArgumentException>(() => client.SplitAsync(assetId, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetMetadataAsync(assetId, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(() => client.DownloadAsync(assetId, "x", CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(() => client.DeleteAsync(assetId, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentException>(() => client.ExtractFramesAsync(new string('a', 129), CancellationToken.None));

        Assert.Empty(server.Requests);
    }

    /// <summary>Answers the first request of a connection; breaks the connection when the second has arrived, whole.</summary>
    static Func<RawConnection, Task> ServeOneThenBreak(bool reset) => async connection =>
    {
        if (connection.Number == 1)
        {
            await connection.ReadRequestAsync();
            await connection.AnswerAsync(Accepted);
        }

        await connection.ReadRequestAsync();
        if (reset)
            connection.Reset();
        else
            connection.Close();
    };

    sealed class Retrying() : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var first = await base.SendAsync(request, cancellationToken);
            return await base.SendAsync(request, cancellationToken);
        }
    }

    sealed class DeadProxyFor(int port) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri GetProxy(Uri destination) => new("http://127.0.0.1:1");

        public bool IsBypassed(Uri host) => host.Port != port;
    }
}
