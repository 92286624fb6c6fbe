using Mavi.CallbackGateway.Classifying;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>How an attempt to publish ended.</summary>
enum PublishOutcome
{
    /// <summary>A queue has it.</summary>
    Confirmed,

    /// <summary>No queue is bound to the event's exchange.</summary>
    Returned,

    /// <summary>The broker refused this one event.</summary>
    Refused,

    /// <summary>No answer in time, or no connection. It may have arrived all the same: another attempt carries the same message id.</summary>
    Unanswered,
}

/// <summary>An attempt to publish; <paramref name="Reason"/> is why it failed.</summary>
readonly record struct PublishResult(PublishOutcome Outcome, string? Reason = null)
{
    /// <summary>A queue has it.</summary>
    public static readonly PublishResult Confirmed = new(PublishOutcome.Confirmed);

    /// <summary>No queue is bound to the event's exchange.</summary>
    public static readonly PublishResult Returned = new(PublishOutcome.Returned, "No queue is bound to its exchange.");
}

/// <summary>The way of events to their queues.</summary>
interface IEventChannel
{
    /// <summary>
    /// Publishes an event so that the answer says whether a queue has it. Ends when that is known, however long it takes, and throws nothing; the caller
    /// sets the limit. Events arrive in the order of the calls where the channel can keep it.
    /// </summary>
    Task<PublishResult> PublishAsync(CallbackEvent callback, Guid messageId);
}
