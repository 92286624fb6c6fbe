using System.Diagnostics.Metrics;
using System.Globalization;
using Mavi.Ledger;

namespace Mavi.Worker.Operating;

/// <summary>
/// What waits in the ledger, read once per <c>OTEL_METRIC_EXPORT_INTERVAL</c>. Every Worker tells the same figures: take the largest, never the sum.
/// Nothing is told where the ledger cannot be read: a 0 would say that all is well.
/// </summary>
sealed partial class LedgerGauges : BackgroundService
{
    /// <summary>Milliseconds, as the standard has it.</summary>
    const string IntervalSetting = "OTEL_METRIC_EXPORT_INTERVAL";
    const int DefaultInterval = 60_000;

    readonly LedgerView _view;
    readonly Preparation _preparation;
    readonly TimeProvider _time;
    readonly ILogger<LedgerGauges> _logger;
    readonly TimeSpan _interval;
    volatile IReadOnlyList<StateCount> _waiting = [];

    public LedgerGauges(LedgerView view, Preparation preparation, IMeterFactory meters, IConfiguration configuration, TimeProvider time, ILogger<LedgerGauges> logger)
    {
        (_view, _preparation, _time, _logger) = (view, preparation, time, logger);
        _interval = TimeSpan.FromMilliseconds(
            int.TryParse(configuration[IntervalSetting], NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given > 0 ? given : DefaultInterval);

        var meter = meters.Create(WorkerMetrics.MeterName);
        meter.CreateObservableGauge("mavi.requests", () => Each("requests", static count => count.Count), "{request}", "Requests that wait, by state.");
        meter.CreateObservableGauge("mavi.requests.oldest_age", () => Each("requests", static count => count.OldestSeconds), "s", "Since the oldest of them came, by state; 0 where there is none.");
        meter.CreateObservableGauge("mavi.orphans", () => All("orphans", static count => count.Count), "{callback}", "Callbacks that no submission claims.");
        meter.CreateObservableGauge("mavi.orphans.oldest_age", () => All("orphans", static count => count.OldestSeconds), "s", "Since the oldest of them came; 0 where there is none.");
        meter.CreateObservableGauge("mavi.account.paused", () => Each("pauses", static count => count.Count), "{account}", "1 while the account is paused for every Worker, by why: Outage or Blocked.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, _time);
        try
        {
            await _preparation.Done.WaitAsync(stoppingToken);
            do
                _waiting = await ReadAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    /// <summary>Nothing where the ledger does not answer before it is asked again.</summary>
    async Task<IReadOnlyList<StateCount>> ReadAsync(CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(_interval);
        try
        {
            return await _view.WaitingAsync(limit.Token);
        }
        catch (Exception failed) when (!stopping.IsCancellationRequested)
        {
            // Whatever it is: a figure that is missing must not take the Worker with it.
            LogNotRead(failed.Message);
            return [];
        }
    }

    IEnumerable<Measurement<long>> Each(string kind, Func<StateCount, long> value) => _waiting.Where(count => count.Kind == kind)
        .Select(count => new Measurement<long>(value(count), new KeyValuePair<string, object?>(Traces.State, count.State)));

    IEnumerable<Measurement<long>> All(string kind, Func<StateCount, long> value) => _waiting.Where(count => count.Kind == kind).Select(count => new Measurement<long>(value(count)));

    [LoggerMessage(LogLevel.Debug, "The ledger's gauges have no value until their next time: {Reason}")]
    partial void LogNotRead(string reason);
}
