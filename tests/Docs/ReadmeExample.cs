using MassTransit;
using Mavi.Contracts;
using Microsoft.Extensions.DependencyInjection;

namespace Shop;

public static class Splits
{
    // Everybody hears every outcome: look the request id up in your own records. A repeat has the message id of the first.
    public static IServiceCollection AddSplits(this IServiceCollection services, Uri broker, TextWriter log) => services
        .Configure<MassTransitHostOptions>(bus => bus.WaitUntilStarted = true) // your queue is there before your first command
        .AddMassTransit(bus => bus.UsingRabbitMq((_, rabbit) =>
        {
            rabbit.Host(broker);
            rabbit.ReceiveEndpoint("shop-splits", queue =>
            {
                queue.Handler<SplitVideoSucceeded>(it => log.WriteLineAsync($"{it.Message.RequestId}: {it.Message.Segments.Count} segments"));
                queue.Handler<SplitVideoFailed>(it => log.WriteLineAsync($"{it.Message.RequestId}: {it.Message.Reason}, {it.Message.Message}"));
            });
        }));

    // Store the request id first: published again under the same one, after a crash perhaps, nothing is submitted twice.
    public static Task SplitAsync(this IBus bus, Guid requestId, string assetId) => bus.Publish(
        new SplitVideoRequested { RequestId = requestId, AssetId = assetId, Caller = "shop" },
        context => context.Mandatory = true); // an exception where no Worker has ever run, instead of silence
}
