using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.StaticFiles;

namespace Mavi.Sandbox;

/// <summary>Vendor pages "Get Metadata", "Download" and "Delete", for files (<c>re_</c>), frames (<c>imc_</c>) and collections (<c>im_</c>).</summary>
static class Assets
{
    public static void MapAssets(this WebApplication app)
    {
        var gate = app.Services.GetRequiredService<ApiGate>();
        var store = app.Services.GetRequiredService<AssetStore>();

        app.MapGet("/serve/api/v2/{asset_id}/metadata", gate.Keyed(Operation.Metadata, call => Task.FromResult(Metadata(call, store))));
        app.MapGet("/serve/api/v2/{asset_id}/download", gate.Keyed(Operation.Download, call => Task.FromResult(Download(call, store))));
        app.MapGet("/serve/api/v2/download", gate.Keyed(Operation.Download, call => Task.FromResult<Answer>(DownloadBlob(call))));
        app.MapDelete("/serve/api/v2/{asset_id}", gate.Keyed(Operation.Delete, call => Task.FromResult(Delete(call, store))));
    }

    /// <summary>An asset in the vendor's words; <c>file_size</c> is an integer in callbacks and a string in metadata.</summary>
    public static JsonObject Describe(Asset asset, bool withSizeAsText) => new()
    {
        ["asset_id"] = asset.Id,
        ["create_time"] = asset.CreateTime.ToString(CultureInfo.InvariantCulture),
        ["modify_time"] = asset.ModifyTime.ToString(CultureInfo.InvariantCulture),
        ["extension"] = asset.Extension,
        ["file_size"] = withSizeAsText ? asset.FileSize.ToString(CultureInfo.InvariantCulture) : asset.FileSize,
        ["original_filename"] = asset.OriginalFilename,
        ["upload_status"] = asset.UploadStatus,
    };

    static Answer Metadata(ApiCall call, AssetStore store)
    {
        var id = IdOf(call);
        IReadOnlyList<Asset> found = store.FindCollection(id) is { } collection ? store.Frames(collection) : store.Find(id) is { } asset ? [asset] : [];
        if (found.Count == 0 && store.FindCollection(id) is null)
            return TextAnswer.Error(400, "Asset not found");
        if (call.RefusedOnPurpose(id) is { } refusal)
            return refusal;

        call.Note(e => e.Accepted = true);
        return call.Success(new JsonObject
        {
            ["total"] = found.Count,
            ["resource"] = new JsonArray([.. found.Select(asset => Describe(asset, withSizeAsText: true))]),
        });
    }

    static Answer Download(ApiCall call, AssetStore store)
    {
        var id = IdOf(call);
        var collection = store.FindCollection(id);
        var asset = store.Find(id);
        if (collection is null && asset is null)
            return TextAnswer.Error(400, "Asset not found", withFlags: true);
        if (asset is { UploadStatus: not "SUCCESS" })
            return TextAnswer.Error(400, $"Asset cannot be downloaded: upload_status is {asset.UploadStatus}", withFlags: true);
        if (call.RefusedOnPurpose(id) is { } refusal)
            return refusal;

        call.Note(e => e.Accepted = true);
        return collection is null ? new FileAnswer(asset!, store) : new ZipAnswer(collection, store);
    }

    // Nothing in the Sandbox lies in a bucket, so only the errors of "Download by bucket and blob" can be had.
    static TextAnswer DownloadBlob(ApiCall call) => TextAnswer.Error(400, withFlags: true, msg:
        string.IsNullOrEmpty(call.Http.Request.Query["bucket"]) ? "Bucket cannot be null or empty"
        : string.IsNullOrEmpty(call.Http.Request.Query["blob"]) ? "Blob cannot be null or empty"
        : "Resource does not exist");

    static Answer Delete(ApiCall call, AssetStore store)
    {
        var id = IdOf(call);
        if (store.Find(id) is null && store.FindCollection(id) is null)
            return TextAnswer.Error(400, "Asset not found");
        if (call.RefusedOnPurpose(id) is { } refusal)
            return refusal;
        if (!store.Delete(id))
            return TextAnswer.Error(400, "Asset not found");

        call.Note(e => e.Accepted = true);
        return call.Success(null);
    }

    static string IdOf(ApiCall call)
    {
        var id = (string)call.Http.Request.RouteValues["asset_id"]!;
        call.NoteAsset(id);
        return id;
    }
}

/// <summary>A file or a frame as it is.</summary>
sealed record FileAnswer(Asset Asset, AssetStore Store) : Answer(200)
{
    static readonly FileExtensionContentTypeProvider Types = new();

    public override Task WriteFirstHalfAsync(HttpContext http) => WriteAsync(http, isWhole: false);

    protected override Task WriteBodyAsync(HttpContext http) => WriteAsync(http, isWhole: true);

    async Task WriteAsync(HttpContext http, bool isWhole)
    {
        await using var content = Store.Open(Asset);
        var filename = Asset.Extension.Length == 0 ? Asset.OriginalFilename : $"{Asset.OriginalFilename}.{Asset.Extension}";
        http.Response.ContentType = Types.TryGetContentType(filename, out var type) ? type : "application/octet-stream";
        http.Response.ContentLength = content.Length;
        http.Response.Headers.ContentDisposition = Attachment(filename);
        if (isWhole)
            await content.CopyToAsync(http.Response.Body, http.RequestAborted);
        else
            await Microsoft.AspNetCore.Http.Extensions.StreamCopyOperation.CopyToAsync(content, http.Response.Body, content.Length / 2, http.RequestAborted);
    }

    /// <summary>Quoted as in the sample of "Download"; what ASCII cannot say follows in the form of RFC 6266.</summary>
    public static string Attachment(string filename)
    {
        var plain = string.Concat(filename.Select(c => c is < ' ' or > '~' or '"' or '\\' ? '_' : c));
        return plain == filename ? $"attachment; filename=\"{plain}\"" : $"attachment; filename=\"{plain}\"; filename*=UTF-8''{Uri.EscapeDataString(filename)}";
    }
}

/// <summary>All frames of a collection in one zip, written while it is sent.</summary>
sealed record ZipAnswer(FrameCollection Collection, AssetStore Store) : Answer(200)
{
    protected override async Task WriteBodyAsync(HttpContext http)
    {
        http.Response.ContentType = "application/zip";
        http.Response.Headers.ContentDisposition = FileAnswer.Attachment($"{Collection.Id}.zip");
        // The framework's zip writes the few bytes that end an entry synchronously, on its asynchronous path too.
        http.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
        await using var zip = await ZipArchive.CreateAsync(http.Response.Body, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, http.RequestAborted);
        foreach (var frame in Store.Frames(Collection))
        {
            // Images do not get smaller by being packed again.
            var entry = zip.CreateEntry($"{frame.OriginalFilename}.{frame.Extension}", CompressionLevel.NoCompression);
            await using var packed = await entry.OpenAsync(http.RequestAborted);
            await using var content = Store.Open(frame);
            await content.CopyToAsync(packed, http.RequestAborted);
        }
    }
}
