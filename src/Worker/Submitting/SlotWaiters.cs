namespace Mavi.Worker.Submitting;

/// <summary>
/// The requests of one operation that wait in this process for their slots, each for its own. A slot whose request needs none any more, because another copy of the
/// command was faster, goes to the one that waits next, whose slot goes to the one after it, and so on: the account loses none.
/// </summary>
sealed class SlotWaiters(TimeProvider time)
{
    /// <summary>A timer may be early by less than this, and a claim that comes too early is made twice.</summary>
    static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(0.5);

    readonly long _began = time.GetTimestamp();
    readonly Lock _lock = new();
    readonly List<Waiter> _waiting = [];

    TimeSpan Now => time.GetElapsedTime(_began);

    /// <summary>Returns when the slot's time has come, or when another slot is to spare.</summary>
    public async Task WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        if (wait <= TimeSpan.Zero)
            return;
        var waiter = new Waiter(Now + wait);
        lock (_lock)
            _waiting.Add(waiter);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var itsTime = Task.Delay(wait + Margin, time, end.Token);
        await Task.WhenAny(itsTime, waiter.Called);
        lock (_lock)
            _waiting.Remove(waiter);
        if (waiter.Called.IsCompleted)
            _ = HandOnAsync(waiter.Due - Now);
        await end.CancelAsync();
        stopping.ThrowIfCancellationRequested();
    }

    /// <summary>A slot is to spare, now.</summary>
    public void HandOn()
    {
        // Called before the lock is left, or its own time could come in between and the slot be nobody's.
        lock (_lock)
        {
            if (_waiting.MinBy(static waiter => waiter.Due) is not { } next)
                return;
            _waiting.Remove(next);
            next.Call();
        }
    }

    async Task HandOnAsync(TimeSpan after)
    {
        if (after > TimeSpan.Zero)
            await Task.Delay(after, time);
        HandOn();
    }

    sealed class Waiter(TimeSpan due)
    {
        readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TimeSpan Due { get; } = due;

        public Task Called => _called.Task;

        public void Call() => _called.TrySetResult();
    }
}
