using System.Diagnostics;
using MassTransit;
using Mavi.Worker.Operating;

namespace Mavi.Worker.Messaging;

/// <summary>
/// Goes on in the trace of a caller that is no MassTransit: it names its span in the AMQP header <c>traceparent</c>. The library knows only its own header,
/// and has begun a trace that nobody needs.
/// </summary>
sealed class CallerTrace : IFilter<ConsumeContext>
{
    const string Parent = "traceparent";
    const string State = "tracestate";
    const string Own = "MT-Activity-Id";

    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        if (Activity.Current is not { } began || ParentOf(context.ReceiveContext.TransportHeaders) is not { } parent)
        {
            await next.Send(context);
            return;
        }

        began.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        using var span = Traces.StartProcessing(began.OperationName, parent);
        await next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("callerTrace");

    static ActivityContext? ParentOf(Headers headers) =>
        !headers.TryGetHeader(Own, out _)
        && headers.TryGetHeader(Parent, out var parent)
        && ActivityContext.TryParse(parent as string, headers.TryGetHeader(State, out var state) ? state as string : null, isRemote: true, out var context)
            ? context
            : null;
}
