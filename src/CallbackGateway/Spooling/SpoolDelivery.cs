using Mavi.CallbackGateway.Classifying;
using Mavi.CallbackGateway.Publishing;

namespace Mavi.CallbackGateway.Spooling;

/// <summary>Takes single callbacks out of the spool, publishes them, and forgets those that a queue has; knows what need not be tried again, and complains once.</summary>
sealed partial class SpoolDelivery(Spool spool, EventPublisher publisher, GatewayMetrics metrics, ILogger<SpoolDelivery> logger)
{
    /// <summary>The event of each callback that was tried in vain: those without a queue need not be read again and again.</summary>
    readonly Dictionary<string, string> _eventOf = [];

    /// <summary>What was complained about; each file and event once.</summary>
    readonly HashSet<string> _said = [];

    /// <summary>The events that had no queue in this pass.</summary>
    readonly HashSet<string> _withoutQueue = [];

    /// <summary>Queues may have been bound since the last one.</summary>
    public void BeginPass() => _withoutQueue.Clear();

    /// <summary>A callback out of its file; null where its event has no queue, or it cannot be read.</summary>
    public async Task<SpooledCallback?> TryTakeAsync(SpoolFile file)
    {
        if (_eventOf.TryGetValue(file.Name, out var known) && _withoutQueue.Contains(known))
            return null;

        var body = await TryReadAsync(file);
        if (body is null)
            return null;

        var callback = CallbackClassifier.Classify(body.Memory, file.ReceivedAt).Of(body.Length, file.BodyHash);
        if (!_withoutQueue.Contains(callback.Name))
            return new(file, body, callback);

        body.Dispose();
        _eventOf[file.Name] = callback.Name;
        return null;
    }

    /// <summary>Publishes it. The event is on its way when this returns its task: one that is sent later does not overtake it.</summary>
    public async Task<PublishResult> SendAsync(SpooledCallback spooled)
    {
        using var span = GatewayTraces.StartDrain();
        GatewayTraces.Tell(spooled.Callback);
        return await publisher.PublishSpooledAsync(spooled.Callback, spooled.Callback.MessageId(spooled.File.BodyHash));
    }

    /// <summary>Draws the conclusion. One attempt at a time.</summary>
    public void Settle(SpooledCallback spooled, PublishResult result)
    {
        var (file, body, callback) = spooled;
        body.Dispose();
        switch (result.Outcome)
        {
            case PublishOutcome.Confirmed:
                spool.Remove(file);
                _eventOf.Remove(file.Name);
                _said.Remove(file.Name);
                _said.Remove(callback.Name);
                metrics.Drained(callback.Name);
                break;
            case PublishOutcome.Returned:
                _eventOf[file.Name] = callback.Name;
                _withoutQueue.Add(callback.Name);
                if (_said.Add(callback.Name))
                    LogWithoutQueue(callback.Name);
                break;
            case PublishOutcome.Refused when _said.Add(file.Name):
                LogRefused(callback.TaskId, callback.Name, file.Name, result.Reason);
                break;
        }
    }

    async Task<PooledBytes?> TryReadAsync(SpoolFile file)
    {
        try
        {
            return await spool.ReadAsync(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (_said.Add(file.Name))
                LogUnreadable(file.Name, exception.Message);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "No queue is bound to the exchange Mavi.Contracts:{Event}: its callbacks wait in the spool. Start the Worker, or bind a queue")]
    partial void LogWithoutQueue(string @event);

    [LoggerMessage(LogLevel.Error, "Task {TaskId}: the broker refuses {Event} out of the spool ({File}), it waits there: {Reason}")]
    partial void LogRefused(string? taskId, string @event, string file, string? reason);

    [LoggerMessage(LogLevel.Error, "{File} cannot be read, it waits in the spool: {Reason}")]
    partial void LogUnreadable(string file, string reason);
}

/// <summary>A callback that was read out of the spool.</summary>
readonly record struct SpooledCallback(SpoolFile File, PooledBytes Body, CallbackEvent Callback);
