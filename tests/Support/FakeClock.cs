namespace Mavi.Tests.Support;

/// <summary>A clock that stands still until it is advanced, timers included: they fire in order, on the thread that advances it.</summary>
public sealed class FakeClock(DateTimeOffset start) : TimeProvider
{
    readonly Lock gate = new();
    readonly List<FakeTimer> timers = [];
    DateTimeOffset now = start;

    public FakeClock()
        : this(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero))
    {
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>How many timers wait: what a test awaits before it advances the clock for somebody who is to wait first.</summary>
    public int WaitingTimers
    {
        get
        {
            lock (gate)
                return timers.Count(timer => timer.Due != null);
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock on, stopping at every timer that is due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var end = GetUtcNow() + by;
        while (NextDue(end) is { } timer)
            timer.Fire();

        lock (gate)
            now = end > now ? end : now;
    }

    FakeTimer? NextDue(DateTimeOffset end)
    {
        lock (gate)
        {
            var next = timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (next != null)
            {
                now = next.Due > now ? next.Due.Value : now;
                next.Rewind();
            }

            return next;
        }
    }

    sealed class FakeTimer(FakeClock clock, Action fire) : ITimer
    {
        TimeSpan period;
        bool disposed;

        public DateTimeOffset? Due { get; private set; }

        public Action Fire => fire;

        /// <summary>A period starts where the last one ended; one of no length is a timer for one time.</summary>
        public void Rewind() => Due = period > TimeSpan.Zero ? Due + period : null;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                if (disposed)
                    return false;
                this.period = period;
                Due = dueTime < TimeSpan.Zero ? null : clock.now + dueTime;
                clock.timers.Remove(this);
                clock.timers.Add(this);
            }

            if (dueTime == TimeSpan.Zero)
                clock.Advance(TimeSpan.Zero);
            return true;
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                (Due, disposed) = (null, true);
                clock.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
