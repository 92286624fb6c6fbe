using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Mavi.Sandbox;

/// <summary>Vendor pages "Upload File" and "Upload File using Signed URL". Any file is taken; whether it is a video shows when a task opens it.</summary>
static class Uploads
{
    const string StorageRoute = "/storage/{asset_id}";

    public static void MapUploads(this WebApplication app)
    {
        var gate = app.Services.GetRequiredService<ApiGate>();
        var store = app.Services.GetRequiredService<AssetStore>();
        var facts = app.Services.GetRequiredService<MediaFacts>();
        var signed = app.Services.GetRequiredService<SignedUploads>();
        var time = app.Services.GetRequiredService<TimeProvider>();

        app.MapPost("/serve/api/v2/upload", gate.Keyed(Operation.Upload, async call =>
        {
            if (BoundaryOf(call.Http.Request) is not { } boundary)
                return TextAnswer.Error(415, "Unsupported media type: expected multipart/form-data with a part file");
            if (call.RefusedOnPurpose(null) is { } refusal)
                return refusal;

            var (id, createdAt) = store.NewId("re_", time);
            if (await ReceiveAsync(call, boundary, store, id) is not { } received)
                return TextAnswer.Error(400, "file cannot be null or empty");

            facts.LookInto(store.Put(received.ToAsset(id, createdAt, createdAt)));
            call.Note(e => (e.AssetId, e.Accepted) = (id, true));
            return call.Success(new JsonObject { ["asset_id"] = id });
        }));

        app.MapPost("/serve/api/v2/upload/signed-url", gate.Keyed(Operation.SignedUrl, async call =>
        {
            var (body, complaint) = await JsonBody.ReadAsync(call.Http);
            if (body is null)
                return complaint!;
            if (body.Text("original_filename") is not { Length: > 0 } filename)
                return TextAnswer.Error(400, "original_filename cannot be null or empty");
            if (call.RefusedOnPurpose(null) is { } refusal)
                return refusal;

            var (id, createdAt) = store.NewId("re_", time);
            store.Put(new Received(filename, 0, null).ToAsset(id, createdAt, createdAt) with { UploadStatus = "WAITING" });
            call.Note(e => (e.AssetId, e.Accepted) = (id, true));
            var request = call.Http.Request;
            return call.Success(new JsonObject
            {
                ["asset_id"] = id,
                ["signed_url"] = $"{request.Scheme}://{request.Host}{StorageRoute.Replace("{asset_id}", id, StringComparison.Ordinal)}?signature={signed.Open(id)}",
                ["expires_in"] = (int)SignedUploads.Lifetime.TotalSeconds,
            });
        }));

        app.MapPost(StorageRoute, gate.Open(Operation.Storage, async call =>
        {
            var id = (string)call.Http.Request.RouteValues["asset_id"]!;
            call.NoteAsset(id);
            // The real storage is another company's: a client that sends the key there gives it away.
            if (call.Http.Request.Headers.Authorization.Count > 0)
                return TextAnswer.Error(400, "The request carries an Authorization header; the key must not be sent to a signed URL");
            if (BoundaryOf(call.Http.Request) is not { } boundary)
                return TextAnswer.Error(415, "Unsupported media type: expected multipart/form-data with a part file");
            if (call.RefusedOnPurpose(id) is { } refusal)
                return refusal;
            if (store.Find(id) is not { UploadStatus: "WAITING" or "FAILED" } waiting || !signed.TryUse(id, call.Http.Request.Query["signature"]))
                return TextAnswer.Error(403, "The signed URL is unknown, used or expired");

            store.Put(waiting with { UploadStatus = "UPLOADING" });
            Received? received = null;
            Asset ended;
            try
            {
                received = await ReceiveAsync(call, boundary, store, id, waiting.Extension);
            }
            finally
            {
                var modifiedAt = time.GetUtcNow().ToUnixTimeMilliseconds();
                ended = store.Put(received is null
                    ? waiting with { UploadStatus = "FAILED", ModifyTime = modifiedAt }
                    : waiting with { UploadStatus = "SUCCESS", ModifyTime = modifiedAt, FileSize = received.Size, File = received.File });
            }

            if (received is null)
                return TextAnswer.Error(400, "file cannot be null or empty");
            facts.LookInto(ended);
            call.Note(e => e.Accepted = true);
            return new TextAnswer(204, "");
        }));
    }

