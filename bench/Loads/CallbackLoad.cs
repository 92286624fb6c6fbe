using System.Diagnostics;
using Mavi.Chaos;

namespace Mavi.Bench.Loads;

/// <summary>Callbacks on a number of connections, each of which sends the next one when the last one was answered; the bodies take turns.</summary>
sealed class CallbackLoad : IDisposable
{
    readonly HttpWire[] _wires;
    readonly (byte[] Head, CallbackBody Body)[] _callbacks;

    CallbackLoad(HttpWire[] wires, IEnumerable<CallbackBody> bodies) =>
        (_wires, _callbacks) = (wires, [.. bodies.Select(static body => (HttpWire.HeadOf($"/callbacks/mavi/{Place.Secret}", body.Length), body))]);

    public static async Task<CallbackLoad> ConnectAsync(Service gateway, int connections, IReadOnlyList<CallbackBody> bodies, CancellationToken stop) =>
        new(await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => HttpWire.ConnectAsync(new Uri(gateway.Url), stop))), bodies);

    /// <summary>Sends so many callbacks.</summary>
    /// <returns>How long each took, in milliseconds.</returns>
    /// <exception cref="InvalidOperationException">One was not answered 200.</exception>
    public async Task<IReadOnlyList<double>> SendAsync(int count, CancellationToken stop)
    {
        var milliseconds = new double[count];
        var next = -1;
        await Task.WhenAll(_wires.Select(wire => Task.Run(() => SendFromAsync(wire), stop)));
        return milliseconds;

        async Task SendFromAsync(HttpWire wire)
        {
            var buffer = new byte[_callbacks.Max(static callback => callback.Head.Length + callback.Body.Length)];
            for (var number = Interlocked.Increment(ref next); number < count; number = Interlocked.Increment(ref next))
            {
                var (head, body) = _callbacks[number % _callbacks.Length];
                head.CopyTo(buffer, 0);
                body.WriteTo(buffer.AsSpan(head.Length));
                var began = Stopwatch.GetTimestamp();
                await wire.SendAsync(buffer.AsMemory(0, head.Length + body.Length), stop);
                var status = await wire.StatusAsync(stop);
                milliseconds[number] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                if (status != 200)
                    throw new InvalidOperationException($"A callback was answered {status}; expected 200: see the gateway's log.");
            }
        }
    }

    public void Dispose() => Array.ForEach(_wires, static wire => wire.Dispose());
}
