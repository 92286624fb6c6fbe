using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>The way to Mavi. A point is a whole request.</summary>
sealed partial class HttpLink(string host, int port, PointWatch watch) : Link(host, port, watch)
{
    protected override async Task CarryAsync(Stream client, Stream server)
    {
        var held = new Held();
        await await Task.WhenAny(UpAsync(client, server, held), DownAsync(client, server, held));
    }

    async Task UpAsync(Stream client, Stream server, Held held)
    {
        var from = new BufferedStream(client);
        while (true)
        {
            var (head, request) = await ReadRequestAsync(from);
            var line = head.Split("\r\n")[0].Split(' ');
            var label = $"http {line[0]} {AssetId().Replace(line[1], "{asset}")}";
            if (Watch.Arrive(label) == Passing.Held)
                Volatile.Write(ref held.Label, label);
            await SendAsync(server, request);
        }
    }

    async Task DownAsync(Stream client, Stream server, Held held)
    {
        var buffer = new byte[16 * 1024];
        var answer = new MemoryStream();
        while (true)
        {
            var read = await ReadOrEndAsync(server, buffer);
            if (Volatile.Read(ref held.Label) is { } label)
            {
                answer.Write(buffer, 0, read);
                if ((read == 0 || IsWhole(answer.ToArray())) && Watch.Completed(label, Passing.Held, changed: true))
                    return;
            }
            else if (read > 0)
            {
                await SendAsync(client, buffer.AsMemory(0, read));
            }

            if (read == 0)
                return;
        }
    }

    static async Task<int> ReadOrEndAsync(Stream from, byte[] buffer)
    {
        try
        {
            return await from.ReadAsync(buffer);
        }
        catch (IOException)
        {
            // A connection that is reset has ended too.
            return 0;
        }
    }

    static async Task<(string Head, byte[] Request)> ReadRequestAsync(Stream from)
    {
        var request = new MemoryStream();
        var one = new byte[1];
        while (!EndsHead(request))
        {
            await from.ReadExactlyAsync(one);
            request.Write(one);
        }

        var head = Encoding.ASCII.GetString(request.ToArray());
        var body = new byte[BodyLengthOf(head) ?? 0];
        await from.ReadExactlyAsync(body);
        request.Write(body);
        return (head, request.ToArray());
    }

    static bool EndsHead(MemoryStream bytes) =>
        bytes.Length >= 4 && bytes.GetBuffer().AsSpan(0, (int)bytes.Length).EndsWith("\r\n\r\n"u8);

    static bool IsWhole(byte[] answer)
    {
        var end = answer.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        if (end < 4)
            return false;
        var head = Encoding.ASCII.GetString(answer, 0, end);
        return BodyLengthOf(head) is { } length ? answer.Length >= end + length : answer.AsSpan(end).EndsWith("0\r\n\r\n"u8);
    }

    static int? BodyLengthOf(string head) =>
        ContentLength().Match(head) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    sealed class Held
    {
        public string? Label;
    }

    [GeneratedRegex(@"^Content-Length:\s*(\d+)", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex ContentLength();

    [GeneratedRegex(@"re_\w+")]
    private static partial Regex AssetId();
}
