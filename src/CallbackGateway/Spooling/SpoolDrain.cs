using Mavi.CallbackGateway.Classifying;
using Mavi.CallbackGateway.Publishing;

namespace Mavi.CallbackGateway.Spooling;

/// <summary>
/// Brings the spool's callbacks to their queues, in the order of arrival, whenever the broker is there; also finds out that it takes events
/// again. What has no queue, is refused or cannot be read waits without holding up the rest.
/// </summary>
sealed partial class SpoolDrain(
    Spool spool, EventPublisher publisher, BrokerState broker, GatewayMetrics metrics, TimeProvider time, ILogger<SpoolDrain> logger) : BackgroundService
{
    static readonly TimeSpan Often = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Seldom = TimeSpan.FromSeconds(8);
    const int MostUnansweredInARow = 3;

    /// <summary>The event of each callback that was tried in vain: those without a queue need not be read again and again.</summary>
    readonly Dictionary<string, string> _eventOf = [];

    /// <summary>What was complained about; each file and event once.</summary>
    readonly HashSet<string> _said = [];

    int _witness;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Often, time);
        try
        {
            do
            {
                // Where nothing moves although the broker answers, something must be changed first: a queue bound, a limit raised.
                var (drained, left) = broker.IsReachable ? await TryDrainAsync(stoppingToken) : (0, 0);
                var stuck = drained == 0 && left > 0 && !broker.IsAway;
                timer.Period = !stuck ? Often : timer.Period * 2 < Seldom ? timer.Period * 2 : Seldom;
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end, in order. A host whose start failed would log it as a fault of ours.
        }
    }

    async Task<(int Drained, int Left)> TryDrainAsync(CancellationToken stop)
    {
        try
        {
            var files = spool.List();
            _said.Remove("");
            var drained = await DrainAsync(files, stop);
            if (drained > 0)
                LogDrained(drained, spool.Count());
            return (drained, files.Count - drained);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (_said.Add(""))
                LogUnreadable("The spool", exception.Message);
            return (0, 0);
        }
    }

    /// <summary>Tries each file once; returns how many left. Stops when the broker does not answer.</summary>
    async Task<int> DrainAsync(List<SpoolFile> files, CancellationToken stop)
    {
        var waiting = new Queue<SpoolFile>(files);
        var withoutQueue = new HashSet<string>();
        var (drained, answered, unanswered) = (0, false, 0);
        while (unanswered < MostUnansweredInARow && broker.IsReachable && !stop.IsCancellationRequested && waiting.TryDequeue(out var file))
        {
            var outcome = await DrainOneAsync(file, withoutQueue);
            drained += outcome is PublishOutcome.Confirmed ? 1 : 0;
            if (outcome is not PublishOutcome.Unanswered)
            {
                answered |= outcome is not null;
                unanswered = 0;
                continue;
            }

            unanswered++;
            if (answered || waiting.Count == 0)
                continue;

            // Is it this one, or the broker? Another one tells; each time a different one, because that may be a bad one too.
            var witness = waiting.ElementAt(_witness++ % waiting.Count);
            outcome = await DrainOneAsync(witness, withoutQueue);
            if (outcome is PublishOutcome.Unanswered or null)
                break;
            drained += outcome is PublishOutcome.Confirmed ? 1 : 0;
            answered = true;
            waiting = new(waiting.Where(other => other != witness));
        }

        return drained;
    }

    /// <summary>Publishes one callback and forgets it when a queue has it; null where there was nothing to try.</summary>
    async Task<PublishOutcome?> DrainOneAsync(SpoolFile file, HashSet<string> withoutQueue)
    {
        if (_eventOf.TryGetValue(file.Name, out var known) && withoutQueue.Contains(known))
            return null;

        using var body = await TryReadAsync(file);
        if (body is null)
            return null;

        var callback = CallbackClassifier.Classify(body.Span, file.ReceivedAt).Of(body.Length, file.BodyHash);
        if (withoutQueue.Contains(callback.Name))
        {
            _eventOf[file.Name] = callback.Name;
            return null;
        }

        using var span = GatewayTraces.StartDrain();
        GatewayTraces.Tell(callback);
        var (outcome, reason) = await publisher.PublishSpooledAsync(callback, callback.MessageId(file.BodyHash));
        switch (outcome)
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
                withoutQueue.Add(callback.Name);
                if (_said.Add(callback.Name))
                    LogWithoutQueue(callback.Name);
                break;
            case PublishOutcome.Refused when _said.Add(file.Name):
                LogRefused(callback.TaskId, callback.Name, file.Name, reason);
                break;
        }

        return outcome;
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

    [LoggerMessage(LogLevel.Information, "{Drained} callbacks left the spool for their queues, {Left} remain")]
    partial void LogDrained(int drained, int? left);

    [LoggerMessage(LogLevel.Warning, "No queue is bound to the exchange Mavi.Contracts:{Event}: its callbacks wait in the spool. Start the Worker, or bind a queue")]
    partial void LogWithoutQueue(string @event);

    [LoggerMessage(LogLevel.Error, "Task {TaskId}: the broker refuses {Event} out of the spool ({File}), it waits there: {Reason}")]
    partial void LogRefused(string? taskId, string @event, string file, string? reason);

    [LoggerMessage(LogLevel.Error, "{File} cannot be read, it waits in the spool: {Reason}")]
    partial void LogUnreadable(string file, string reason);
}
