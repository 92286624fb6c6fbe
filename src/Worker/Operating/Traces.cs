using System.Diagnostics;
using Mavi.Ledger;

namespace Mavi.Worker.Operating;

/// <summary>The Worker's own spans, on the source <c>Mavi.Worker</c>; null, and free of cost, while nobody listens. <c>docs/observability.md</c> lists them.</summary>
static class Traces
{
    public const string SourceName = "Mavi.Worker";

    public const string Operation = "mavi.operation";
    public const string State = "mavi.state";

    const string RequestId = "mavi.request_id";
    const string TaskId = "mavi.task_id";
    const string Join = "mavi.join";

    static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether somebody listens: only then is a link worth a look into the ledger.</summary>
    public static bool AreOn => Source.HasListeners();

    /// <summary>Begins a span under the current one, or a trace of its own where there is none.</summary>
    /// <param name="name">What is done.</param>
    /// <param name="link">Another trace of the same request.</param>
    public static Activity? Start(string name, ActivityContext? link = null) =>
        Source.StartActivity(name, ActivityKind.Internal, default(ActivityContext), links: link is { } other ? [new ActivityLink(other)] : null);

    /// <summary>Begins the span of an event that meets its task. The library names what it does under it after the operation: that stays the message's.</summary>
    public static Activity? StartJoin()
    {
        var span = Start(Activity.Current?.OperationName ?? Join);
        if (span is not null)
            span.DisplayName = Join;
        return span;
    }

    /// <summary>Goes on with a message in the trace that its sender names.</summary>
    public static Activity? StartProcessing(string name, ActivityContext parent) => Source.StartActivity(name, ActivityKind.Consumer, parent);

    /// <summary>Which request the span is about.</summary>
    public static Activity About(this Activity span, SubmissionRequest request) =>
        span.SetTag(RequestId, request.RequestId.ToString()).SetTag(Operation, request.Operation);

    /// <summary>How a request stands.</summary>
    public static Activity About(this Activity span, SubmissionRow row)
    {
        span.SetTag(RequestId, row.RequestId).SetTag(Operation, row.Operation).SetTag(State, row.State.ToString()).SetTag(TaskId, row.TaskId);
        return row.State is SubmissionState.Uncertain or SubmissionState.Rejected or SubmissionState.Failed ? span.SetStatus(ActivityStatusCode.Error, row.Reason) : span;
    }

    /// <summary>How a task stands.</summary>
    public static Activity About(this Activity span, TaskRow row) =>
        span.SetTag(TaskId, row.TaskId).SetTag(RequestId, row.RequestId).SetTag(Operation, row.Operation).SetTag(State, row.State);
}
