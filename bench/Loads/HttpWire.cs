using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mavi.Bench.Loads;

/// <summary>One connection that is kept alive and takes one request after the other, at so little cost that the program called is what is measured.</summary>
sealed class HttpWire : IDisposable
{
    readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly byte[] _answer = new byte[4096];

    HttpWire()
    {
    }

    public static async Task<HttpWire> ConnectAsync(Uri address, CancellationToken stop)
    {
        var wire = new HttpWire();
        await wire._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), stop);
        return wire;
    }

    /// <summary>A POST without its body.</summary>
    public static byte[] HeadOf(string path, int length) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await _socket.SendAsync(bytes, stop)..];
    }

    /// <summary>Reads the answer, which has no body.</summary>
    /// <returns>Its status.</returns>
    /// <exception cref="IOException">It ended in the middle, or has a body.</exception>
    public async Task<int> StatusAsync(CancellationToken stop)
    {
        var length = 0;
        while (!_answer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            if (length == _answer.Length)
                throw new IOException($"An answer is longer than {_answer.Length} bytes; expected a status without a body.");
            var read = await _socket.ReceiveAsync(_answer.AsMemory(length), stop);
            if (read == 0)
                throw new IOException($"The connection was closed in the middle of an answer: \"{Encoding.ASCII.GetString(_answer, 0, length)}\".");
            length += read;
        }

        return int.Parse(_answer.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
    }

    public void Dispose() => _socket.Dispose();
}
