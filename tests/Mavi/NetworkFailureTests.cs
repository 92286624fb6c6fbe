using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mavi.Client;
using Mavi.Tests.Support;

namespace Mavi.Tests.Client;

/// <summary>What the network does to a POST, and how much of it is certain.</summary>
public sealed class NetworkFailureTests
{
    static readonly TimeSpan PastTheTimeout = TimeSpan.FromSeconds(31);

    [Fact]
    public async Task A_refused_connection_is_not_sent()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        await Fails($"http://127.0.0.1:{port}", MaviFailure.NotSent);
    }

    [Fact]
    public Task A_host_name_that_does_not_resolve_is_not_sent() =>
        // A label of 64 letters is one too many: no name server needs to be asked.
        Fails($"http://{new string('a', 64)}.test", MaviFailure.NotSent);

    [Fact]
    public async Task A_server_that_speaks_no_TLS_is_not_sent()
    {
        using var server = new RawServer(connection => connection.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"));

        await Fails($"https://127.0.0.1:{server.Port}", MaviFailure.NotSent);
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_not_sent()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        using var server = new RawServer(async connection =>
        {
            await using var tls = new SslStream(connection.Stream);
            await tls.AuthenticateAsServerAsync(certificate);
            while (await tls.ReadAsync(new byte[1024]) > 0)
                connection.Reset();
        });

        await Fails($"https://127.0.0.1:{server.Port}", MaviFailure.NotSent);
    }

    [Fact]
    public async Task A_connection_that_does_not_come_about_in_time_is_not_sent()
    {
        var clock = new FakeClock();
        using var server = new RawServer(_ => Task.CompletedTask);
        using var client = Clients.For($"https://127.0.0.1:{server.Port}", clock);

        var call = client.SplitAsync("re_1", CancellationToken.None);
        await Eventually.DoneAsync("the connection", server.Connected.Task);
        clock.Advance(PastTheTimeout);

        var failure = await Assert.ThrowsAsync<MaviException>(() => call);
        Assert.Equal(MaviFailure.NotSent, failure.Kind);
        Assert.Contains("no answer within 00:00:30 (Mavi:Timeout)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_in_time_is_unknown()
    {
        var clock = new FakeClock();
        using var server = new RawServer(connection => connection.ReadRequestAsync());
        using var client = Clients.For(server.BaseUrl, clock);

        var call = client.SplitAsync("re_1", CancellationToken.None);
        await Eventually.DoneAsync("the request", server.Asked.Task);
        clock.Advance(PastTheTimeout);

        var failure = await Assert.ThrowsAsync<MaviException>(() => call);
        Assert.Equal((MaviFailure.Unknown, null, null), (failure.Kind, failure.Answer.HttpStatus, failure.Answer.Body));
        Assert.Equal(PastTheTimeout, failure.Answer.Elapsed);
        Assert.Contains("no answer within 00:00:30 (Mavi:Timeout)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_stands_still_is_unknown()
    {
        var clock = new FakeClock();
        var written = new TaskCompletionSource();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":200,");
            written.SetResult();
        });
        using var client = Clients.For(server.BaseUrl, clock);

        var call = client.SplitAsync("re_1", CancellationToken.None);
        await Eventually.DoneAsync("half an answer", written.Task);
        clock.Advance(PastTheTimeout);

        Assert.Equal(MaviFailure.Unknown, (await Assert.ThrowsAsync<MaviException>(() => call)).Kind);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData("close")]
    [InlineData("not http at all\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":200,\"data\":{\"task_id\":\"a\"}}")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n23\r\n{\"code\":200,\"data\":{\"task_id\":\"a\"}}\r\n")]
    [InlineData("HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{\"code\":400,")]
    [InlineData("HTTP/1.1 500 Bad\r\nContent-Length: 100\r\n\r\n{\"code\":500,")]
    public Task What_breaks_after_the_request_left_is_unknown(string answer) => Breaks(answer, MaviFailure.Unknown);

    [Theory]
    [InlineData("HTTP/1.1 503 Bad\r\nContent-Length: 100\r\n\r\n<html>", MaviFailure.Unavailable)]
    [InlineData("HTTP/1.1 429 Bad\r\nContent-Length: 100\r\n\r\n{\"code\":", MaviFailure.Throttled)]
    [InlineData("HTTP/1.1 402 Bad\r\nContent-Length: 100\r\n\r\n{\"code\":", MaviFailure.AccountBlocked)]
    public Task Where_the_status_says_all_a_cut_body_changes_nothing(string answer, MaviFailure expected) => Breaks(answer, expected);

    /// <summary>In some of many attempts the reset comes between the connection and the handler's first look at it, which throws what no other failure does.</summary>
    [Fact]
    public async Task A_connection_that_is_reset_as_it_comes_about_has_a_failure_with_a_name()
    {
        using var server = new RawServer(connection =>
        {
            connection.Reset();
            return Task.CompletedTask;
        });
        using var client = Clients.For(server.BaseUrl);
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));
            Assert.True(failure.Kind is MaviFailure.NotSent or MaviFailure.Unknown, failure.Message);
        }
    }

    [Fact]
    public async Task Cancelled_before_it_left_it_is_a_cancellation_and_nothing_was_sent()
    {
        using var server = new RawServer(connection => connection.ReadRequestAsync());
        using var plain = Clients.For(server.BaseUrl);
        using var secure = Clients.For($"https://127.0.0.1:{server.Port}");
        using var cancellation = new CancellationTokenSource();

        await Assert.ThrowsAsync<OperationCanceledException>(() => plain.SplitAsync("re_1", new CancellationToken(canceled: true)));
        var call = secure.SplitAsync("re_1", cancellation.Token);
        await Eventually.DoneAsync("the connection", server.Connected.Task);
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => call);

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Cancelled_after_it_left_a_billed_call_is_unknown()
    {
        using var server = new RawServer(connection => connection.ReadRequestAsync());
        using var client = Clients.For(server.BaseUrl);
        using var cancellation = new CancellationTokenSource();

        var call = client.ExtractFramesAsync("re_1", cancellation.Token);
        await Eventually.DoneAsync("the request", server.Asked.Task);
        await cancellation.CancelAsync();

        Assert.Equal(MaviFailure.Unknown, (await Assert.ThrowsAsync<MaviException>(() => call)).Kind);
    }

    [Fact]
    public async Task Cancelled_at_any_time_a_call_that_costs_nothing_is_a_cancellation()
    {
        using var server = new RawServer(connection => connection.ReadRequestAsync());
        using var client = Clients.For(server.BaseUrl);
        using var cancellation = new CancellationTokenSource();

        var call = client.GetMetadataAsync("re_1", cancellation.Token);
        await Eventually.DoneAsync("the request", server.Asked.Task);
        await cancellation.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => call);
    }

    static async Task Breaks(string answer, MaviFailure expected)
    {
        using var server = new RawServer(async connection =>
        {
            await connection.ReadRequestAsync();
            if (answer == "reset")
            {
                connection.Reset();
                return;
            }

            if (answer != "close")
                await connection.WriteAsync(answer);
            connection.Close();
        });

        await Fails(server.BaseUrl, expected);

        Assert.Equal(["POST /serve/api/v2/video/split HTTP/1.1"], server.Requests);
    }

    static async Task Fails(string baseUrl, MaviFailure expected)
    {
        using var client = Clients.For(baseUrl);

        var failure = await Assert.ThrowsAsync<MaviException>(() => client.SplitAsync("re_1", CancellationToken.None));

        Assert.True(expected == failure.Kind, $"Expected {expected}, got {failure.Kind}: {failure.Message}");
    }
}
