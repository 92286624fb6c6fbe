using Mavi.Bench.Measuring;
using Mavi.Chaos;

namespace Mavi.Bench.Loads;

/// <summary>Requests that are all in flight at once: each whole but for its last byte, and the last bytes together.</summary>
static class LargeCallbacks
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    const long SameBytes = 1024 * 1024;

    /// <exception cref="InvalidOperationException">One was not answered 200.</exception>
    public static async Task SendTogetherAsync(Service gateway, CallbackBody body, int count, CancellationToken stop)
    {
        var wires = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => HttpWire.ConnectAsync(new Uri(gateway.Url), stop)));
        try
        {
            var requests = wires.Select(_ => RequestOf(body)).ToList();
            await Task.WhenAll(wires.Zip(requests, (wire, request) => wire.SendAsync(request.AsMemory(..^1), stop)));
            await UntilReadAsync(gateway, stop);
            await Task.WhenAll(wires.Zip(requests, (wire, request) => wire.SendAsync(request.AsMemory(^1..), stop)));
            var answers = await Task.WhenAll(wires.Select(wire => wire.StatusAsync(stop)));
            if (Array.Exists(answers, static status => status != 200))
                throw new InvalidOperationException($"Callbacks of {body.Length} bytes were answered {string.Join(", ", answers)}; expected 200 each: see the gateway's log.");
        }
        finally
        {
            Array.ForEach(wires, static wire => wire.Dispose());
        }
    }

    static byte[] RequestOf(CallbackBody body)
    {
        var head = HttpWire.HeadOf($"/callbacks/mavi/{Place.Secret}", body.Length);
        var request = new byte[head.Length + body.Length];
        head.CopyTo(request, 0);
        body.WriteTo(request.AsSpan(head.Length));
        return request;
    }

    /// <summary>Returns when the gateway has taken what it takes: its memory no longer grows.</summary>
    static Task UntilReadAsync(Service gateway, CancellationToken stop)
    {
        var last = 0L;
        return Waiting.ForAsync("the bodies to be read", async () =>
        {
            await Task.Delay(Pause, stop);
            var (before, now) = (last, Accounting.Of(gateway.Id).ResidentBytes);
            last = now;
            return now - before < SameBytes;
        }, Limit, stop);
    }
}
