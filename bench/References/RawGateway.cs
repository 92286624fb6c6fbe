using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Mavi.CallbackGateway.Classifying;
using Mavi.Tests.Support;
using RabbitMQ.Client.Exceptions;

namespace Mavi.Bench.References;

/// <summary>
/// A callback gateway as one would write it by hand on Kestrel and the broker's client: the secret, the gateway's own parse, the same event in the same
/// envelope, mandatory and confirmed, then 200. It has no spool, no metrics, no traces and no log line for a callback.
/// </summary>
static class RawGateway
{
    public const string Role = "raw-gateway";

    /// <summary>Of a process of its own.</summary>
    public static Dictionary<string, string> Settings(Place place) => new()
    {
        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
        ["ConnectionStrings__RabbitMq"] = place.Amqp,
        ["Gateway__Secrets__0"] = Place.Secret,
    };

    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(static kestrel => (kestrel.AddServerHeader, kestrel.Limits.MaxRequestBodySize) = (false, 16 * 1024 * 1024));
        var expected = Encoding.UTF8.GetBytes(builder.Configuration["Gateway:Secrets:0"]!);
        var publisher = await RawPublisher.ConnectAsync(builder.Configuration.GetConnectionString("RabbitMq")!);

        await using var app = builder.Build();
        app.MapGet("/health/ready", static () => "ready");
        app.MapPost("/callbacks/mavi/{secret}", async (string secret, HttpContext http) =>
        {
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(secret), expected))
                return Results.NotFound();
            if (http.Request.ContentLength is not { } length)
                return Results.StatusCode(StatusCodes.Status411LengthRequired);
            return await TakeAsync(http.Request.Body, (int)length, publisher) ? Results.Ok() : Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        });
        await app.RunAsync();
    }

    static async Task<bool> TakeAsync(Stream stream, int length, RawPublisher publisher)
    {
        var receivedAt = DateTimeOffset.UtcNow;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var body = buffer.AsMemory(0, length);
            await stream.ReadExactlyAsync(body);
            var hash = CallbackEvent.HashOf(body.Span);
            var callback = CallbackClassifier.Classify(body, receivedAt).Of(length, hash);
            await publisher.PublishAsync(callback, callback.MessageId(hash));
            return true;
        }
        catch (Exception failed) when (failed is PublishException or AlreadyClosedException or OperationInterruptedException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
