using System.Net;
using System.Text;
using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

public sealed class BodyLimitTests : IAsyncLifetime
{
    GatewayBus _bus = null!;
    GatewayHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _bus = await GatewayBus.CreateAsync();
        await _bus.BindAllAsync();
        _gateway = await GatewayHost.StartAsync(_bus.Address, settings: ["--Gateway:MaxBodyBytes", "1024", "--Gateway:BodyTimeout", "00:00:01"]);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _bus.DisposeAsync();
    }

    [Theory]
    [InlineData(1024, false, HttpStatusCode.OK)]
    [InlineData(1024, true, HttpStatusCode.OK)]
    [InlineData(1025, false, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(1025, true, HttpStatusCode.RequestEntityTooLarge)]
    public async Task The_limit_counts_to_the_byte_with_and_without_an_announced_length(int bytes, bool chunked, HttpStatusCode answer)
    {
        using var body = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(new string('x', bytes))));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"callbacks/mavi/{GatewayHost.Secret}") { Content = body };
        request.Headers.TransferEncodingChunked = chunked;
        using var received = await _gateway.Http.SendAsync(request);

        Assert.Equal(answer, received.StatusCode);
        if (answer is HttpStatusCode.OK)
            Assert.Equal(new string('x', bytes), (await _bus.TakeAsync<CallbackReceived>()).Read<CallbackReceived>().Body);
        Assert.Equal(0, await _bus.CountAsync());
    }

    [Fact]
    public async Task An_announced_length_over_the_limit_is_refused_without_the_body()
    {
        using var request = await RawRequest.SendAsync(_gateway.Http.BaseAddress!, RawRequest.PostHead(GatewayHost.Secret, 2_000_000_000));

        Assert.Equal("HTTP/1.1 413 Payload Too Large", await request.StatusLineAsync());
    }

    [Fact]
    public async Task A_body_that_stalls_is_given_up_and_nothing_is_kept()
    {
        using var request = await RawRequest.SendAsync(_gateway.Http.BaseAddress!, RawRequest.PostHead(GatewayHost.Secret, 100) + "{\"task_id\"");

        Assert.Equal("HTTP/1.1 408 Request Timeout", await request.StatusLineAsync());
        Assert.Equal(1, _gateway.Counted("mavi.gateway.callbacks.refused{reason=too_slow}"));
        Assert.Equal(0, await _bus.CountAsync());
    }

    [Fact]
    public async Task A_body_that_trickles_is_given_up_at_the_deadline_though_it_never_stalls()
    {
        using var request = await RawRequest.SendAsync(_gateway.Http.BaseAddress!, RawRequest.PostHead(GatewayHost.Secret, 1000));
        using var enough = new CancellationTokenSource();
        var trickle = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await request.SendMoreAsync("{");
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        });

        Assert.Equal("HTTP/1.1 408 Request Timeout", await request.StatusLineAsync());
        await enough.CancelAsync();
        await trickle.ContinueWith(static _ => { }, TaskScheduler.Default); // The gateway closes the connection; the last byte may find it so.
        Assert.Equal(0, await _bus.CountAsync());
        Assert.Equal(0, _gateway.SpoolDepth);
    }

    [Fact]
    public async Task A_sender_that_hangs_up_in_the_middle_leaves_nothing()
    {
        using (await RawRequest.SendAsync(_gateway.Http.BaseAddress!, RawRequest.PostHead(GatewayHost.Secret, 100) + "{\"task_id\""))
        {
        }

        await Eventually.TrueAsync("the broken request to be counted", () => _gateway.Counted("mavi.gateway.callbacks.refused{reason=broken}") == 1);
        Assert.Equal(0, await _bus.CountAsync());
        Assert.Equal(0, _gateway.SpoolDepth);
    }
}
