using System.Diagnostics;
using Mavi.CallbackGateway.Classifying;
using Mavi.CallbackGateway.Publishing;

namespace Mavi.CallbackGateway;

/// <summary>
/// The gateway's own spans, on the source <c>Mavi.CallbackGateway</c>; null, and free of cost, while nobody listens. They stand for the web server's, whose
/// path holds the secret.
/// </summary>
static class GatewayTraces
{
    public const string SourceName = "Mavi.CallbackGateway";

    static readonly ActivitySource Source = new(SourceName);

    /// <summary>A callback with a right secret. Always a trace of its own: Mavi sends none, and what others send must not decide about ours.</summary>
    public static Activity? StartCallback()
    {
        if (!Source.HasListeners())
            return null;
        Activity.Current = null;
        return Source.StartActivity("POST /callbacks/mavi/{secret}", ActivityKind.Server)
            ?.SetTag("http.request.method", "POST").SetTag("http.route", "/callbacks/mavi/{secret}");
    }

    /// <summary>A callback on its way from the spool to its queue: the trace of its arrival ended long ago, and the task id is what both have.</summary>
    public static Activity? StartDrain() => Source.StartActivity("mavi.drain");

    /// <summary>An event on its way to its exchange.</summary>
    public static Activity? StartSend(CallbackEvent callback) => !Source.HasListeners() ? null
        : Source.StartActivity($"{Envelope.ExchangeOf(callback.Name)} send", ActivityKind.Producer)
            ?.SetTag("messaging.system", "rabbitmq").SetTag("messaging.operation", "send").SetTag("messaging.destination.name", Envelope.ExchangeOf(callback.Name));

    /// <summary>Which callback the current span is about.</summary>
    public static void Tell(CallbackEvent callback) => Activity.Current?.SetTag("mavi.task_id", callback.TaskId).SetTag("mavi.event", callback.Name);

    public static void Ends(this Activity span, Kept kept, int status)
    {
        span.SetTag("mavi.kept", kept.ToString()).SetTag("http.response.status_code", status);
        if (kept is Kept.Nowhere)
            span.SetStatus(ActivityStatusCode.Error);
    }
}
