using System.Net;
using System.Net.Sockets;

namespace Mavi.Tests.Support;

/// <summary>
/// A wire between two processes that can be cut, refused or stalled. Several targets: each connection goes to the next one (a balancer), or to the
/// first that takes it, beginning with the own one (a cluster's client).
/// </summary>
sealed class Link : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly HashSet<Socket> _sockets = [];
    readonly int[] _targets;
    readonly bool _isBalancer;
    readonly int _own;
    readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Socket? _listener;
    TaskCompletionSource _flow = new();
    int _next;
    int _connections;
    int _requests;
    long _untilStall = long.MaxValue;

    public Link(string name, int[] targets, bool isBalancer = false, int own = 0)
    {
        (Name, _targets, _isBalancer, _own) = (name, targets, isBalancer, own);
        _flow.SetResult();
        Open();
    }

    public string Name { get; }

    public int Port { get; } = FreePorts.Next();

    /// <summary>Connections that were taken.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How often clients said something: requests, where each fits into 16 KB.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Takes connections, and what was stalled goes on.</summary>
    public void Open()
    {
        lock (_lock)
        {
            _flow.TrySetResult();
            if (_listener is not null)
                return;
            _listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
            _listener.Listen(512);
            _ = AcceptAsync(_listener);
        }
    }

    /// <summary>Resets every connection; new ones are taken.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            foreach (var socket in _sockets)
                socket.Close(0);
            _sockets.Clear();
        }
    }

    /// <summary>Resets every connection and refuses new ones, until <see cref="Open"/>.</summary>
    public void Refuse()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
        }

        Cut();
    }

    /// <summary>Nothing gets through and nothing is said, until <see cref="Open"/>.</summary>
    public void Stall()
    {
        lock (_lock)
        {
            if (_flow.Task.IsCompleted)
                _flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>As <see cref="Stall"/>, once the targets have said so many bytes more, and for so long.</summary>
    /// <returns>Done when it is over.</returns>
    public async Task StallAfterAsync(long bytes, TimeSpan length)
    {
        Interlocked.Exchange(ref _untilStall, bytes);
        await _stalled.Task;
        await Task.Delay(length);
        Open();
    }

    public ValueTask DisposeAsync()
    {
        Refuse();
        _flow.TrySetResult();
        return ValueTask.CompletedTask;
    }

    async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
                _ = CarryAsync(await listener.AcceptAsync());
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // Refused from now on.
        }
    }

    async Task CarryAsync(Socket client)
    {
        client.NoDelay = true;
        Interlocked.Increment(ref _connections);
        if (!Keep(client))
            return;
        var server = await ConnectAsync();
        if (server is not null && Keep(server))
            await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client, counts: true));
        Drop(client);
        Drop(server);
    }

    async Task<Socket?> ConnectAsync()
    {
        var first = _isBalancer ? Interlocked.Increment(ref _next) : _own;
        for (var attempt = 0; attempt < (_isBalancer ? 1 : _targets.Length); attempt++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await _flow.Task;
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _targets[(first + attempt) % _targets.Length]));
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
            }
        }

        return null;
    }

    async Task PumpAsync(Socket from, Socket to, bool counts = false)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var length)
            {
                if (!counts)
                    Interlocked.Increment(ref _requests);
                if (counts && Interlocked.Add(ref _untilStall, -length) is <= 0)
                {
                    Interlocked.Exchange(ref _untilStall, long.MaxValue);
                    Stall();
                    _stalled.TrySetResult();
                }

                await _flow.Task;
                for (var sent = 0; sent < length;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent));
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // One end is gone; the other learns of it.
            Drop(from);
            Drop(to);
        }
    }

    bool Keep(Socket socket)
    {
        lock (_lock)
        {
            if (_listener is not null)
                return _sockets.Add(socket);
        }

        socket.Close(0);
        return false;
    }

    void Drop(Socket? socket)
    {
        if (socket is null)
            return;
        lock (_lock)
            _sockets.Remove(socket);
        socket.Close(0);
    }
}
