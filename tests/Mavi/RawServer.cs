using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Mavi.Tests.Client;

/// <summary>A TCP server for what no HTTP server does on purpose: resets, cuts, silence. Counts every complete request it got, on whatever connection.</summary>
sealed class RawServer : IDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentQueue<RawConnection> connections = new();
    Exception? failure;

    /// <param name="serve">What happens on each connection; its number starts at 1. The connection is closed when the test ends.</param>
    public RawServer(Func<RawConnection, Task> serve)
    {
        listener.Start();
        _ = AcceptAsync(serve);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public string BaseUrl => $"http://127.0.0.1:{Port}/serve/api/v2";

    /// <summary>The first line of every complete request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Completes when the first complete request is there.</summary>
    public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first connection is there.</summary>
    public TaskCompletionSource Connected { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose()
    {
        listener.Dispose();
        foreach (var connection in connections)
            connection.Socket.Dispose();
        // What the test demanded on the server's side fails the test.
        if (failure != null)
            ExceptionDispatchInfo.Throw(failure);
    }

    async Task AcceptAsync(Func<RawConnection, Task> serve)
    {
        try
        {
            for (var number = 1; ; number++)
            {
                var connection = new RawConnection(this, await listener.AcceptSocketAsync(), number);
                connections.Enqueue(connection);
                Connected.TrySetResult();
                _ = ServeAsync(serve, connection);
            }
        }
        catch (Exception ended) when (ended is ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    async Task ServeAsync(Func<RawConnection, Task> serve, RawConnection connection)
    {
        try
        {
            await serve(connection);
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException)
        {
            // The client has gone, or the test is over.
        }
        catch (Exception demanded)
        {
            failure = demanded;
            connection.Reset();
        }
    }
}

sealed class RawConnection(RawServer server, Socket socket, int number)
{
    readonly List<byte> pending = [];

    public Socket Socket => socket;

    /// <summary>Ends with the socket.</summary>
    public Stream Stream { get; } = new NetworkStream(socket);

    public int Number => number;

    /// <summary>Reads one whole request: headers, and a body of <c>Content-Length</c>.</summary>
    public async Task<string> ReadRequestAsync()
    {
        var buffer = new byte[8192];
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. pending]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && text.Length >= end + 4 + Length(text[..end]))
            {
                pending.RemoveRange(0, end + 4 + Length(text[..end]));
                server.Requests.Enqueue(text[..text.IndexOf("\r\n", StringComparison.Ordinal)]);
                server.Asked.TrySetResult();
                return text;
            }

            var read = await Stream.ReadAsync(buffer);
            if (read == 0)
                throw new IOException("closed by the client");
            pending.AddRange(buffer.AsSpan(0, read));
        }
    }

    public Task WriteAsync(string text) => Stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask();

    /// <summary>A whole JSON answer on a connection that stays open.</summary>
    public Task AnswerAsync(string json, int status = 200) =>
        WriteAsync($"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    /// <summary>Closes in order (FIN).</summary>
    public void Close() => socket.Dispose();

    /// <summary>Closes with a reset (RST).</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    static int Length(string headers) => headers.Split("\r\n")
        .Where(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
        .Select(line => int.Parse(line["Content-Length:".Length..], CultureInfo.InvariantCulture))
        .SingleOrDefault();
}
