using System.Buffers;

namespace Mavi.Client;

/// <summary>A file that was downloaded, whole.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="FileName">What Mavi calls it, without any folder; null where it did not say. Not what it is stored as.</param>
/// <param name="ContentType">Such as <c>video/mp4</c>; null where Mavi did not say.</param>
/// <param name="SizeBytes">Size in bytes.</param>
public sealed record DownloadedFile(string Path, string? FileName, string? ContentType, long SizeBytes);

public sealed partial class MaviClient
{
    const int DownloadBufferBytes = 128 * 1024;

    /// <summary>
    /// Downloads an asset's file, a frame's image or the zip of a collection, streamed to a file that appears only when it is whole. Vendor page
    /// "Download"; every call costs $0.12 per GB.
    /// </summary>
    /// <param name="assetId">1 to 128 letters, digits, <c>_</c> or <c>-</c>.</param>
    /// <param name="target">
    /// A file path, or a folder (one that exists, or a path that ends in a separator) for a file named by the asset id and the extension Mavi gives.
    /// Missing folders are made; a file of the same name is replaced.
    /// </param>
    /// <param name="ct">Cancels; nothing is left behind.</param>
    /// <exception cref="ArgumentException">The asset id is no such id; nothing was sent.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="MaviException">Mavi gave no file, or not the whole of it. Nothing is left behind.</exception>
    public async Task<DownloadedFile> DownloadAsync(string assetId, string target, CancellationToken ct)
    {
        DownloadedFile? file = null;
        using var deadline = NewDeadline(ct);
        var call = new Call(HttpMethod.Get, $"/{RequireAssetId(assetId)}/download", "a file");
        var exchange = await SendAsync(call, deadline, ct, async response =>
        {
            if (!IsFile(response))
                return false;
            file = await SaveAsync(response, assetId, target, deadline);
            return true;
        });
        if (file == null)
            exchange.RequireSuccess(usable: false);
        return file!;
    }

    /// <summary>By status and content type: an error is JSON, also under HTTP 200, and a proxy's page is text. A text or JSON file comes as an attachment.</summary>
    static bool IsFile(HttpResponseMessage response)
    {
        if ((int)response.StatusCode != 200)
            return false;
        if (string.Equals(response.Content.Headers.ContentDisposition?.DispositionType, "attachment", StringComparison.OrdinalIgnoreCase))
            return true;

        var type = response.Content.Headers.ContentType?.MediaType;
        return type != null
            && !type.EndsWith("json", StringComparison.OrdinalIgnoreCase)
            && !type.StartsWith("text/", StringComparison.OrdinalIgnoreCase);
    }

    static async Task<DownloadedFile> SaveAsync(HttpResponseMessage response, string assetId, string target, Deadline deadline)
    {
        var headers = response.Content.Headers;
        var name = Path.GetFileName((headers.ContentDisposition?.FileNameStar ?? headers.ContentDisposition?.FileName)?.Trim('"').Replace('\\', '/'));
        var type = headers.ContentType?.MediaType;
        var path = Path.GetFullPath(Directory.Exists(target) || Path.EndsInDirectorySeparator(target)
            ? Path.Combine(target, assetId + Extension(name, type))
            : target);

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            var size = await CopyAsync(response, part, deadline);
            if (headers.ContentLength is { } promised && promised != size)
                throw new HttpRequestException($"{size} bytes came of {promised}");
            File.Move(part, path, overwrite: true);
            return new(path, string.IsNullOrEmpty(name) ? null : name, type, size);
        }
        finally
        {
            File.Delete(part);
        }
    }

    static async Task<long> CopyAsync(HttpResponseMessage response, string part, Deadline deadline)
    {
        await using var file = new FileStream(part, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
        });
        await using var network = await response.Content.ReadAsStreamAsync(deadline.Token);
        var buffer = ArrayPool<byte>.Shared.Rent(DownloadBufferBytes);
        try
        {
            for (var size = 0L; ;)
            {
                var read = await Exchange.ReadAsync(network, buffer, deadline.Token);
                if (read == 0)
                    return size;
                deadline.Moved();
                await file.WriteAsync(buffer.AsMemory(0, read), deadline.Token);
                size += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>With its dot; from the name where that has a plain one, else by the content type, else none.</summary>
    static string Extension(string? name, string? type)
    {
        var given = Path.GetExtension(name) ?? "";
        if (given.Length is > 1 and <= 10 && given.Skip(1).All(char.IsAsciiLetterOrDigit))
            return given.ToLowerInvariant();
        return type switch
        {
            "video/mp4" => ".mp4",
            "image/jpeg" => ".jpg",
            "image/png" => ".png",
            "application/zip" => ".zip",
            _ => "",
        };
    }
}
