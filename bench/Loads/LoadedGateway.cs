using Mavi.Chaos;

namespace Mavi.Bench.Loads;

/// <summary>A gateway that has been at work.</summary>
static class LoadedGateway
{
    const int Connections = 32;

    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    /// <summary>Starts one and lets it take so many callbacks, splits and frames of 1 KB and 20 KB in turn.</summary>
    public static async Task<Service> StartAsync(Lab lab, Place place, CallbackQueue queue, int callbacks, CancellationToken stop)
    {
        var gateway = place.Gateway(lab);
        gateway.Start();
        await HttpProbe.UntilReadyAsync(gateway, StartLimit, stop);

        CallbackBody[] bodies = [CallbackBody.Split(1024), CallbackBody.Frames(1024), CallbackBody.Split(20 * 1024), CallbackBody.Frames(20 * 1024)];
        using var load = await CallbackLoad.ConnectAsync(gateway, Connections, bodies, stop);
        await load.SendAsync(callbacks, stop);
        await queue.EmptyAsync(callbacks, stop);
        return gateway;
    }
}
