using System.Globalization;

namespace Mavi.Client;

/// <summary>What Mavi knows of an asset. A collection (<c>im_…</c>) has one entry per frame; every field but the id may be missing.</summary>
/// <param name="AssetId">The asset's, or the frame's, id.</param>
/// <param name="FileName">As uploaded, without extension.</param>
/// <param name="Extension">Without a dot, such as <c>mp4</c>.</param>
/// <param name="SizeBytes">Size in bytes.</param>
/// <param name="UploadStatus"><c>SUCCESS</c> where the asset is usable; else <c>WAITING</c>, <c>UPLOADING</c> or <c>FAILED</c>.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="ModifiedAt">UTC.</param>
public sealed record AssetMetadata(
    string? AssetId, string? FileName, string? Extension, long? SizeBytes, string? UploadStatus, DateTimeOffset? CreatedAt, DateTimeOffset? ModifiedAt);

/// <summary>Where to upload a file to, without the key. The URL is itself a secret: who has it can upload.</summary>
/// <param name="AssetId">The asset that the file becomes.</param>
/// <param name="Url">Sent exactly as it was signed.</param>
/// <param name="ExpiresIn">From the moment it was made; null where Mavi did not say. 26 hours in the vendor's sample.</param>
public sealed record SignedUpload(string AssetId, Uri Url, TimeSpan? ExpiresIn)
{
    /// <summary>Without the signature.</summary>
    public override string ToString() => $"{AssetId} to {Url.GetLeftPart(UriPartial.Authority)}";
}

public sealed partial class MaviClient
{
    /// <summary>Uploads a file, streamed, and gives its asset id (<c>re_…</c>). Vendor page "Upload File"; stored files cost $0.001 per GB and day.</summary>
    /// <param name="path">The file; its name goes with it.</param>
    /// <param name="ct">Cancels; whether the file was stored is then not known.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="MaviException">Mavi gave no asset id.</exception>
    public async Task<string> UploadAsync(string path, CancellationToken ct)
    {
        await using var file = OpenToRead(path);
        return await UploadAsync(file, path, ct);
    }

    /// <summary>Uploads what a stream holds from where it stands to its end, as a file called <paramref name="fileName"/>. The stream is not disposed.</summary>
    /// <inheritdoc cref="UploadAsync(string, CancellationToken)" path="/exception" />
    public async Task<string> UploadAsync(Stream file, string fileName, CancellationToken ct)
    {
        using var deadline = NewDeadline(ct);
        var body = new FileForm(file, fileName, deadline.Moved);
        var exchange = await SendAsync(new(HttpMethod.Post, "/upload", "an asset id", body), deadline, ct);
        return exchange.Require(MaviJson.Default.UploadData, data => UsableId(data.AssetId));
    }

    /// <summary>Asks for a URL to upload a file to, without passing it through the API. Vendor page "Upload via Signed URL".</summary>
    /// <exception cref="MaviException">Mavi gave no asset id, or no http(s) URL.</exception>
    public async Task<SignedUpload> CreateSignedUploadAsync(string fileName, CancellationToken ct)
    {
        var body = Json(new SignedUrlRequest(Path.GetFileName(fileName)), MaviJson.Default.SignedUrlRequest);
        var exchange = await SendAsync(new(HttpMethod.Post, "/upload/signed-url", "an asset id and a signed URL", body), ct);
        return exchange.Require(MaviJson.Default.SignedUrlData, data =>
            UsableId(data.AssetId) is { } id
            && Uri.TryCreate(data.SignedUrl, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }, out var url)
            && url.Scheme is "http" or "https"
                ? new SignedUpload(id, url, Number(data.ExpiresIn) is { } seconds and > 0 and < int.MaxValue ? TimeSpan.FromSeconds(seconds) : null)
                : null);
    }

    /// <summary>Uploads a file, streamed, to a signed URL. The key does not go with it. Vendor page "Upload via Signed URL".</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="MaviException">The store did not answer with a success.</exception>
    public async Task UploadToSignedUrlAsync(SignedUpload upload, string path, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(upload);
        await using var file = OpenToRead(path);
        using var deadline = NewDeadline(ct);
        var call = new Call(HttpMethod.Post, "to the signed URL of " + upload, "a success", new FileForm(file, path, deadline.Moved)) { Storage = upload.Url };
        (await SendAsync(call, deadline, ct)).RequireStored();
    }

    /// <summary>What Mavi knows of an asset (<c>re_…</c>), a frame (<c>imc_…</c>) or every frame of a collection (<c>im_…</c>). Vendor page "Get Metadata".</summary>
    /// <exception cref="ArgumentException">The asset id is no such id; nothing was sent.</exception>
    /// <exception cref="MaviException">Mavi gave no list.</exception>
    public async Task<IReadOnlyList<AssetMetadata>> GetMetadataAsync(string assetId, CancellationToken ct)
    {
        var exchange = await SendAsync(new(HttpMethod.Get, $"/{RequireAssetId(assetId)}/metadata", "the asset's metadata"), ct);
        return exchange.Require(MaviJson.Default.MetadataData, data => data.Resource?.Select(Metadata).ToArray());
    }

    /// <summary>Deletes an asset, for good. Vendor page "Delete Asset".</summary>
    /// <exception cref="ArgumentException">The asset id is no such id; nothing was sent.</exception>
    /// <exception cref="MaviException">Mavi did not say that it was deleted.</exception>
    public async Task DeleteAsync(string assetId, CancellationToken ct)
    {
        // With content, if only an empty one: the handler sends a request without any again when the connection breaks, and the second finds nothing.
        var exchange = await SendAsync(new(HttpMethod.Delete, "/" + RequireAssetId(assetId), "a success", new BytesContent([])), ct);
        exchange.RequireSuccess(usable: null);
    }

    static AssetMetadata Metadata(MetadataEntry entry) => new(
        entry.AssetId, entry.OriginalFilename, entry.Extension, Number(entry.FileSize), entry.UploadStatus, Time(entry.CreateTime), Time(entry.ModifyTime));

    static FileStream OpenToRead(string path) =>
        new(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0 });

    static long? Number(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Milliseconds since 1970 on every page of the vendor; ISO 8601 is understood too.</summary>
    static DateTimeOffset? Time(string? text) => Number(text) switch
    {
        { } milliseconds when milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() =>
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
        null when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var iso) => iso.ToUniversalTime(),
        _ => null,
    };
}
