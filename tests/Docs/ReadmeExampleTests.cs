using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using MassTransit;
using Mavi.Contracts;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Sandbox;
using Mavi.Tests.Support;
using Mavi.Tests.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using Shop;

namespace Mavi.Tests.Docs;

/// <summary>What the README tells other services and operators to do is done here, against a real broker and the Worker.</summary>
public sealed partial class ReadmeExampleTests
{
    [Fact]
    public async Task The_service_in_CSharp_gets_the_outcome_of_what_it_published()
    {
        Assert.Equal(Pages.Read("tests/Docs/ReadmeExample.cs"), Pages.Block(Pages.Section(Pages.Readme, "Publish from C#"), "csharp"));

        await using var system = await WorkerSystem.StartAsync();
        using var log = new StringWriter();
        var shop = Host.CreateEmptyApplicationBuilder(settings: null);
        shop.Services.AddSplits(new Uri(system.Broker), TextWriter.Synchronized(log));
        using var host = shop.Build();
        await host.StartAsync();
        var bus = host.Services.GetRequiredService<IBus>();
        var (good, bad) = (Guid.NewGuid(), Guid.NewGuid());
        await bus.SplitAsync(good, system.Asset);
        await bus.SplitAsync(good, system.Asset);
        await bus.SplitAsync(bad, "re_404");

        await Eventually.TrueAsync("both outcomes", () => log.ToString().Count(character => character == '\n') == 2);
        await host.StopAsync();
        Assert.Contains($"{good}: 3 segments", log.ToString(), StringComparison.Ordinal);
        Assert.Contains($"{bad}: AssetNotFound, ", log.ToString(), StringComparison.Ordinal);
        Assert.Equal([false, true], (await system.PostsAsync()).Select(post => post.GetProperty("accepted").GetBoolean()).Order());
        Assert.Equal("shop", (await system.FindAsync(good))!.Caller);
    }

    [Fact]
    public async Task The_command_in_plain_json_ends_in_the_outcome_that_the_page_on_the_flow_shows()
    {
        var section = Pages.Section(Pages.Readme, "Publish from any language");
        var body = Pages.Block(section, "json").TrimEnd('\n');
        var command = JsonSerializer.Deserialize<SplitVideoRequested>(body, JsonSerializerOptions.Web)!;
        using var data = new TemporaryFolder();
        await PutAssetAsync(data.Path, command.AssetId!);
        await using var system = await WorkerSystem.StartAsync(sandbox: [$"DataDirectory={data.Path}"]);

        Assert.Equal("2", Said("delivery_mode", section));
        await system.Bus.PublishAsync(
            Exchange().Matches(section)[0].Groups[1].Value, Encoding.UTF8.GetBytes(body), new BasicProperties { ContentType = Said("content_type", section) });
        var outcome = await system.TakeAsync<SplitVideoSucceeded>();

        Assert.Equal(command.RequestId, outcome.Read<SplitVideoSucceeded>().RequestId);
        Assert.Equal(command.AssetId, outcome.Read<SplitVideoSucceeded>().AssetId);
        Assert.Equal(command.Caller, (await system.FindAsync(command.RequestId!.Value))!.Caller);
        var shown = JsonSerializer.Deserialize<JsonElement>(Pages.Block(Pages.Read("docs/flow.md"), "json"));
        Assert.Equal(Names(shown.GetProperty("message")), Names(outcome.Message));
        Assert.Subset(Names(outcome.Envelope).ToHashSet(), Names(shown).ToHashSet());
        Assert.Equal(shown.GetProperty("messageType")[0].GetString(), outcome.Envelope.GetProperty("messageType")[0].GetString());
        Assert.Equal(command.RequestId, outcome.CorrelationId);
    }

    [Fact]
    public async Task Every_exchange_that_is_named_is_there_and_the_Python_example_publishes_what_the_text_says()
    {
        var section = Pages.Section(Pages.Readme, "Publish from any language");
        var python = Pages.Block(section, "python");
        await using var system = await WorkerSystem.StartAsync();
        foreach (var exchange in Exchange().Matches(section).Select(match => match.Groups[1].Value).Distinct())
            await system.Bus.BindQueueAsync(exchange);

        Assert.Contains($"content_type=\"{Said("content_type", section)}\", delivery_mode={Said("delivery_mode", section)}", python, StringComparison.Ordinal);
        Assert.Contains(Exchange().Matches(section)[0].Groups[1].Value, python, StringComparison.Ordinal);
        foreach (var (name, _) in JsonSerializer.Deserialize<Dictionary<string, string>>(Pages.Block(section, "json"))!)
            Assert.Contains($"\"{name}\": ", python, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_way_out_of_doubt_works_as_it_is_written()
    {
        var decisions = Decision().Matches(Pages.Section(Pages.Readme, "In doubt: the ways out")).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal([nameof(AbandonRequest), nameof(AdoptTask), nameof(ResubmitRequest)], decisions.Keys.Order());
        await using var system = await WorkerSystem.StartAsync();

        await DecideAsync(nameof(AdoptTask));
        Assert.False((await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().Late);
        await DecideAsync(nameof(ResubmitRequest));
        await system.TakeAsync<SplitVideoSucceeded>();
        await DecideAsync(nameof(AbandonRequest));
        Assert.Equal(FailureReasons.Abandoned, (await system.TakeAsync<SplitVideoFailed>()).Read<SplitVideoFailed>().Reason);
        Assert.Equal(0u, await system.Bus.CountAsync("mavi-operator_error"));

        async Task DecideAsync(string decision)
        {
            await system.Mavi.ArmAsync("""[{ "fault": "cutAfter" }]""");
            var request = await system.PublishAsync<SplitVideoRequested>();
            await system.TakeAsync<SubmissionUncertain>();
            var task = (await system.PostsAsync())[^1].GetProperty("taskId").GetString();
            var body = decisions[decision].Replace("\"requestId\":\"…\"", $"\"requestId\":\"{request}\"", StringComparison.Ordinal);
            await system.Bus.PublishAsync(
                $"Mavi.Contracts:{decision}", Encoding.UTF8.GetBytes(body.Replace("\"taskId\":\"…\"", $"\"taskId\":\"{task}\"", StringComparison.Ordinal)));
        }
    }

    /// <summary>Gives the account of a Sandbox with this folder an asset of this id.</summary>
    static async Task PutAssetAsync(string folder, string assetId)
    {
        string made;
        await using (var sandbox = await SandboxHost.StartAsync(time: null, folder))
            made = await sandbox.MadeUpAssetAsync();
        var index = Path.Combine(folder, "index.jsonl");
        await File.WriteAllTextAsync(index, (await File.ReadAllTextAsync(index)).Replace(made, assetId, StringComparison.Ordinal));
    }

    /// <summary>The names of all properties, those of the first of each list included.</summary>
    static SortedSet<string> Names(JsonElement element, string prefix = "") => new(element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Names(property.Value, $"{prefix}.{property.Name}").Append($"{prefix}.{property.Name}")),
        JsonValueKind.Array => element.EnumerateArray().Take(1).SelectMany(first => Names(first, prefix + "[]")),
        _ => [],
    }, StringComparer.Ordinal);

    static string Said(string property, string text) => Regex.Match(text, $"`{property}` `([^`]+)`").Groups[1].Value;

    [GeneratedRegex(@"`(Mavi\.Contracts:\w+)`")]
    private static partial Regex Exchange();

    [GeneratedRegex(@"`Mavi\.Contracts:(\w+)` `(\{.*?\})`")]
    private static partial Regex Decision();
}
