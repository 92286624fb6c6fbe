using System.Net;
using System.Net.Sockets;
using System.Text;
using Mavi.Tests.CallbackGateway;
using Xunit.Abstractions;

namespace Mavi.Tests.Hostile;

/// <summary>Whatever is posted to the gateway: no crash, no 5xx, and every body that was answered 200 is an event in a queue.</summary>
public sealed class HostileCallbackTests(ITestOutputHelper output)
{
    static readonly int Bodies = int.TryParse(Environment.GetEnvironmentVariable("FUZZ_COUNT"), out var count) ? count : 5000;
    static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), out var seed) ? seed : 20261121;

    static readonly string[] Samples =
    [
        CallbackBodies.Split("0f3c9a6be1d24c7f8a55d0b1c2e3f4a5"),
        CallbackBodies.Split("5d41402abc4b2a76b9719d911017c592", "200", "SUCCESS", "FAILED"),
        CallbackBodies.Frames("0cc175b9c0f1b6a831c399e269772661", 40),
        CallbackBodies.OtherOperation("92eb5ffee6ae2fec3ad71c777531578f"),
        """{"code":500,"message":"decode error","data":null,"task_id":"4a8a08f09d37b73795649038408b5f33"}""",
    ];

    [Fact]
    public async Task Every_body_that_is_answered_200_is_in_a_queue_and_none_is_answered_5xx()
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        var logs = new LogLines();
        await using var gateway = await GatewayHost.StartAsync(bus.Address, logs: logs);
        var mutations = new Mutations(Seed);
        var bodies = Enumerable.Range(0, Bodies).Select(_ => mutations.Of(Samples)).ToList();

        var answers = new System.Collections.Concurrent.ConcurrentDictionary<HttpStatusCode, int>();
        await Parallel.ForEachAsync(bodies, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (body, _) =>
            answers.AddOrUpdate(await gateway.PostAsync(new ByteArrayContent(body)), 1, (_, before) => before + 1));

        output.WriteLine($"{Bodies} callbacks, seed {Seed}: {string.Join(", ", answers.Select(pair => $"{(int)pair.Key} x {pair.Value}"))}");
        Assert.Equal([HttpStatusCode.OK], answers.Keys);
        await Support.Eventually.TrueAsync("every body to be in a queue", async () => gateway.SpoolDepth == 0 && await bus.CountAsync() == Bodies, TimeSpan.FromSeconds(60));
        Assert.DoesNotContain(logs.All, static line => line.Contains(GatewayHost.Secret, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(GatewayHost.Secret, await gateway.ReadyAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("POST /callbacks/mavi/../mavi/{secret} HTTP/1.1", 200)]
    [InlineData("POST /callbacks/mavi/%2e%2e/{secret} HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi/{secret}/ HTTP/1.1", 200)]
    [InlineData("POST /callbacks/mavi/{secret}/x HTTP/1.1", 404)]
    [InlineData("POST //callbacks/mavi/{secret} HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi/{secret}%00 HTTP/1.1", 404, 400)]
    [InlineData("POST /callbacks/mavi/ HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi/x?secret={secret} HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi%2F{secret} HTTP/1.1", 404)]
    [InlineData("POST /callbacks\\mavi\\{secret} HTTP/1.1", 404, 400)]
    [InlineData("POST /callbacks/mavi/{secret};x=1 HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi/{secret}%20 HTTP/1.1", 404)]
    [InlineData("POST /callbacks/mavi/{secret}%0d%0aX:1 HTTP/1.1", 404, 400)]
    [InlineData("POST /callbacks/mavi/x/../{secret} HTTP/1.1", 200)]
    [InlineData("POST /health/live/../../callbacks/mavi/wrong HTTP/1.1", 404)]
    [InlineData("POST http://other/callbacks/mavi/wrong HTTP/1.1", 404, 400)]
    [InlineData("PUT /callbacks/mavi/{secret} HTTP/1.1", 405)]
    [InlineData("PROPFIND /callbacks/mavi/{secret} HTTP/1.1", 405)]
    [InlineData("POST /callbacks/mavi/{secret} HTTP/9.9", 505, 400)]
    [InlineData("rubbish", 400)]
    public async Task Tricks_with_the_path_open_nothing(string line, params int[] answers)
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        await using var gateway = await GatewayHost.StartAsync(bus.Address);
        var body = CallbackBodies.Split("0f3c9a6be1d24c7f8a55d0b1c2e3f4a5");
        var request = line.Replace("{secret}", GatewayHost.Secret, StringComparison.Ordinal);
        Assert.Contains(await StatusAsync(gateway, $"{request}\r\nHost: x\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"), answers);
    }

    [Theory]
    [InlineData("Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}")]
    [InlineData("Content-Length: -1\r\n\r\n{}")]
    [InlineData("Content-Length: 99999999999999999999\r\n\r\n{}")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}")]
    [InlineData(" folded: header\r\nContent-Length: 2\r\n\r\n{}")]
    public async Task A_body_whose_length_is_in_doubt_is_refused_and_nothing_of_it_is_kept(string rest)
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        await using var gateway = await GatewayHost.StartAsync(bus.Address);
        Assert.InRange(await StatusAsync(gateway, $"POST /callbacks/mavi/{GatewayHost.Secret} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{rest}"), 400, 499);
        Assert.Equal((0, 0), (await bus.CountAsync(), gateway.SpoolDepth));
    }

    [Fact]
    public async Task A_flood_of_headers_is_refused_and_requests_in_one_packet_are_answered_each()
    {
        await using var bus = await GatewayBus.CreateAsync();
        await bus.BindAllAsync();
        await using var gateway = await GatewayHost.StartAsync(bus.Address);
        var flood = string.Concat(Enumerable.Range(0, 2000).Select(i => $"X-{i}: {new string('y', 50)}\r\n"));
        Assert.InRange(await StatusAsync(gateway, $"POST /callbacks/mavi/{GatewayHost.Secret} HTTP/1.1\r\nHost: x\r\n{flood}Content-Length: 2\r\n\r\n{{}}"), 400, 499);

        var one = $"POST /callbacks/mavi/{GatewayHost.Secret} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}";
        var last = $"POST /callbacks/mavi/{GatewayHost.Secret} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast";
        var answer = await SendAsync(gateway, string.Concat(Enumerable.Repeat(one, 9)) + last);
        Assert.Equal(10, answer.Split("HTTP/1.1 200").Length - 1);
    }

    static async Task<int> StatusAsync(GatewayHost gateway, string request)
    {
        var answer = await SendAsync(gateway, request);
        return answer.Length > 12 ? int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture) : 400;
    }

    static async Task<string> SendAsync(GatewayHost gateway, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", gateway.Http.BaseAddress!.Port);
        await using var stream = client.GetStream();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var answer = new StringBuilder();
        try
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(request), limit.Token);
            var buffer = new byte[8192];
            for (int read; (read = await stream.ReadAsync(buffer, limit.Token)) > 0;)
                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
        catch (IOException) when (answer.Length >= 0)
        {
            // Refused before everything was sent: what was answered by then counts.
        }

        return answer.ToString();
    }
}
