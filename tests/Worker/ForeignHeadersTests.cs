using Mavi.Contracts;
using RabbitMQ.Client;

namespace Mavi.Tests.Worker;

/// <summary>A command's headers are its sender's business: MassTransit hands them on to what is published while the command is in hand.</summary>
public sealed class ForeignHeadersTests
{
    [Theory]
    [InlineData("""{ "headers": { "tenant": "a" } }""")]
    [InlineData("""{ "headers": { "LONG": 1 } }""")]
    [InlineData("""{ "headers": { "huge": 1e400, "deep": { "a": [[[{}]]] }, "list": [1, "a", null, 1e400], "none": null, "yes": true, "control": "\u0000\u0007" } }""")]
    [InlineData("""{ "headers": { "MT-Fault-Message": "not true", "MT-Activity-Id": "x", "Content-Type": "text/plain" } }""")]
    public async Task A_command_that_was_paid_for_ends_in_its_outcome_whatever_its_headers_are(string members)
    {
        await using var system = await WorkerSystem.StartAsync();
        var id = Guid.NewGuid();
        var more = members.Replace("LONG", new string('x', 300), StringComparison.Ordinal).Trim()[1..^1];
        await system.PublishBodyAsync<SplitVideoRequested>(
            $$$"""{"messageId":"{{{Guid.NewGuid()}}}","messageType":["urn:message:Mavi.Contracts:SplitVideoRequested"],"message":{"requestId":"{{{id}}}","assetId":"{{{system.Asset}}}"},{{{more}}}}""",
            new BasicProperties { ContentType = "application/vnd.masstransit+json" });

        Assert.Equal(id, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
    }
}
