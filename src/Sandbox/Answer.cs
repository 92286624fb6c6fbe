using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mavi.Sandbox;

/// <summary>An answer on its way: a status, headers, and a body that is written once.</summary>
abstract record Answer(int Status)
{
    /// <summary>The vendor's words where the request was refused, for the journal.</summary>
    public virtual string? Message => null;

    public int? RetryAfterSeconds { get; init; }

    public virtual async Task WriteAsync(HttpContext http)
    {
        http.Response.StatusCode = Status;
        if (RetryAfterSeconds is { } seconds)
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await WriteBodyAsync(http);
        await http.Response.CompleteAsync();
    }

    /// <summary>Headers that promise the whole body, and half of it.</summary>
    public virtual Task WriteFirstHalfAsync(HttpContext http) => WriteBodyAsync(http);

    protected abstract Task WriteBodyAsync(HttpContext http);
}

/// <summary>The vendor's JSON envelope, or another short text in its place.</summary>
sealed record TextAnswer(int Status, string Text, string ContentType = "application/json") : Answer(Status)
{
    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    string? message;

    public override string? Message => message;

    /// <summary>"Webhooks" and the operations' own pages: success.</summary>
    public static TextAnswer Success(Generation generation, JsonNode? data) => new(200, new JsonObject
    {
        ["code"] = SuccessCode(generation),
        ["msg"] = "success",
        ["data"] = data,
        ["failed"] = false,
        ["success"] = true,
    }.ToJsonString(Plain));

    /// <summary>"Error Codes": the HTTP status is the code. The samples leave the flags out; those of the download pages carry them.</summary>
    public static TextAnswer Error(int code, string msg, int? status = null, bool withFlags = false)
    {
        var envelope = new JsonObject { ["code"] = code, ["msg"] = msg, ["data"] = null };
        if (withFlags)
        {
            envelope["success"] = false;
            envelope["failed"] = true;
        }

        return new TextAnswer(status ?? code, envelope.ToJsonString(Plain)) { message = msg };
    }

    /// <summary>What the vendor's infrastructure answers in front of the API, in a shape of its own.</summary>
    public static TextAnswer Infrastructure(int status, string error, HttpContext http, TimeProvider time) => new(status, new JsonObject
    {
        ["timestamp"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'+00:00'", CultureInfo.InvariantCulture),
        ["path"] = http.Request.Path.Value,
        ["status"] = status,
        ["error"] = error,
        ["requestId"] = http.TraceIdentifier,
    }.ToJsonString(Plain))
    {
        message = error,
    };

    /// <summary>What a proxy answers that speaks no JSON.</summary>
    public static TextAnswer Proxy(int status, string error) =>
        new(status, $"<html><head><title>{status} {error}</title></head><body><center><h1>{status} {error}</h1></center></body></html>\r\n", "text/html")
        {
            message = error,
        };

    public static JsonNode SuccessCode(Generation generation) => generation == Generation.A ? "0000" : 200;

    public override Task WriteFirstHalfAsync(HttpContext http) => WriteAsync(http, isWhole: false);

    protected override Task WriteBodyAsync(HttpContext http) => WriteAsync(http, isWhole: true);

    async Task WriteAsync(HttpContext http, bool isWhole)
    {
        if (Text.Length == 0)
            return;
        var bytes = Encoding.UTF8.GetBytes(Text);
        http.Response.ContentType = ContentType;
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(isWhole ? bytes : bytes.AsMemory(0, bytes.Length / 2), http.RequestAborted);
    }
}

/// <summary>The answer is cut: nothing, or the first half of it, and the connection is gone.</summary>
sealed record CutAnswer(Answer? FirstHalfOf = null) : Answer(0)
{
    public override async Task WriteAsync(HttpContext http)
    {
        if (FirstHalfOf is { } whole)
        {
            http.Response.StatusCode = whole.Status;
            await whole.WriteFirstHalfAsync(http);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }

        http.Abort();
    }

    protected override Task WriteBodyAsync(HttpContext http) => Task.CompletedTask;
}
