using System.Net;
using System.Net.Sockets;
using System.Text;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

public sealed class GatewayProcessTests
{
    [Theory]
    [InlineData("Gateway__Secrets__0", "", "Gateway:Secrets:0 has 0 characters, expected 16 to 256 letters")]
    [InlineData("Gateway__Secrets__0", "too-short", "Gateway:Secrets:0 has 9 characters, expected 16 to 256 letters")]
    [InlineData("Gateway__Secrets__1", "sixteen/characters/not/url-safe", "Gateway:Secrets:1 has 31 characters, some of them not URL-safe, expected")]
    [InlineData("Gateway__PublishTimeout", "2", "Gateway:PublishTimeout is \"2\", expected a time from 00:00:00.1000000 to 00:01:00")]
    [InlineData("Gateway__PublishTimeout", "soon", "Gateway:PublishTimeout is \"soon\"")]
    [InlineData("Gateway__BodyTimeout", "00:00:00", "Gateway:BodyTimeout is \"00:00:00\"")]
    [InlineData("Gateway__MaxBodyBytes", "1023", "Gateway:MaxBodyBytes is \"1023\", expected a number of bytes from 1024 to 1073741824")]
    [InlineData("Gateway__MaxBodyBytes", "16 MiB", "Gateway:MaxBodyBytes is \"16 MiB\"")]
    [InlineData("Gateway__SpoolDirectory", "/dev/null", "Gateway:SpoolDirectory is \"/dev/null\", expected a directory that can be written")]
    [InlineData("Gateway__SpoolDirectory", "/proc/spool", "Gateway:SpoolDirectory is \"/proc/spool\", expected a directory that can be written")]
    [InlineData("ConnectionStrings__RabbitMq", "http://me:my-password@localhost", "ConnectionStrings:RabbitMq is not the address of a broker")]
    [InlineData("ConnectionStrings__RabbitMq", "localhost", "ConnectionStrings:RabbitMq is not the address of a broker")]
    [InlineData("ASPNETCORE_URLS", "not an address", "ASPNETCORE_URLS is \"not an address\", expected addresses that can be listened on")]
    public async Task A_wrong_setting_ends_the_process_with_one_sentence(string name, string value, string sentence)
    {
        await using var gateway = GatewayProcess.Start((name, value));

        await EndsWithAsync(gateway, sentence);
        Assert.DoesNotContain("my-password", gateway.Errors + gateway.Output, StringComparison.Ordinal);
        if (value.Length > 8 && name.Contains("Secrets", StringComparison.Ordinal))
            Assert.DoesNotContain(value, gateway.Errors + gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_secret_it_refuses_to_start()
    {
        await using var gateway = GatewayProcess.StartWithoutSecret();

        await EndsWithAsync(gateway, "Gateway:Secrets is empty, expected at least one secret");
    }

    [Fact]
    public async Task An_address_in_use_ends_the_process_with_one_sentence()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        await using var gateway = GatewayProcess.Start(("ASPNETCORE_URLS", $"http://{other.LocalEndpoint}"));

        await EndsWithAsync(gateway, $"ASPNETCORE_URLS is \"http://{other.LocalEndpoint}\", expected addresses that can be listened on");
    }

    [Fact]
    public async Task Without_a_broker_it_listens_and_says_once_that_it_waits()
    {
        await using var gateway = GatewayProcess.Start();
        using var http = new HttpClient { BaseAddress = await gateway.AddressAsync() };

        using var body = new StringContent(CallbackBodies.Split("kept"));
        using var answer = await http.PostAsync(new Uri($"callbacks/mavi/{GatewayHost.Secret}", UriKind.Relative), body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await gateway.SaysAsync("is kept InSpool");
        Assert.Single(gateway.Output.Split('\n'), line => line.Contains("Waiting for the broker", StringComparison.Ordinal));
        Assert.Empty(gateway.Errors);
    }

    [Fact]
    public async Task SIGTERM_lets_the_request_in_hand_finish()
    {
        var body = CallbackBodies.Split("in-hand");
        await using var gateway = GatewayProcess.Start();
        var head = RawRequest.PostHead(GatewayHost.Secret, Encoding.UTF8.GetByteCount(body));
        using var request = await RawRequest.SendAsync(await gateway.AddressAsync(), head + body[..20]);
        using (var http = new HttpClient { BaseAddress = await gateway.AddressAsync() })
            await http.GetAsync(new Uri("health/live", UriKind.Relative));

        gateway.Terminate();
        await gateway.SaysAsync("Application is shutting down");
        await request.SendMoreAsync(body[20..]);

        Assert.Equal("HTTP/1.1 200 OK", await request.StatusLineAsync());
        Assert.Equal(0, await gateway.ExitCodeAsync());
        Assert.Contains("Task in-hand: VideoSplitCompleted", gateway.Output, StringComparison.Ordinal);
    }

    static async Task EndsWithAsync(ServiceProcess gateway, string sentence)
    {
        Assert.NotEqual(0, await gateway.ExitCodeAsync());
        Assert.StartsWith(sentence, gateway.Errors, StringComparison.Ordinal);
        Assert.EndsWith(".", gateway.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', gateway.Errors);
        Assert.DoesNotContain("   at ", gateway.Errors + gateway.Output, StringComparison.Ordinal);
    }
}
