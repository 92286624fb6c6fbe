using Mavi.CallbackGateway.Classifying;
using Mavi.CallbackGateway.Publishing;
using Mavi.CallbackGateway.Spooling;

namespace Mavi.CallbackGateway;

/// <summary>Where a callback ended up before its sender is answered.</summary>
enum Kept
{
    InQueue,
    InSpool,
    Nowhere,
}

/// <summary>Brings a callback to a queue, else to the spool. Nobody may be told that it is safe before it is.</summary>
sealed partial class CallbackIntake(EventPublisher publisher, BrokerState broker, Spool spool, ILogger<CallbackIntake> logger)
{
    public async Task<(Kept Kept, string Event)> TakeAsync(ReadOnlyMemory<byte> body, DateTimeOffset receivedAt)
    {
        var hash = CallbackEvent.HashOf(body.Span);
        var callback = CallbackClassifier.Classify(body, receivedAt).Of(body.Length, hash);
        var messageId = callback.MessageId(hash);
        GatewayTraces.Tell(callback);

        var reason = "The broker is away.";
        var tried = !broker.IsAway;
        var kept = tried && await InQueueAsync() ? Kept.InQueue
            : await InSpoolAsync() ? Kept.InSpool
            // Broker and disk would both have to fail: the broker was only presumed to be away.
            : !tried && await InQueueAsync() ? Kept.InQueue
            : Kept.Nowhere;
        if (kept is Kept.InQueue)
            LogInQueue(callback.TaskId, callback.Name, messageId, body.Length);
        else
            LogNotInQueue(kept is Kept.Nowhere ? LogLevel.Error : LogLevel.Information, callback.TaskId, callback.Name, messageId, body.Length, kept, reason);
        return (kept, callback.Name);

        async Task<bool> InQueueAsync()
        {
            var result = await publisher.PublishAsync(callback, messageId, body.Length);
            reason = result.Reason;
            return result.Outcome is PublishOutcome.Confirmed;
        }

        async Task<bool> InSpoolAsync()
        {
            try
            {
                await spool.AddAsync(body, hash, receivedAt);
                return true;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                LogSpoolFailed(callback.TaskId, exception.Message);
                return false;
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Task {TaskId}: {Event} {MessageId} of {Size} bytes is kept InQueue")]
    partial void LogInQueue(string? taskId, string @event, Guid messageId, int size);

    [LoggerMessage("Task {TaskId}: {Event} {MessageId} of {Size} bytes is kept {Kept}. {Reason}")]
    partial void LogNotInQueue(LogLevel level, string? taskId, string @event, Guid messageId, int size, Kept kept, string? reason);

    [LoggerMessage(LogLevel.Error, "Task {TaskId}: the spool did not take the callback: {Reason}")]
    partial void LogSpoolFailed(string? taskId, string reason);
}
