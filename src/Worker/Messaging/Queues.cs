using MassTransit;

namespace Mavi.Worker.Messaging;

/// <summary>The queues other services and operators rely on, and how each is kept and retried.</summary>
public static class Queues
{
    /// <summary>The saga's queue.</summary>
    public const string Task = "mavi-task";
    /// <summary>The operator's commands.</summary>
    public const string Operator = "mavi-operator";
    /// <summary>Callbacks that are no typed event.</summary>
    public const string Callbacks = "mavi-callbacks";

    /// <summary>A quorum queue drops a message after so many failed deliveries unless it has a dead-letter target: it has one.</summary>
    const int DeliveryLimit = 20;

    /// <summary>Applied by every endpoint definition: which messages the queue takes, how they are read, what happens when they fail.</summary>
    public static void UseQueueDefaults(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context, params Type[] types)
    {
        endpoint.PublishFaults = false;
        endpoint.AddDeserializer(new EnvelopeDeserializer(types));
        endpoint.AddDeserializer(new PlainJsonDeserializer(types), isDefault: true);
        if (endpoint is IRabbitMqReceiveEndpointConfigurator rabbit)
            rabbit.UseQuorumQueue();

        ((IPipeConfigurator<ConsumeContext>)endpoint).UseFilter(new HandBack(context.GetRequiredService<TimeProvider>()));
        endpoint.UseMessageRetry(retry =>
        {
            retry.Ignore<UnusableMessageException>();
            retry.Intervals(50, 200, 1000);
        });
    }

    static void UseQuorumQueue(this IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        var error = endpoint.InputAddress.AbsolutePath.Split('/')[^1] + "_error";
        endpoint.SetQuorumQueue();
        endpoint.SetQueueArgument("x-delivery-limit", DeliveryLimit);
        // A dead letter is stored in the error queue before it leaves this one; that takes a queue that refuses rather than drops.
        endpoint.SetQueueArgument("x-dead-letter-strategy", "at-least-once");
        endpoint.SetQueueArgument("x-overflow", "reject-publish");
        endpoint.BindDeadLetterQueue(error, error, KeepErrors);
    }

    /// <summary>The error queues are quorum queues too, and end there: no limit, no dead letters of their own.</summary>
    public static void KeepErrors(IRabbitMqQueueBindingConfigurator queue)
    {
        queue.SetQuorumQueue();
        queue.SetQueueArgument("x-delivery-limit", null);
        queue.SetQueueArgument("x-dead-letter-strategy", null);
        queue.SetQueueArgument("x-overflow", null);
        queue.SetQueueArgument("x-dead-letter-exchange", null);
    }
}
