using MassTransit;
using Mavi.Ledger;

namespace Mavi.Worker.Operating;

/// <summary>Whether the Worker lives, and whether it can work.</summary>
public static class HealthEndpoints
{
    /// <summary><c>GET /health/live</c> and <c>GET /health/ready</c>.</summary>
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/health/live", static () => Results.Json(new { status = "live" }));
        app.MapGet("/health/ready", static async (
            IBusControl bus, LedgerDatabase database, SubmissionLedger ledger, Preparation preparation, IServiceProvider services, CancellationToken cancellationToken) =>
        {
            var broker = bus.CheckHealth();
            var isPrepared = preparation.Done.IsCompletedSuccessfully && database.WaitingFor is null;
            var account = isPrepared ? await ledger.AccountAsync(cancellationToken) : null;
            var ready = broker.Status == BusHealthStatus.Healthy && isPrepared;
            return Results.Json(
                new
                {
                    status = ready ? account?.PausedKind is null ? "ready" : "paused" : "waiting",
                    broker = broker.Status == BusHealthStatus.Healthy ? "connected" : "waiting for RabbitMQ",
                    ledger = isPrepared ? "connected" : $"waiting for {database.Place}",
                    pausedBecause = account?.PausedReason,
                    pausedSince = account?.PausedAt?.ToTime(),
                    findings = services.GetService<Doctor>()?.Findings ?? [],
                },
                statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        });
    }
}
