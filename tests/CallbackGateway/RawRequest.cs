using System.Net.Sockets;
using System.Text;

namespace Mavi.Tests.CallbackGateway;

/// <summary>A sender of which every byte is under the test's control: one that stalls, hangs up, or announces what it never sends.</summary>
sealed class RawRequest : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    readonly TcpClient _tcp = new();

    public static async Task<RawRequest> SendAsync(Uri gateway, string text)
    {
        var request = new RawRequest();
        await request._tcp.ConnectAsync(gateway.Host, gateway.Port);
        await request.SendMoreAsync(text);
        return request;
    }

    public static string PostHead(string secret, int contentLength) =>
        $"POST /callbacks/mavi/{secret} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {contentLength}\r\n\r\n";

    public async Task SendMoreAsync(string text) => await _tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>The answer's first line, such as <c>HTTP/1.1 200 OK</c>.</summary>
    public async Task<string?> StatusLineAsync()
    {
        using var reader = new StreamReader(_tcp.GetStream(), leaveOpen: true);
        return await reader.ReadLineAsync().WaitAsync(Limit);
    }

    public void Dispose() => _tcp.Dispose();
}
