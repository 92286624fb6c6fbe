using System.Diagnostics.Metrics;
using Mavi.Client;
using Mavi.Ledger;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Operating;

/// <summary>What this Worker did, on the meter <c>Mavi.Worker</c>: add over the Workers. <c>docs/observability.md</c> has the table.</summary>
public sealed class WorkerMetrics
{
    internal const string MeterName = "Mavi.Worker";

    /// <summary>Seconds; a slot is waited for as long as the queue of deferred requests and other Workers make it.</summary>
    static readonly InstrumentAdvice<double> Waits = new() { HistogramBucketBoundaries = [0.005, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60] };

    /// <summary>Seconds; milliseconds where all is well, hours where a callback lay in the spool or waited for its submission.</summary>
    static readonly InstrumentAdvice<double> Joins = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 60, 600, 3600] };

    readonly Counter<long> _slots;
    readonly Histogram<double> _slotWait;
    readonly Histogram<double> _callbackToOutcome;
    readonly TimeProvider _time;

    /// <summary>Makes the instruments.</summary>
    public WorkerMetrics(IMeterFactory meters, IEnumerable<Operation> operations, IOptions<MaviOptions> mavi, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _time = time;
        var meter = meters.Create(MeterName);
        _slots = meter.CreateCounter<long>("mavi.slots.used", "{slot}", "Slots of the account's rate that a POST took, by operation and the state the POST left its request in.");
        _slotWait = meter.CreateHistogram("mavi.slot.wait.duration", "s", "From asking for a slot to the POST, by operation.", tags: null, Waits);
        _callbackToOutcome = meter.CreateHistogram(
            "mavi.callback.outcome.duration", "s", "From the Gateway's receipt of a callback to the broker's confirm of the outcome, by operation and state.", tags: null, Joins);
        var limits = operations.Select(operation => new Measurement<double>(mavi.Value.RequestsPerSecond, new KeyValuePair<string, object?>(Traces.Operation, operation.Name))).ToArray();
        meter.CreateObservableGauge("mavi.slots.limit", () => limits, "{slot}/s", "Slots a second that the account has, by operation: one figure for all Workers.");
    }

    internal void SlotTaken(string operation, TimeSpan waited) => _slotWait.Record(waited.TotalSeconds, new KeyValuePair<string, object?>(Traces.Operation, operation));

    internal void PostEnded(string operation, SubmissionState state) => _slots.Add(1, new(Traces.Operation, operation), new(Traces.State, state.ToString()));

    /// <summary>The Gateway's clock against ours: where ours is behind, it is as if no time had passed.</summary>
    internal void OutcomePublished(TaskRow task)
    {
        if (task.ReceivedAt is { } receivedAt && _callbackToOutcome.Enabled)
            _callbackToOutcome.Record(
                Math.Max(0, (_time.GetUtcNow() - receivedAt.ToTime()).TotalSeconds), new(Traces.Operation, task.Operation), new(Traces.State, task.State));
    }
}
