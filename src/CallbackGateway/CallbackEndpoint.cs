using Microsoft.AspNetCore.Http.Features;

namespace Mavi.CallbackGateway;

/// <summary><c>POST /callbacks/mavi/{secret}</c>: authenticate, read, keep, answer. The content type does not matter.</summary>
sealed partial class CallbackEndpoint(
    CallbackSecrets secrets, CallbackIntake intake, GatewayOptions options, GatewayMetrics metrics, TimeProvider time, ILogger<CallbackEndpoint> logger)
{
    public async Task<IResult> HandleAsync(HttpContext http, string secret)
    {
        if (!secrets.Contain(secret))
        {
            metrics.Refused("wrong_secret");
            return Results.NotFound();
        }

        using var span = GatewayTraces.StartCallback();
        // To the millisecond, which is what the wire and a spool file's name keep.
        var now = time.GetUtcNow();
        var receivedAt = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));

        // The server's own limit, whatever it is, would end the connection; ours is counted while reading, and answered.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;

        using var deadline = new CancellationTokenSource(options.BodyTimeout, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, http.RequestAborted);
        try
        {
            using var body = await RequestBody.ReadAsync(http.Request, options.MaxBodyBytes, stop.Token);
            if (body is null)
            {
                metrics.Refused("too_large");
                LogTooLarge(http.Request.ContentLength, options.MaxBodyBytes);
                return Results.StatusCode(StatusCodes.Status413PayloadTooLarge);
            }

            var (kept, name) = await intake.TakeAsync(body.Memory, receivedAt);
            metrics.Taken(name, kept);
            var status = kept is Kept.Nowhere ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            span?.Ends(kept, status);
            return Results.StatusCode(status);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            metrics.Refused("too_slow");
            LogTooSlow(options.BodyTimeout);
            http.Response.Headers.Connection = "close";
            return Results.StatusCode(StatusCodes.Status408RequestTimeout);
        }
        catch (BadHttpRequestException exception)
        {
            metrics.Refused("broken");
            return Results.StatusCode(exception.StatusCode);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The sender hung up in the middle, or what it says of the length makes no sense: nothing whole to keep, and nobody may hear a 200.
            metrics.Refused("broken");
            return Results.StatusCode(StatusCodes.Status400BadRequest);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A callback was refused: its body is larger than Gateway:MaxBodyBytes ({MaxBodyBytes}), Content-Length {ContentLength}")]
    partial void LogTooLarge(long? contentLength, int maxBodyBytes);

    [LoggerMessage(LogLevel.Warning, "A callback was refused: its body did not arrive within Gateway:BodyTimeout ({BodyTimeout})")]
    partial void LogTooSlow(TimeSpan bodyTimeout);
}
