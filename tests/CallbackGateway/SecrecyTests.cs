using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The secret is in the address of every callback; it must come to rest nowhere.</summary>
public sealed class SecrecyTests
{
    const string Secret = "never-to-be-seen-4711-abcdefgh";
    const string Guess = "a-wrong-guess-4711-abcdefgh";

    [Theory]
    [InlineData("--Logging:LogLevel:Default")]
    [InlineData("--Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics")]
    [InlineData("--Logging:LogLines:LogLevel:Default")]
    public async Task No_secret_is_logged_traced_or_published_however_loud_the_log(string setting)
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAsync<VideoSplitCompleted>();
        var logs = new LogLines();
        var traces = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            // All but the senders in the tests themselves.
            ShouldListenTo = source => source.Name != "System.Net.Http",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => traces.Enqueue($"{activity.OperationName} {activity.DisplayName} {string.Join(", ", activity.TagObjects)}"),
        };
        ActivitySource.AddActivityListener(listener);
        await using (var gateway = await GatewayHost.StartAsync(
            bus.Address, logs: logs, settings: [setting, "Trace", "--Gateway:Secrets:0", Secret, "--Gateway:MaxBodyBytes", "2000"]))
        {
            Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Split("published"), Secret));
            Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync(CallbackBodies.Frames("spooled"), Secret));
            Assert.Equal(HttpStatusCode.OK, await gateway.PostAsync("not JSON", Secret));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await gateway.PostAsync(new string('x', 3000), Secret));
            Assert.Equal(HttpStatusCode.NotFound, await gateway.PostAsync("{}", Guess));
            using var get = await gateway.Http.GetAsync(new Uri($"callbacks/mavi/{Secret}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);
            using (var broken = await RawRequest.SendAsync(gateway.Http.BaseAddress!, RawRequest.PostHead(Secret, 100) + "{"))
            {
            }

            using var malformed = await RawRequest.SendAsync(gateway.Http.BaseAddress!, $"POST /callbacks/mavi/{Secret} HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
            Assert.Equal("HTTP/1.1 400 Bad Request", await malformed.StatusLineAsync());
            await Eventually.TrueAsync("the broken request to be counted", () => gateway.Counted("mavi.gateway.callbacks.refused{reason=broken}") == 2);
            Assert.DoesNotContain(Secret, await gateway.ReadyAsync(), StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, (await bus.TakeAsync<VideoSplitCompleted>()).Text, StringComparison.Ordinal);
            Assert.All(Directory.GetFiles(gateway.Spool, "*.callback"), file => Assert.DoesNotContain(Secret, file + File.ReadAllText(file), StringComparison.Ordinal));
        }

        Assert.Contains(logs.All, line => line.Contains("is kept InSpool", StringComparison.Ordinal));
        Assert.Contains(traces, trace => trace.StartsWith("Microsoft.AspNetCore.Hosting.HttpRequestIn", StringComparison.Ordinal));
        Assert.All(logs.All.Concat(traces), line =>
        {
            Assert.DoesNotContain(Secret, line, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Guess, line, StringComparison.OrdinalIgnoreCase);
        });
    }
}
