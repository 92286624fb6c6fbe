using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.StaticFiles;

namespace Mavi.Client;

/// <summary>
/// A request body that is written at most once and knows whether its writing began. Until then no complete request can have reached the server,
/// whatever the connection went through; a second writing, by whatever retry below us, would be a second POST and is refused.
/// </summary>
abstract class OnceContent : HttpContent
{
    int started;

    /// <summary>Called right before the first byte of the body is handed to an open connection.</summary>
    public Action? Leaving { get; init; }

    public bool Started => Volatile.Read(ref started) != 0;

    protected abstract Task WriteAsync(Stream stream, CancellationToken ct);

    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected sealed override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref started, 1) != 0)
            throw new InvalidOperationException(
                "The request was about to be sent a second time; expected once: it was stopped, look at what the first sending did.");
        Leaving?.Invoke();
        return WriteAsync(stream, cancellationToken);
    }
}

/// <summary>A body of bytes; none of them, where a call has no body but must not be repeated by the handler either (it repeats those without content).</summary>
sealed class BytesContent : OnceContent
{
    readonly byte[] bytes;

    public BytesContent(byte[] bytes, string? mediaType = null)
    {
        this.bytes = bytes;
        if (mediaType != null)
            Headers.ContentType = new(mediaType);
    }

    protected override Task WriteAsync(Stream stream, CancellationToken ct) => stream.WriteAsync(bytes, ct).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return true;
    }
}

/// <summary>A multipart form of one part, <c>file</c>, streamed: with its length where the source knows it, else chunked.</summary>
/// <remarks>Written by hand for what browsers and curl send and servers are tested with: boundary without quotes, file name as UTF-8.</remarks>
sealed class FileForm : OnceContent
{
    const int BufferBytes = 128 * 1024;

    readonly Stream file;
    readonly Action moved;
    readonly long? length;
    readonly byte[] head;
    readonly byte[] tail;

    /// <param name="file">Read from where it stands to its end; not disposed.</param>
    /// <param name="fileName">What the file is called; a folder before it is dropped.</param>
    /// <param name="moved">Called after every piece that was handed to the network.</param>
    public FileForm(Stream file, string fileName, Action moved)
    {
        (this.file, this.moved) = (file, moved);
        length = file.CanSeek ? file.Length - file.Position : null;

        var boundary = $"mavi-{Guid.NewGuid():N}";
        var name = Path.GetFileName(fileName)
            .Replace("\"", "%22", StringComparison.Ordinal)
            .Replace("\r", "%0D", StringComparison.Ordinal)
            .Replace("\n", "%0A", StringComparison.Ordinal);
        var type = new FileExtensionContentTypeProvider().TryGetContentType(name, out var known) ? known : "application/octet-stream";
        head = Encoding.UTF8.GetBytes($"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {type}\r\n\r\n");
        tail = Encoding.UTF8.GetBytes($"\r\n--{boundary}--\r\n");
        Headers.TryAddWithoutValidation("Content-Type", $"multipart/form-data; boundary={boundary}");
    }

    protected override async Task WriteAsync(Stream stream, CancellationToken ct)
    {
        await stream.WriteAsync(head, ct);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            // A file that grows meanwhile is sent as long as it was at the start: its length has been promised.
            for (var left = length ?? long.MaxValue; left > 0;)
            {
                var read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), ct);
                if (read == 0 && length != null)
                    throw new HttpRequestException($"the file ended {left} bytes early, while it was sent");
                if (read == 0)
                    break;
                await stream.WriteAsync(buffer.AsMemory(0, read), ct);
                left -= read;
                moved();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await stream.WriteAsync(tail, ct);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = head.Length + this.length.GetValueOrDefault() + tail.Length;
        return this.length != null;
    }
}
