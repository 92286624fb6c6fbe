using System.Diagnostics;
using Mavi.Ledger;

namespace Mavi.Worker.Operating;

/// <summary>The Worker's own spans, on the source <c>Mavi.Worker</c>; null, and free of cost, while nobody listens. <c>docs/observability.md</c> lists them.</summary>
static class Traces
{
    public const string SourceName = "Mavi.Worker";

    public const string RequestId = "mavi.request_id";
    public const string TaskId = "mavi.task_id";
    public const string Operation = "mavi.operation";
    public const string State = "mavi.state";

    static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether somebody listens: only then is a link worth a look into the ledger.</summary>
    public static bool AreOn => Source.HasListeners();

    /// <summary>Begins a span under the current one, or a trace of its own where there is none.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="requestId">For which request, where it is known.</param>
    /// <param name="operation">Of which operation, where it is known.</param>
    /// <param name="link">Another trace of the same request.</param>
    public static Activity? Start(string name, string? requestId = null, string? operation = null, ActivityContext? link = null)
    {
        var span = Source.StartActivity(name, ActivityKind.Internal, default(ActivityContext), links: link is { } other ? [new ActivityLink(other)] : null);
        return span?.SetTag(RequestId, requestId).SetTag(Operation, operation);
    }

    /// <summary>Goes on with a message in the trace that its sender names.</summary>
    public static Activity? StartProcessing(string name, ActivityContext parent) => Source.StartActivity(name, ActivityKind.Consumer, parent);

    /// <summary>Says how the request stands at the end of a span.</summary>
    public static void Ends(this Activity span, SubmissionRow row)
    {
        span.SetTag(State, row.State.ToString()).SetTag(TaskId, row.TaskId);
        if (row.State is SubmissionState.Uncertain or SubmissionState.Rejected or SubmissionState.Failed)
            span.SetStatus(ActivityStatusCode.Error, row.Reason);
    }
}
