using Mavi.Chaos;

namespace Mavi.Tests.ChaosTests;

/// <summary>What is done, when, and to whom is a function of the seed; how the processes fare under it is not.</summary>
public sealed class ScheduleTests
{
    static readonly TimeSpan Length = TimeSpan.FromMinutes(5);

    [Fact]
    public void The_same_seed_gives_the_same_faults() => Assert.Equal(Schedule.Of(7, 200, Length), Schedule.Of(7, 200, Length));

    [Fact]
    public void Another_seed_gives_others() => Assert.NotEqual(Schedule.Of(7, 200, Length), Schedule.Of(8, 200, Length));

    [Theory]
    [InlineData(25)]
    [InlineData(500)]
    public void Every_kind_of_fault_is_in_a_run_and_all_of_them_come_in_time(int count)
    {
        var faults = Schedule.Of(1, count, Length);
        Assert.Equal(count, faults.Count);
        Assert.Equal(Enum.GetValues<FaultKind>(), faults.Select(static fault => fault.Kind).Distinct().Order());
        Assert.All(faults, static fault => Assert.InRange(fault.At, TimeSpan.Zero, Length));
        Assert.Equal(faults.OrderBy(static fault => fault.At), faults);
    }

    [Fact]
    public void A_long_run_freezes_a_worker_past_its_lease_and_a_short_one_has_no_time_for_it()
    {
        Assert.Contains(Schedule.Of(1, 500, Length), static fault => fault.Kind == FaultKind.WorkerFrozen && fault.For > TimeSpan.FromSeconds(36));
        Assert.DoesNotContain(Schedule.Of(1, 500, TimeSpan.FromMinutes(1)), static fault => fault.For > TimeSpan.FromSeconds(10));
    }
}
