using MassTransit;

namespace Mavi.Worker.Messaging;

/// <summary>The queues other services and operators rely on, and how each is kept and retried.</summary>
public static class Queues
{
    /// <summary>Commands to split a video.</summary>
    public const string SplitVideo = "mavi-split-video";
    /// <summary>Commands to extract frames.</summary>
    public const string ExtractFrames = "mavi-extract-frames";
    /// <summary>The saga's queue.</summary>
    public const string Task = "mavi-task";
    /// <summary>The operator's commands.</summary>
    public const string Operator = "mavi-operator";
    /// <summary>Callbacks that are no typed event.</summary>
    public const string Callbacks = "mavi-callbacks";

    /// <summary>A quorum queue drops a message after so many failed deliveries unless it has a dead-letter target: it has one.</summary>
    internal const int DeliveryLimit = 20;

    /// <summary>Every queue of the Worker.</summary>
    internal static readonly IReadOnlyList<string> All = [SplitVideo, ExtractFrames, Task, Operator, Callbacks];

    /// <summary>Applied by every endpoint definition: which messages the queue takes, how they are read, what happens when they fail.</summary>
    public static void UseQueueDefaults(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context, params Type[] types)
    {
        endpoint.PublishFaults = false;
        endpoint.AddDeserializer(new EnvelopeDeserializer(types));
        endpoint.AddDeserializer(new PlainJsonDeserializer(types), isDefault: true);
        if (endpoint is IRabbitMqReceiveEndpointConfigurator rabbit)
            rabbit.UseQuorumQueue();

        ((IPipeConfigurator<ConsumeContext>)endpoint).UseFilter(new CallerTrace());
        ((IPipeConfigurator<ConsumeContext>)endpoint).UseFilter(new HandBack(context.GetRequiredService<TimeProvider>()));
        endpoint.UseMessageRetry(retry =>
        {
            retry.Ignore<UnusableMessageException>();
            retry.Intervals(50, 200, 1000);
        });
    }

    static void UseQuorumQueue(this IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        var queue = endpoint.InputAddress.AbsolutePath.Split('/')[^1];
        foreach (var (name, value) in ArgumentsOf(queue))
            endpoint.SetQueueArgument(name, value);
        endpoint.BindDeadLetterQueue(ErrorOf(queue), ErrorOf(queue), KeepErrors);
    }

    /// <summary>How a queue is declared, by whomever.</summary>
    internal static Dictionary<string, object?> ArgumentsOf(string queue) => new()
    {
        ["x-queue-type"] = "quorum",
        ["x-delivery-limit"] = DeliveryLimit,
        // A dead letter is stored in the error queue before it leaves this one; that takes a queue that refuses rather than drops.
        ["x-dead-letter-exchange"] = ErrorOf(queue),
        ["x-dead-letter-strategy"] = "at-least-once",
        ["x-overflow"] = "reject-publish",
    };

    static string ErrorOf(string queue) => queue + "_error";

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