    static string? BoundaryOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 } boundary
            ? boundary.Value
            : null;

    /// <summary>Streams the part <c>file</c> to disk; null where there is none.</summary>
    static async Task<Received?> ReceiveAsync(ApiCall call, string boundary, AssetStore store, string id, string? extension = null)
    {
        var http = call.Http;
        http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        try
        {
            var reader = new MultipartReader(boundary, http.Request.Body) { BodyLengthLimit = null };
            while (await reader.ReadNextSectionAsync(http.RequestAborted) is { } section)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
                    || HeaderUtilities.RemoveQuotes(disposition.Name) != "file")
                    continue;

                var star = HeaderUtilities.RemoveQuotes(disposition.FileNameStar);
                var filename = (star.Length > 0 ? star : HeaderUtilities.RemoveQuotes(disposition.FileName)).Value ?? "";
                var file = AssetStore.NewFile(id, extension ?? Received.ExtensionOf(filename));
                return new Received(filename, await SaveAsync(section.Body, store.PathOf(file), http.RequestAborted), file);
            }
        }
        catch (IOException e) when (e is not BadHttpRequestException && !http.RequestAborted.IsCancellationRequested)
        {
            throw new BadHttpRequestException($"The multipart body cannot be read: {e.Message}");
        }
        catch (InvalidDataException e)
        {
            throw new BadHttpRequestException($"The multipart body cannot be read: {e.Message}");
        }

        return null;
    }

    static async Task<long> SaveAsync(Stream body, string path, CancellationToken cancel)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1, FileOptions.Asynchronous);
            await body.CopyToAsync(file, 128 * 1024, cancel);
            return file.Length;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    sealed record Received(string Filename, long Size, string? File)
    {
        // Browsers of old sent whole paths, with either slash.
        string Name => Filename[(Filename.LastIndexOfAny(['/', '\\']) + 1)..];

        public static string ExtensionOf(string filename) => Path.GetExtension(filename).TrimStart('.');

        public Asset ToAsset(string id, long createdAt, long modifiedAt) =>
            new(id, Path.GetFileNameWithoutExtension(Name), ExtensionOf(Name), Size, "SUCCESS", createdAt, modifiedAt, File);
    }
}

/// <summary>The signed URLs that were given out and not used yet. They do not survive a restart.</summary>
sealed class SignedUploads(TimeProvider time)
{
    /// <summary>As in the sample of "Upload File using Signed URL": 93600 s.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(93600);

    readonly ConcurrentDictionary<string, (string AssetId, DateTimeOffset Expires)> open = new();

    public string Open(string assetId)
    {
        var signature = System.Security.Cryptography.RandomNumberGenerator.GetHexString(64, lowercase: true);
        open[signature] = (assetId, time.GetUtcNow() + Lifetime);
        return signature;
    }

    /// <summary>True for the asset's own signature, any number of times until it expires: a failed upload may be repeated.</summary>
    public bool TryUse(string assetId, string? signature) =>
        signature is not null && open.TryGetValue(signature, out var upload) && upload.AssetId == assetId && upload.Expires > time.GetUtcNow();
}

/// <summary>A request body that must be a JSON object; fields nobody asks for are ignored.</summary>
sealed class JsonBody(JsonElement root)
{
    /// <summary>The body, or the answer where there is none.</summary>
    public static async Task<(JsonBody? Body, TextAnswer? Complaint)> ReadAsync(HttpContext http)
    {
        if (!http.Request.HasJsonContentType())
            return (null, TextAnswer.Error(415, "Unsupported media type: expected application/json"));
        try
        {
            using var document = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return (new JsonBody(document.RootElement.Clone()), null);
        }
        catch (JsonException)
        {
            // Told below.
        }

        return (null, TextAnswer.Error(400, "Request body is not readable: expected a JSON object"));
    }

    /// <summary>The field as text; null where it is missing, null or no string.</summary>
    public string? Text(string field) => root.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public bool IsOtherThanText(string field) =>
        root.TryGetProperty(field, out var value) && value.ValueKind is not (JsonValueKind.String or JsonValueKind.Null);
}
