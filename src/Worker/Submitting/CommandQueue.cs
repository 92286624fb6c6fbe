using MassTransit;
using Mavi.Client;
using Mavi.Worker.Messaging;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Submitting;

static class CommandQueue
{
    /// <summary>
    /// A consumer waits for its slot with the message in hand, so few are taken and the queue holds the rest: enough to use every slot while
    /// a POST takes some seconds, and to hand them all back at once on SIGTERM.
    /// </summary>
    public static void UseCommandQueue(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context, Type command)
    {
        var rate = context.GetRequiredService<IOptions<MaviOptions>>().Value.RequestsPerSecond;
        endpoint.PrefetchCount = (int)Math.Clamp(8 * rate, 8, 64);
        endpoint.ConcurrentMessageLimit = endpoint.PrefetchCount;
        endpoint.UseQueueDefaults(context, command);
    }
}
