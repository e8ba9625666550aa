using KdumpNfs.Collection;

namespace KdumpNfs.Tests.Unit.Collection;

public class RetentionPolicyTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static VmcoreDump Dump(int daysOld, string host = "10.0.0.1", VmcoreState state = VmcoreState.Complete, bool held = false, long bytes = 100)
    {
        var time = Now.AddDays(-daysOld);
        return new VmcoreDump
        {
            CrashedHost = host,
            State = state,
            Family = VmcoreFamily.RedHat,
            Path = $"/data/{host}-{time:yyyy-MM-dd-HH:mm:ss}",
            Held = held,
            LastChange = time,
            Files = [new VmcoreFile("vmcore", bytes, time), new VmcoreFile("kexec-dmesg.log", 0, Now)],
        };
    }

    private static int[] Removed(RetentionPolicy policy, params VmcoreDump[] dumps) =>
        [.. policy.Validated().Decide(dumps, Now).Where(d => d.Remove).Select(d => (int)(Now - d.AgedBy).TotalDays).OrderDescending()];

    [Fact]
    public void Age_takes_what_is_older_but_the_first_and_the_newest() =>
        Assert.Equal([90, 31], Removed(new RetentionPolicy { OlderThan = TimeSpan.FromDays(30) }, Dump(100), Dump(90), Dump(31), Dump(30), Dump(1)));

    [Fact]
    public void Everything_old_leaves_the_first_and_the_newest() =>
        Assert.Equal([400, 300], Removed(new RetentionPolicy { OlderThan = TimeSpan.FromDays(30) }, Dump(500), Dump(400), Dump(300), Dump(200)));

    [Fact]
    public void A_single_dump_always_stays() =>
        Assert.Empty(Removed(new RetentionPolicy { OlderThan = TimeSpan.FromDays(1), KeepLast = 1, MaxBytes = 0 }, Dump(500)));

    [Fact]
    public void Count_takes_those_beyond_the_newest() =>
        Assert.Equal([9, 8, 7], Removed(new RetentionPolicy { KeepLast = 2 }, Dump(10), Dump(9), Dump(8), Dump(7), Dump(6), Dump(5)));

    [Fact]
    public void Size_takes_the_oldest_until_it_fits_and_counts_what_stays() =>
        Assert.Equal([9, 8], Removed(new RetentionPolicy { MaxBytes = 350 }, Dump(10), Dump(9), Dump(8), Dump(7), Dump(6)));

    [Fact]
    public void Size_that_cannot_be_reached_takes_all_it_may() =>
        Assert.Equal([9, 8], Removed(new RetentionPolicy { MaxBytes = 1 }, Dump(10), Dump(9), Dump(8), Dump(7)));

    [Fact]
    public void Hosts_are_looked_at_apart() =>
        Assert.Equal([9], Removed(new RetentionPolicy { KeepLast = 1 }, Dump(10), Dump(9), Dump(8), Dump(50, "10.0.0.2"), Dump(40, "10.0.0.2"), Dump(30, "db")));

    [Fact]
    public void What_is_written_or_held_stays_and_so_does_the_newest_complete_one()
    {
        var policy = new RetentionPolicy { KeepLast = 1 };
        Assert.Equal([6], Removed(policy, Dump(10), Dump(9, held: true), Dump(8, state: VmcoreState.Writing), Dump(7), Dump(6, state: VmcoreState.Incomplete), Dump(5, state: VmcoreState.Incomplete)));
        var kept = policy.Decide([Dump(10), Dump(9, held: true), Dump(5)], Now).Single(d => d.Dump.Held);
        Assert.Equal((true, false, "it is held"), (kept.Asked, kept.Remove, kept.Reason));
    }

    [Fact]
    public void A_file_of_the_future_is_not_old_and_a_marker_does_not_make_young()
    {
        var future = Dump(-400);
        Assert.Empty(Removed(new RetentionPolicy { OlderThan = TimeSpan.FromDays(30) }, Dump(1), future, Dump(-500)));
        // The directory changed an hour ago, the log has the capture kernel's clock: the dump's own time counts.
        var touched = Dump(90) with { LastChange = Now };
        Assert.Equal([90], Removed(new RetentionPolicy { OlderThan = TimeSpan.FromDays(30) }, Dump(100), touched, Dump(1)));
    }

    [Fact]
    public void What_is_named_goes_unless_it_always_stays()
    {
        VmcoreDump[] dumps = [Dump(10), Dump(9), Dump(8), Dump(7)];
        var all = dumps.Select(d => d.Path).ToHashSet();
        Assert.Equal([9, 8], Removed(new RetentionPolicy { Chosen = all }, dumps));
        Assert.Equal([10, 9, 8, 7], Removed(new RetentionPolicy { Chosen = all, AllowFirstAndNewest = true }, dumps));
        Assert.Equal([9], Removed(new RetentionPolicy { Chosen = new HashSet<string> { dumps[1].Path } }, dumps));
        Assert.Empty(Removed(new RetentionPolicy { Chosen = all, AllowFirstAndNewest = true }, [.. dumps.Select(d => d with { Held = true })]));
    }

    [Fact]
    public void Limits_that_mean_nothing_or_everything_are_refused()
    {
        RetentionPolicy[] bad =
        [
            new(), new() { OlderThan = TimeSpan.FromTicks(90) }, new() { KeepLast = 0 }, new() { MaxBytes = -1 },
            new() { Chosen = new HashSet<string> { "/x" }, KeepLast = 1 },
        ];
        Assert.All(bad, policy => Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(policy.Validated).ErrorId));
    }
}
