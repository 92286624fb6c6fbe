using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Mavi.Chaos;

namespace Mavi.Bench.Loads;

/// <summary>Asks a process whether it is ready, often and cheaply.</summary>
static class HttpProbe
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);

    /// <summary>Returns at the first 200 of its <c>/health/ready</c>, or of another route.</summary>
    /// <exception cref="TimeoutException">It did not come within <paramref name="limit"/>.</exception>
    /// <exception cref="InvalidOperationException">The process has ended.</exception>
    public static async Task UntilReadyAsync(Service service, TimeSpan limit, CancellationToken stop, string route = "/health/ready")
    {
        var question = Encoding.ASCII.GetBytes($"GET {route} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        var address = new IPEndPoint(IPAddress.Loopback, new Uri(service.Url).Port);
        var waited = Stopwatch.StartNew();
        while (!await IsReadyAsync(address, question, stop))
        {
            if (service.HasEnded)
                throw new InvalidOperationException($"{service.Name} ended before it was ready: see {service.LogFile}.");
            if (waited.Elapsed > limit)
                throw new TimeoutException($"{service.Name} was not ready within {limit.TotalSeconds:0} s: see {service.LogFile}.");
            await Task.Delay(Interval, stop);
        }
    }

    static async Task<bool> IsReadyAsync(IPEndPoint address, byte[] question, CancellationToken stop)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, stop);
            await socket.SendAsync(question, stop);
            var answer = new byte[1024];
            var length = await socket.ReceiveAsync(answer, stop);
            return Encoding.ASCII.GetString(answer, 0, length).StartsWith("HTTP/1.1 200", StringComparison.Ordinal);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
