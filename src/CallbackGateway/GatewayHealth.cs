using Mavi.CallbackGateway.Publishing;
using Mavi.CallbackGateway.Spooling;

namespace Mavi.CallbackGateway;

/// <summary>Alive: the process answers. Ready: a callback would be kept, by the broker or by the spool.</summary>
sealed class GatewayHealth(BrokerState broker, Spool spool, TimeProvider time)
{
    static readonly TimeSpan AskDiskAtMost = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    (long At, bool Writable)? _asked;

    public static IResult Live() => Results.Ok(new { status = "live" });

    public IResult Ready()
    {
        var writable = IsSpoolWritable();
        var ready = writable || !broker.IsAway;
        return Results.Json(
            new
            {
                status = ready ? "ready" : "unavailable",
                broker = broker.IsAway ? "away" : "connected",
                spool = new { writable, depth = spool.Count(), rejected = spool.CountRejected() },
            },
            statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>The port is public: asking often must not wear the disk.</summary>
    bool IsSpoolWritable()
    {
        lock (_lock)
        {
            if (_asked is not { } asked || time.GetElapsedTime(asked.At) > AskDiskAtMost)
                _asked = asked = (time.GetTimestamp(), spool.IsWritable());
            return asked.Writable;
        }
    }
}
