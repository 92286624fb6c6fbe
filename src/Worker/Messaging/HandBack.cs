using System.Data.Common;
using MassTransit;

namespace Mavi.Worker.Messaging;

/// <summary>
/// Gives a message back to its queue when the world around it failed (the ledger, the broker), rather than to the error queue: only what
/// cannot be understood belongs there. The broker's delivery limit ends what never works.
/// </summary>
sealed class HandBack(TimeProvider time) : IFilter<ConsumeContext>
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        try
        {
            await next.Send(context);
        }
        catch (Exception exception) when (IsTheWorlds(exception))
        {
            LogContext.Warning?.Log(exception, "Handing a message back to {Queue}, to be delivered again", context.ReceiveContext.InputAddress.AbsolutePath);
            await Task.Delay(Pause, time, context.CancellationToken);
            throw new OperationCanceledException("The message is handed back to its queue.", exception);
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("handBack");

    static bool IsTheWorlds(Exception exception) => exception switch
    {
        SagaException { InnerException: { } inner } => IsTheWorlds(inner),
        AggregateException { InnerException: { } inner } => IsTheWorlds(inner),
        DbException or TimeoutException or TransportException or IOException or System.Net.Sockets.SocketException => true,
        // A connection that was lost takes what is in use with it.
        RabbitMQ.Client.Exceptions.RabbitMQClientException or ObjectDisposedException => true,
        _ => false,
    };
}
