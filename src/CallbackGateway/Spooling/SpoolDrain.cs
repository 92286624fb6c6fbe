using Mavi.CallbackGateway.Publishing;

namespace Mavi.CallbackGateway.Spooling;

/// <summary>
/// Brings the spool's callbacks to their queues, in the order of arrival, whenever the broker is there; also finds out that it takes events
/// again. What has no queue, is refused or cannot be read waits without holding up the rest. One at a time until the broker has answered, then many.
/// </summary>
sealed partial class SpoolDrain(Spool spool, SpoolDelivery delivery, BrokerState broker, TimeProvider time, ILogger<SpoolDrain> logger) : BackgroundService
{
    static readonly TimeSpan Often = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Seldom = TimeSpan.FromSeconds(8);
    const int MostUnansweredInARow = 3;

    // As many confirms under way as make the broker the slower one of the two; a few bodies of the largest kind are enough for that, too.
    const int MostAtOnce = 128;
    const int MostBytesAtOnce = 4 * 1024 * 1024;

    int _witness;
    bool _unreadable;

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
            _unreadable = false;
            var drained = await DrainAsync(files, stop);
            if (drained > 0)
                LogDrained(drained, spool.Count());
            return (drained, files.Count - drained);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!_unreadable)
                LogUnreadable(exception.Message);
            _unreadable = true;
            return (0, 0);
        }
    }

    /// <summary>Tries each file once; returns how many left. Stops when the broker does not answer.</summary>
    async Task<int> DrainAsync(List<SpoolFile> files, CancellationToken stop)
    {
        delivery.BeginPass();
        var waiting = new Queue<SpoolFile>(files);
        var (drained, answered, unanswered, alone) = (0, false, 0, 1);
        while (unanswered < MostUnansweredInARow && broker.IsReachable && !stop.IsCancellationRequested && waiting.Count > 0)
        {
            if (alone == 0)
            {
                var (left, silent) = await DrainTogetherAsync(waiting);
                drained += left;
                // One of them may have silenced the others: each is tried alone.
                waiting = new(silent.Concat(waiting));
                alone = silent.Count;
                continue;
            }

            var outcome = await DrainOneAsync(waiting.Dequeue());
            drained += outcome is PublishOutcome.Confirmed ? 1 : 0;
            if (outcome is not PublishOutcome.Unanswered)
            {
                answered |= outcome is not null;
                unanswered = 0;
                alone = answered ? alone - 1 : 1;
                continue;
            }

            unanswered++;
            alone = Math.Max(alone - 1, 1);
            if (answered || waiting.Count == 0)
                continue;

            // Is it this one, or the broker? Another one tells; each time a different one, because that may be a bad one too.
            var witness = waiting.ElementAt(_witness++ % waiting.Count);
            outcome = await DrainOneAsync(witness);
            if (outcome is PublishOutcome.Unanswered or null)
                break;
            drained += outcome is PublishOutcome.Confirmed ? 1 : 0;
            answered = true;
            waiting = new(waiting.Where(other => other != witness));
        }

        return drained;
    }

    /// <summary>Sends the next callbacks in their order without waiting for each; returns how many left, and those that had no answer.</summary>
    async Task<(int Drained, List<SpoolFile> Silent)> DrainTogetherAsync(Queue<SpoolFile> waiting)
    {
        var sent = new List<(SpooledCallback Spooled, Task<PublishResult> Result)>();
        for (long bytes = 0; sent.Count < MostAtOnce && bytes < MostBytesAtOnce && waiting.TryDequeue(out var file);)
        {
            if (await delivery.TryTakeAsync(file) is not { } spooled)
                continue;
            bytes += spooled.Body.Length;
            sent.Add((spooled, delivery.SendAsync(spooled)));
        }

        var (drained, silent) = (0, new List<SpoolFile>());
        foreach (var (spooled, sending) in sent)
        {
            var result = await sending;
            delivery.Settle(spooled, result);
            drained += result.Outcome is PublishOutcome.Confirmed ? 1 : 0;
            if (result.Outcome is PublishOutcome.Unanswered)
                silent.Add(spooled.File);
        }

        return (drained, silent);
    }

    /// <summary>Sends one callback and waits for its end; null where there was nothing to try.</summary>
    async Task<PublishOutcome?> DrainOneAsync(SpoolFile file)
    {
        if (await delivery.TryTakeAsync(file) is not { } spooled)
            return null;
        var result = await delivery.SendAsync(spooled);
        delivery.Settle(spooled, result);
        return result.Outcome;
    }

    [LoggerMessage(LogLevel.Information, "{Drained} callbacks left the spool for their queues, {Left} remain")]
    partial void LogDrained(int drained, int? left);

    [LoggerMessage(LogLevel.Error, "The spool cannot be read, its callbacks wait there: {Reason}")]
    partial void LogUnreadable(string reason);
}
