using KdumpNfs.Drills;

namespace KdumpNfs.Tests.Unit.Drills;

public class ScheduleTests
{
    private static DrillSchedule Make(int hosts, int maxDown, int maxFailure = 0, int[]? batches = null, params string?[] groups) =>
        new([.. Enumerable.Range(0, hosts).Select(i => i < groups.Length ? groups[i] : null)], maxDown, maxFailure, n => batches is null ? int.MaxValue : batches[Math.Min(n, batches.Length - 1)]);

    private static int[] Begin(DrillSchedule schedule, int hosts) => [.. Enumerable.Range(0, hosts).Where(i => schedule.TryBegin(i))];

    [Fact]
    public void At_most_so_many_are_down()
    {
        var schedule = Make(5, maxDown: 2);
        Assert.Equal([0, 1], Begin(schedule, 5));
        Assert.Empty(Begin(schedule, 5));
        schedule.End(1, failed: false);
        Assert.Equal([2], Begin(schedule, 5));
    }

    [Fact]
    public void Of_a_group_at_most_one_is_down()
    {
        var schedule = Make(5, 5, 0, null, "web", "web", "DB", "db", null);
        Assert.Equal([0, 2, 4], Begin(schedule, 5));
        schedule.End(0, false);
        Assert.Equal([1], Begin(schedule, 5));
        schedule.End(2, false);
        Assert.Equal([3], Begin(schedule, 5));
    }

    [Fact]
    public void The_next_batch_begins_when_the_one_before_is_over()
    {
        var schedule = Make(6, 9, 0, [1, 2]);
        Assert.Equal([0], Begin(schedule, 6));
        schedule.End(0, false);
        Assert.Equal([1, 2], Begin(schedule, 6));
        schedule.End(2, false);
        Assert.Empty(Begin(schedule, 6));
        schedule.End(1, false);
        Assert.Equal([3, 4], Begin(schedule, 6));
    }

    [Fact]
    public void Too_many_failures_stop_the_rest()
    {
        var schedule = Make(5, 2, maxFailure: 1);
        Assert.Equal([0, 1], Begin(schedule, 5));
        schedule.End(0, failed: true);
        Assert.False(schedule.IsStopped);
        Assert.Equal([2], Begin(schedule, 5));
        schedule.End(1, failed: true);
        Assert.True(schedule.IsStopped);
        Assert.Empty(Begin(schedule, 5));
    }

    [Fact]
    public void A_canary_that_fails_stops_all()
    {
        var schedule = Make(3, 3, 0, [1]);
        Assert.Equal([0], Begin(schedule, 3));
        schedule.End(0, failed: true);
        Assert.True(schedule.IsStopped);
        Assert.Empty(Begin(schedule, 3));
    }

    [Fact]
    public void Hosts_that_are_down_already_count_and_block_their_group()
    {
        var schedule = Make(4, 2, 0, null, "a", null, "a", null);
        Assert.True(schedule.TryBegin(0, downAlready: true));
        Assert.True(schedule.TryBegin(1, downAlready: true));
        Assert.Empty(Begin(schedule, 4));
        schedule.End(1, false);
        Assert.Equal([3], Begin(schedule, 4));
    }
}
