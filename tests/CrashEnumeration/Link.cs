using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>One way of a process to the world: it connects here, and is connected on. Cut for good when the process dies.</summary>
abstract class Link : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<TcpClient, bool> _sockets = new();
    readonly string _host;
    readonly int _port;
    bool _isAway;

    protected Link(string host, int port, PointWatch watch)
    {
        (_host, _port, Watch) = (host, port, watch);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    /// <summary>Where the process connects to, on 127.0.0.1.</summary>
    public int Port { get; }

    protected PointWatch Watch { get; }

    /// <summary>True while nobody is let in, and those who were are thrown out: the other end is away.</summary>
    public bool IsAway
    {
        get => Volatile.Read(ref _isAway);
        set
        {
            Volatile.Write(ref _isAway, value);
            if (value)
                Disconnect();
        }
    }

    /// <summary>Nothing passes any more, in either direction.</summary>
    public void Cut()
    {
        _listener.Stop();
        Disconnect();
    }

    public void Dispose() => Cut();

    /// <summary>Carries one connection; returns or throws when it has ended.</summary>
    protected abstract Task CarryAsync(Stream client, Stream server);

    protected Task SendAsync(Stream to, ReadOnlyMemory<byte> bytes) =>
        Watch.IsDead ? throw new IOException("The process is dead.") : to.WriteAsync(bytes).AsTask();

    void Disconnect()
    {
        foreach (var socket in _sockets.Keys)
            socket.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
    }

    async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        try
        {
            _sockets[client] = _sockets[server] = true;
            if (Watch.IsDead || IsAway)
                return;
            await server.ConnectAsync(_host, _port);
            (client.NoDelay, server.NoDelay) = (true, true);
            await CarryAsync(client.GetStream(), server.GetStream());
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One of the two ends is gone, and the other one learns it here.
        }
        finally
        {
            client.Dispose();
            _sockets.TryRemove(client, out _);
            _sockets.TryRemove(server, out _);
        }
    }
}
