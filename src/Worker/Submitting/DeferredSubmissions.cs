using Mavi.Client;
using Mavi.Ledger;
using Mavi.Worker.Operating;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Submitting;

/// <summary>Submits deferred requests whose time has come, at the account's rate, beside the commands that come from the queue.</summary>
public sealed partial class DeferredSubmissions(
    IEnumerable<Operation> operations, Submitter submitter, SubmissionSweeps sweeps, SubmissionLedger ledger, LedgerView view, AccountWatch watch, Preparation preparation,
    IOptions<MaviOptions> mavi, IOptions<WorkerOptions> options, TimeProvider time, ILogger<DeferredSubmissions> logger) : BackgroundService
{
    /// <summary>A taken request is taken by nobody else for this long; whoever dies with it costs no more than that.</summary>
    static readonly TimeSpan Hold = TimeSpan.FromMinutes(2);

    readonly int _atOnce = (int)Math.Clamp(4 * mavi.Value.RequestsPerSecond, 4, 32);

    /// <summary>Submits one round of due requests of one operation.</summary>
    /// <returns>How many were taken.</returns>
    public async Task<int> RunOnceAsync(Operation operation, CancellationToken stopping)
    {
        // While the account is paused one request is the probe; the rest stay where they are.
        var account = await ledger.AccountAsync(stopping);
        watch.Saw(account);
        var most = account.PausedKind is null ? _atOnce : account.ProbeIn <= 0 ? 1 : 0;
        if (most == 0)
            return 0;

        var due = await sweeps.TakeDueAsync(operation.Name, most, Hold, stopping);
        await Task.WhenAll(due.Select(row => SubmitAsync(operation, row, stopping)));
        return due.Count;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await Task.WhenAll(operations.Select(operation => RunAsync(operation, stoppingToken)));

    async Task RunAsync(Operation operation, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        try
        {
            await preparation.Done.WaitAsync(stopping);
            do
            {
                try
                {
                    while (await RunOnceAsync(operation, stopping) == _atOnce)
                    {
                    }
                }
                catch (Exception failed) when (!stopping.IsCancellationRequested)
                {
                    // Whatever it is: nobody else would submit what is deferred.
                    LogFailed(operation.Name, failed.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    async Task SubmitAsync(Operation operation, SubmissionRow row, CancellationToken stopping)
    {
        try
        {
            var request = new SubmissionRequest(row.Request, row.Operation, row.AssetId, row.Caller);
            using var span = Traces.Start("mavi.deferred", Traces.AreOn ? await view.TraceOfAsync(row.Request, stopping) : null)?.About(request);
            var after = await submitter.SubmitAsync(operation, request, SubmitFrom.Ledger, stopping);
            // The account was paused meanwhile: it waits for the end of the pause, not for the end of our hold.
            if (after.State == SubmissionState.Deferred && after.Attempts == row.Attempts && (await ledger.AccountAsync(stopping)).PausedKind is not null)
                await sweeps.HandBackAsync(row, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await sweeps.HandBackAsync(row, CancellationToken.None);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Deferred {Operation} requests are looked at again in the next sweep: {Reason}")]
    partial void LogFailed(string operation, string reason);
}
