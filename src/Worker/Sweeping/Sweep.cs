using System.Diagnostics;
using MassTransit;
using Mavi.Ledger;
using Mavi.Worker.Joining;
using Mavi.Worker.Messaging;
using Mavi.Worker.Operating;
using Mavi.Worker.Submitting;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Sweeping;

/// <summary>What time alone brings about, every <c>Worker:SweepInterval</c>: leases that ended, deadlines, doubt that resolves itself, events that are owed.</summary>
public sealed partial class Sweep(
    IEnumerable<Operation> operations, SubmissionSweeps submissions, TaskSweeps tasks, OperatorLedger decisions, CallbackLedger callbacks,
    Announcements announcements, Announcer announcer, Retention retention, LedgerView view, IBus bus, Preparation preparation, WorkerIdentity identity, IOptions<WorkerOptions> options,
    TimeProvider time, ILogger<Sweep> logger) : BackgroundService
{
    /// <summary>Whoever takes an event to publish has this long; then another does.</summary>
    static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    /// <summary>A callback is unclaimed only when its submission had this long to be recorded.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    static readonly TimeSpan PurgeEvery = TimeSpan.FromHours(1);

    readonly WorkerOptions _options = options.Value;
    DateTimeOffset _purgedAt = DateTimeOffset.MinValue;

    /// <summary>Looks through the ledger once.</summary>
    public async Task<SweepReport> RunOnceAsync(CancellationToken stopping)
    {
        var actor = identity.Name;
        var report = new SweepReport
        {
            LeasesExpired = await submissions.ExpireLeasesAsync(actor, stopping),
            Resubmitted = _options.OnUncertain == OnUncertain.Resubmit ? await submissions.ResubmitUncertainAsync(actor, stopping) : 0,
            Adopted = _options.ExclusiveAccount ? await AdoptAsync(stopping) : 0,
            UncertainEnded = await submissions.EndUncertainAsync(_options.LostAfter, actor, stopping),
            GivenUp = await submissions.GiveUpAsync(_options.GiveUpAfter, actor, stopping),
            TasksExpired = await tasks.ExpireAsync(_options.OverdueAfter, _options.LostAfter, actor, stopping),
            CallbacksMatched = await MatchAsync(stopping),
            Unjoined = await submissions.OweUnjoinedAsync(Grace, stopping),
            Purged = await PurgeAsync(stopping),
        };
        return report with { Announced = await AnnounceAsync(stopping) };
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_options.SweepInterval, time);
        try
        {
            await preparation.Done.WaitAsync(stoppingToken);
            do
            {
                try
                {
                    if (await RunOnceAsync(stoppingToken) is { DidSomething: true } report)
                        LogSwept(report);
                }
                catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
                {
                    // Whatever it is: a sweep that ends takes the Worker with it, or, ending in silence, every deadline.
                    LogFailed(failed.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    async Task<int> AdoptAsync(CancellationToken stopping)
    {
        var adopted = 0;
        foreach (var operation in operations)
        {
            var note = new HistoryNote("Adopted", identity.Name, """{"because":"the only uncertain request that fits, on an exclusive account"}""");
            while (await decisions.AdoptOnlyFitAsync(operation.Name, Grace, note, stopping) is { } row)
            {
                adopted++;
                LogAdopted(row.RequestId, row.TaskId);
            }
        }

        return adopted;
    }

    async Task<int> MatchAsync(CancellationToken stopping)
    {
        var ours = await callbacks.TakeOursAsync(Hold, stopping);
        foreach (var callback in ours)
        {
            await bus.PublishAsync(CallbackReceivedConsumer.FailureOf(callback));
            await callbacks.SettleAsync(callback.Id, stopping);
        }

        return ours.Count;
    }

    /// <summary>Publishes what transitions without a message owe; the mark goes when the broker has confirmed. What a newer worker's operation owes is left to it.</summary>
    async Task<int> AnnounceAsync(CancellationToken stopping)
    {
        var requests = await announcements.TakeSubmissionsAsync(Hold, stopping);
        foreach (var owed in requests.Where(owed => announcer.Knows(owed.Row.Operation)))
        {
            using var span = Traces.Start("mavi.announce", await TraceOfAsync(owed.Row.RequestId, stopping))?.About(owed.Row);
            await announcer.PublishAsync(owed.Row);
            await announcements.ClearAsync(owed, stopping);
        }

        var ended = await announcements.TakeTasksAsync(Hold, stopping);
        foreach (var owed in ended.Where(owed => announcer.Knows(owed.Row.Operation)))
        {
            using var span = Traces.Start("mavi.announce", await TraceOfAsync(owed.Row.RequestId!, stopping))?.About(owed.Row);
            await announcer.PublishAsync(owed.Row);
            await announcements.ClearAsync(owed, stopping);
        }

        return requests.Count + ended.Count;
    }

    /// <summary>The trace in which the request came: what time brings about is a trace of its own, linked to it.</summary>
    async Task<ActivityContext?> TraceOfAsync(string requestId, CancellationToken stopping) =>
        Traces.AreOn ? await view.TraceOfAsync(Guid.Parse(requestId), stopping) : null;

    async Task<int> PurgeAsync(CancellationToken stopping)
    {
        if (time.GetUtcNow() - _purgedAt < PurgeEvery)
            return 0;
        _purgedAt = time.GetUtcNow();
        return await retention.PurgeAsync(_options.Retention, stopping);
    }

    [LoggerMessage(LogLevel.Information, "Swept: {Report}")]
    partial void LogSwept(SweepReport report);

    [LoggerMessage(LogLevel.Warning, "The sweep is repeated at its next time: {Reason}")]
    partial void LogFailed(string reason);

    [LoggerMessage(LogLevel.Information, "Adopted {RequestId} as {TaskId}: the only uncertain request that fits, on an exclusive account")]
    partial void LogAdopted(string requestId, string? taskId);
}

/// <summary>What one sweep did.</summary>
public sealed record SweepReport
{
    /// <summary>Requests that became uncertain because nobody answered for their POST any more.</summary>
    public int LeasesExpired { get; init; }
    /// <summary>Uncertain requests to be submitted again.</summary>
    public int Resubmitted { get; init; }
    /// <summary>Uncertain requests that found their task.</summary>
    public int Adopted { get; init; }
    /// <summary>Uncertain requests that ended as failed.</summary>
    public int UncertainEnded { get; init; }
    /// <summary>Deferred requests that ended as failed.</summary>
    public int GivenUp { get; init; }
    /// <summary>Tasks that became overdue or lost.</summary>
    public int TasksExpired { get; init; }
    /// <summary>Kept callbacks that turned out to be ours.</summary>
    public int CallbacksMatched { get; init; }
    /// <summary>Requests whose callback waits although they were recorded as submitted: their event is owed again.</summary>
    public int Unjoined { get; init; }
    /// <summary>Events published that were owed.</summary>
    public int Announced { get; init; }
    /// <summary>Rows forgotten.</summary>
    public int Purged { get; init; }

    /// <summary>True where anything happened.</summary>
    public bool DidSomething => LeasesExpired + Resubmitted + Adopted + UncertainEnded + GivenUp + TasksExpired + CallbacksMatched + Unjoined + Announced + Purged > 0;
}
