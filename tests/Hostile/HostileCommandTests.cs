using System.Text;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.Sandbox;
using Mavi.Tests.Support;
using Mavi.Tests.Worker;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Xunit.Abstractions;

namespace Mavi.Tests.Hostile;

/// <summary>Whatever is published as a command: an outcome, a typed failure or a readable entry in the error queue; nothing is stuck, and the Worker goes on.</summary>
public sealed class HostileCommandTests(ITestOutputHelper output)
{
    static readonly int Commands = int.TryParse(Environment.GetEnvironmentVariable("FUZZ_COUNT"), out var count) ? count : 5000;
    static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("FUZZ_SEED"), out var seed) ? seed : 20261121;
    static readonly string[] ContentTypes = ["application/json", "application/vnd.masstransit+json", "text/plain", "application/x-protobuf", ""];

    [Fact]
    public async Task Every_command_is_accounted_for_and_the_next_good_one_goes_through()
    {
        await using var system = await WorkerSystem.StartAsync(worker: ["--Mavi:RequestsPerSecond", "1000"]);
        string[] samples =
        [
            $$"""{"requestId":"REQUEST","assetId":"{{system.Asset}}","caller":"fuzz"}""",
            $$$"""{"messageId":"6f0cbd6b-63c5-5b0e-9a53-0d6f4c2f9f2e","messageType":["urn:message:Mavi.Contracts:SplitVideoRequested"],"message":{"requestId":"REQUEST","assetId":"{{{system.Asset}}}"},"headers":{}}""",
        ];
        var mutations = new Mutations(Seed);
        var random = new Random(Seed);
        for (var i = 0; i < Commands; i++)
        {
            var request = NameBasedGuid.Create($"fuzz:{Seed}:{i}").ToString();
            var body = mutations.Of([.. samples.Select(sample => sample.Replace("REQUEST", request, StringComparison.Ordinal))]);
            var properties = new BasicProperties();
            if (ContentTypes[random.Next(ContentTypes.Length)] is { Length: > 0 } contentType)
                properties.ContentType = contentType;
            await system.Bus.PublishAsync(AmqpClient.ExchangeOf<SplitVideoRequested>(), body, properties);
        }

        // A mutation that is still a good command is a real split: a long run leaves thousands of them behind.
        var limit = TimeSpan.FromMinutes(2) + Commands * TimeSpan.FromMilliseconds(10);
        await Eventually.TrueAsync("every command to be taken", async () => await system.Bus.CountAsync("mavi-split-video") == 0, limit);
        await system.Bus.PublishAsync(AmqpClient.ExchangeOf<ExtractFramesRequested>(), Encoding.UTF8.GetBytes($$"""{"requestId":"{{Guid.NewGuid()}}","assetId":"{{system.Asset}}"}"""));
        await system.TakeAsync<ExtractFramesSucceeded>(TimeSpan.FromSeconds(60));
        var view = system.Worker.GetRequiredService<LedgerView>();
        try
        {
            await Eventually.TrueAsync("every request to end", async () => (await view.CountAsync(CancellationToken.None)).Count == 0, limit);
        }
        finally
        {
            foreach (var open in await view.CountAsync(CancellationToken.None))
                output.WriteLine($"Not ended: {open.Count} {open.Kind} {open.State}, the oldest {open.OldestSeconds} s old");
            foreach (var row in await view.RequestsAsync(SubmissionState.Uncertain, 5, CancellationToken.None))
                output.WriteLine($"In doubt: {row.RequestId} of {row.AssetId}: {row.Message}");
        }

        await system.DrainAsync();

        var (errors, done, failed) = (await system.Bus.CountAsync("mavi-split-video_error"), await system.CountAsync<SplitVideoSucceeded>(), await system.CountAsync<SplitVideoFailed>());
        output.WriteLine($"{Commands} commands, seed {Seed}: {done} succeeded, {failed} failed, {errors} in the error queue");

        Assert.Equal((uint)Commands, errors + done + failed);
        for (var i = 0u; i < Math.Min(errors, 200); i++)
        {
            var sentence = await system.ErrorAsync("mavi-split-video");
            Assert.False(string.IsNullOrWhiteSpace(sentence), "an entry without a sentence");
            Assert.DoesNotContain(SandboxHost.Key, sentence, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(system.Logs.All, static line => line.Contains(SandboxHost.Key, StringComparison.Ordinal));
    }
}
