using MassTransit;
using Mavi.CallbackGateway.Classifying;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>The bus of a host that brings its own, such as one in memory.</summary>
sealed class BusChannel(IBus bus) : IEventChannel
{
    public async Task<PublishResult> PublishAsync(CallbackEvent callback, Guid messageId)
    {
        try
        {
            var message = callback.Detached();
            await bus.Publish(message, message.GetType(), context =>
            {
                context.MessageId = messageId;
                // A confirm alone does not mean that a queue took it; mandatory makes a broker return what none did.
                context.Mandatory = true;
            });
            return PublishResult.Confirmed;
        }
        catch (Exception exception) when (exception is OperationCanceledException or ConnectionException or IOException)
        {
            return new(PublishOutcome.Unanswered, exception.GetBaseException().Message);
        }
#pragma warning disable CA1031 // Whatever else the library throws concerns this event alone; it is not lost, the spool takes it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new(PublishOutcome.Refused, exception.GetBaseException().Message);
        }
    }
}
