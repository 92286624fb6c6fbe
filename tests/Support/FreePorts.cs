using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mavi.Tests.Support;

/// <summary>
/// Ports for programs that cannot be given port 0. They lie below the range from which the system takes ports for outgoing connections:
/// a node that is down for a while finds its port free again, and a client that calls it meanwhile never meets itself.
/// </summary>
static class FreePorts
{
    static readonly ConcurrentDictionary<int, bool> Given = new();

    public static int Next()
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = Random.Shared.Next(12_000, 32_000);
            if (Given.TryAdd(port, true) && IsFree(port))
                return port;
        }

        throw new InvalidOperationException("No free port between 12000 and 32000 in 1000 attempts; end some of the programs that listen there.");
    }

    static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
