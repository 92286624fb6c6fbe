using System.Diagnostics.Metrics;
using Mavi.CallbackGateway.Spooling;

namespace Mavi.CallbackGateway;

/// <summary>The meter <c>Mavi.CallbackGateway</c>.</summary>
sealed class GatewayMetrics
{
    public const string MeterName = "Mavi.CallbackGateway";

    readonly Counter<long> _taken;
    readonly Counter<long> _refused;
    readonly Counter<long> _drained;

    public GatewayMetrics(IMeterFactory meters, Spool spool)
    {
        var meter = meters.Create(MeterName);
        _taken = meter.CreateCounter<long>(
            "mavi.gateway.callbacks.taken", "{callback}", "Callbacks by event and where they are kept: InQueue, InSpool, Nowhere (answered 503).");
        _refused = meter.CreateCounter<long>(
            "mavi.gateway.callbacks.refused", "{callback}", "Requests that were not taken: wrong_secret, too_large, too_slow, broken.");
        _drained = meter.CreateCounter<long>("mavi.gateway.spool.drained", "{callback}", "Callbacks that left the spool for a queue.");
        meter.CreateObservableGauge("mavi.gateway.spool.depth", () => Measure(spool.Count()), "{callback}", "Callbacks that wait in the spool.");
        meter.CreateObservableGauge("mavi.gateway.spool.rejected", () => Measure(spool.CountRejected()), "{file}", "Files that were moved aside.");
    }

    public void Taken(string name, Kept kept) => _taken.Add(1, new("event", name), new("kept", kept.ToString()));

    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Drained(string name) => _drained.Add(1, new KeyValuePair<string, object?>("event", name));

    /// <summary>Nothing where the directory cannot be read: a 0 would say that all is well.</summary>
    static Measurement<int>[] Measure(int? count) => count is { } known ? [new(known)] : [];
}
