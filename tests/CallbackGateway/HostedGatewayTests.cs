using System.Net;
using System.Text;
using MassTransit;
using Mavi.CallbackGateway;
using Mavi.Contracts;
using Mavi.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The gateway within a host that brings its own bus, here one in memory.</summary>
public sealed class HostedGatewayTests
{
    [Fact]
    public async Task A_callback_reaches_a_consumer_in_the_same_process()
    {
        using var folder = new TemporaryFolder();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Gateway:Secrets:0"] = GatewayHost.Secret,
            ["Gateway:SpoolDirectory"] = folder.Spool,
        });
        var arrived = new TaskCompletionSource<(Guid? Id, FramesExtracted Frames)>();
        builder.Services.AddMassTransit(bus => bus.UsingInMemory((_, memory) =>
            memory.ReceiveEndpoint("here", endpoint => endpoint.Handler<FramesExtracted>(context =>
            {
                arrived.TrySetResult((context.MessageId, context.Message));
                return Task.CompletedTask;
            }))));
        builder.Services.AddCallbackGateway(builder.Configuration);
        await using var app = builder.Build();
        app.MapCallbackGateway();
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var body = CallbackBodies.Frames("here");

        using var content = new StringContent(body, Encoding.UTF8);
        using var answer = await http.PostAsync(new Uri($"callbacks/mavi/{GatewayHost.Secret}", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var (id, frames) = await Eventually.GetAsync("the event to arrive", arrived.Task);
        Assert.Equal((CallbackBodies.MessageId<FramesExtracted>("here", body), "here"), (id, frames.TaskId));
    }
}
