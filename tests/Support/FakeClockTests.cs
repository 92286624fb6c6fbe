namespace Mavi.Tests.Support;

public sealed class FakeClockTests
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly FakeClock clock = new();

    [Fact]
    public void It_stands_still_until_it_is_advanced()
    {
        var (before, stamp) = (clock.GetUtcNow(), clock.GetTimestamp());

        Assert.Equal(before, clock.GetUtcNow());
        clock.Advance(TimeSpan.FromMinutes(90));

        Assert.Equal(before.AddMinutes(90), clock.GetUtcNow());
        Assert.Equal(TimeSpan.FromMinutes(90), clock.GetElapsedTime(stamp));
    }

    [Fact]
    public async Task A_delay_ends_when_its_time_has_come_and_not_before()
    {
        var delay = Task.Delay(Second, clock);
        Assert.Equal(1, clock.WaitingTimers);

        clock.Advance(Second - TimeSpan.FromTicks(1));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromTicks(1));

        await Eventually.DoneAsync("the delay", delay);
        Assert.Equal(0, clock.WaitingTimers);
    }

    [Fact]
    public void Timers_fire_in_order_and_each_sees_its_own_time()
    {
        var start = clock.GetUtcNow();
        var fired = new List<(string, TimeSpan)>();
        using var late = clock.CreateTimer(_ => fired.Add(("late", clock.GetUtcNow() - start)), null, Second * 3, Timeout.InfiniteTimeSpan);
        using var often = clock.CreateTimer(_ => fired.Add(("often", clock.GetUtcNow() - start)), null, Second, Second);

        clock.Advance(Second * 3.5);

        Assert.Equal([("often", Second), ("often", Second * 2), ("late", Second * 3), ("often", Second * 3)], fired);
        Assert.Equal(start + (Second * 3.5), clock.GetUtcNow());
    }

    [Fact]
    public void A_timer_that_is_changed_or_disposed_does_not_fire_as_it_was()
    {
        var fired = 0;
        var timer = clock.CreateTimer(_ => fired++, null, Second, Timeout.InfiniteTimeSpan);

        timer.Change(Second * 10, Timeout.InfiniteTimeSpan);
        clock.Advance(Second * 9);
        Assert.Equal(0, fired);
        timer.Dispose();
        clock.Advance(Second * 9);

        Assert.Equal(0, fired);
    }

    [Fact]
    public void A_timer_without_delay_fires_at_once()
    {
        var fired = 0;
        using var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);

        Assert.Equal(1, fired);
    }

    [Fact]
    public async Task Cancellation_and_periodic_timers_follow_it()
    {
        using var cancellation = new CancellationTokenSource(Second, clock);
        using var periodic = new PeriodicTimer(Second, clock);
        var tick = periodic.WaitForNextTickAsync();

        clock.Advance(Second);

        Assert.True(cancellation.IsCancellationRequested);
        Assert.True(await tick);
    }
}
