using KdumpNfs.Storms;

namespace KdumpNfs.Tests.Unit.Storms;

public sealed class StormSimulationTests
{
    private static readonly StormRequest Base = new() { StoreBandwidth = 100, CaptureBootTime = TimeSpan.FromSeconds(10), RestartTime = TimeSpan.FromSeconds(50) };

    private static IReadOnlyList<StormHost> Hosts(params long[] sizes) => [.. sizes.Select((size, i) => new StormHost("h" + i, size))];

    private static double Near(TimeSpan time) => Math.Round(time.TotalSeconds, 3);

    [Fact]
    public void One_host_writes_as_fast_as_it_can()
    {
        var storm = StormSimulation.Run(Hosts(1000), Base with { HostBandwidth = 50 });
        var crash = Assert.Single(storm.Crashes);
        Assert.Equal((0, 10, 30, 80), (Near(crash.CrashedAt), Near(crash.WritesAt), Near(crash.WrittenAt), Near(crash.BackAt)));
        Assert.True(crash.Captured);
        Assert.Equal(1000, storm.StoreBytes);
        Assert.Equal(TimeSpan.Zero, storm.StoreLimited);
        Assert.Equal((80, 80, 80), (Near(storm.MedianDown), Near(storm.LongestDown), Near(storm.Duration)));
    }

    [Fact]
    public void Who_has_less_to_write_leaves_its_share_to_the_others()
    {
        // Both at 50 until 2 s, then the second one alone at 100.
        var storm = StormSimulation.Run(Hosts(100, 200), Base);
        Assert.Equal([12, 13], storm.Crashes.Select(c => Near(c.WrittenAt)));
        Assert.Equal(3, Near(storm.StoreLimited));
        Assert.Equal((2, 2), (storm.PeakDown, storm.PeakWriting));
        Assert.Equal(300, storm.StoreBytes);
    }

    [Fact]
    public void A_slow_host_leaves_to_the_others_what_it_cannot_use()
    {
        var storm = StormSimulation.Run([new("slow", 100, 10), new("fast", 900)], Base);
        Assert.Equal([20, 20], storm.Crashes.Select(c => Near(c.WrittenAt)));
        Assert.Equal(10, Near(storm.StoreLimited));
    }

    [Fact]
    public void A_store_that_is_full_ends_every_dump_that_is_being_written()
    {
        var storm = StormSimulation.Run(Hosts(100, 100), Base with { FreeBytes = 150 });
        Assert.Equal((0, 2), (storm.CapturedCount, storm.LostCount));
        Assert.All(storm.Crashes, c => Assert.Equal((75L, 11.5, false), (c.Bytes, Near(c.WrittenAt), c.Captured)));
        Assert.Equal(11.5, Near(storm.FullAfter!.Value));
        Assert.Equal(150, storm.StoreBytes);
    }

    [Fact]
    public void Dumps_that_just_fit_are_whole()
    {
        var storm = StormSimulation.Run(Hosts(100, 100), Base with { FreeBytes = 200 });
        Assert.Equal((2, 0), (storm.CapturedCount, storm.LostCount));
        Assert.Null(storm.FullAfter);
    }

    [Fact]
    public void What_is_removed_makes_room_for_later_dumps()
    {
        var hosts = Hosts(100, 100);
        var request = Base with { MaxDown = 1, FreeBytes = 150 };
        Assert.Equal(1, StormSimulation.Run(hosts, request).LostCount);
        var storm = StormSimulation.Run(hosts, request with { KeepFor = TimeSpan.FromSeconds(20) });
        Assert.Equal((0, 100L), (storm.LostCount, storm.StoreBytes));
    }

    [Fact]
    public void With_a_limit_the_next_host_crashes_when_one_is_back_and_waiting_is_no_time_down()
    {
        // Two at a time: 10 + 100/50 + 50 = 62 s a pair, five hosts: the last one alone, 61 s.
        var storm = StormSimulation.Run(Hosts(100, 100, 100, 100, 100), Base with { MaxDown = 2 });
        Assert.Equal([0, 0, 62, 62, 124], storm.Crashes.Select(c => Near(c.CrashedAt)));
        Assert.Equal((62 + 62 + 61, 62, 2), (Near(storm.Duration), Near(storm.LongestDown), storm.PeakDown));
        Assert.Equal(StormPattern.MaxDown, storm.Pattern);
    }

    [Fact]
    public void Crashes_come_at_their_rate_and_the_same_seed_gives_the_same_storm()
    {
        var hosts = Hosts([.. Enumerable.Repeat(1000L, 500)]);
        var request = Base with { CrashesPerDay = 20, Period = TimeSpan.FromDays(365), Seed = 7 };
        var storm = StormSimulation.Run(hosts, request);
        // 7300 expected, standard deviation 85.
        Assert.InRange(storm.CrashCount, 6900, 7700);
        Assert.Equal(storm.Crashes, StormSimulation.Run(hosts, request).Crashes);
        Assert.NotEqual(storm.CrashCount, StormSimulation.Run(hosts, request with { Seed = 8 }).CrashCount);
        Assert.Equal(storm.CrashCount * 1000L, storm.StoreBytes);
        // Thirty days hold 600 of them; more than 750 would be six standard deviations.
        Assert.InRange(StormSimulation.Run(hosts, request with { KeepFor = TimeSpan.FromDays(30) }).StoreBytes, 500_000, 750_000);
        Assert.Equal(0, StormSimulation.Run(hosts, request with { CrashesPerDay = 1e-9 }).CrashCount);
    }

    [Fact]
    public void Crashes_that_come_within_a_while_are_spread_over_it()
    {
        var storm = StormSimulation.Run(Hosts([.. Enumerable.Repeat(1L, 1000)]), Base with { Within = TimeSpan.FromMinutes(10), Seed = 1 });
        Assert.Equal(0, Near(storm.Crashes[0].CrashedAt));
        Assert.InRange(storm.Crashes[^1].CrashedAt.TotalSeconds, 550, 600);
        Assert.InRange(storm.Crashes.Average(c => c.CrashedAt.TotalSeconds), 270, 330);
    }

    /// <summary>Against a simulation that goes on in small steps and knows nothing of clocks and classes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Small_steps_come_to_the_same_end(int seed)
    {
        const double step = 0.002;
        var random = new Random(seed);
        var hosts = Enumerable.Range(0, random.Next(2, 12))
            .Select(i => new StormHost("h" + i, random.Next(50, 2000), random.Next(3) == 0 ? null : random.Next(1, 10) * 10)).ToList();
        var request = Base with { Within = TimeSpan.FromSeconds(15), Seed = seed, FreeBytes = random.Next(2) == 0 ? null : hosts.Sum(h => h.DumpBytes) * 2 / 3 };
        var storm = StormSimulation.Run(hosts, request);

        var rest = storm.Crashes.Select(c => (double)hosts.Single(h => h.HostName == c.HostName).DumpBytes).ToArray();
        var caps = storm.Crashes.Select(c => hosts.Single(h => h.HostName == c.HostName).Bandwidth ?? double.PositiveInfinity).ToArray();
        var ends = new double?[rest.Length];
        double stored = 0;
        for (double now = 0; ends.Any(e => e is null); now += step)
        {
            var writing = Enumerable.Range(0, rest.Length).Where(i => ends[i] is null && storm.Crashes[i].WritesAt.TotalSeconds <= now).OrderBy(i => caps[i]).ToList();
            double left = request.StoreBandwidth;
            for (var i = 0; i < writing.Count; i++)
            {
                var speed = Math.Min(caps[writing[i]], left / (writing.Count - i));
                left -= speed;
                rest[writing[i]] -= speed * step;
                stored += speed * step;
                if (rest[writing[i]] <= 0)
                {
                    ends[writing[i]] = now;
                }
            }

            if (stored >= request.FreeBytes)
            {
                writing.ForEach(i => ends[i] ??= now);
            }
        }

        for (var i = 0; i < ends.Length; i++)
        {
            Assert.InRange(storm.Crashes[i].WrittenAt.TotalSeconds, ends[i]!.Value - 0.1, ends[i]!.Value + 0.1);
        }
    }

    [Fact]
    public void A_hundred_thousand_hosts_are_simulated()
    {
        var storm = StormSimulation.Run(Hosts([.. Enumerable.Range(1, 100_000).Select(i => (long)(i % 997) + 1)]), new StormRequest { StoreBandwidth = 1e6, HostBandwidth = 1000 });
        Assert.Equal(100_000, storm.CapturedCount);
        Assert.Equal(storm.Crashes.Sum(c => c.Bytes), storm.StoreBytes, 1000.0);
        // The store is the limit until the last bytes: what lies on it took as long as its bandwidth needs.
        Assert.InRange(storm.StoreLimited.TotalSeconds, storm.StoreBytes / 1e6 * 0.99, storm.StoreBytes / 1e6 * 1.01);
    }

    public static TheoryData<string, StormRequest, StormHost[]> Refused => new()
    {
        { "no host", Base, [] },
        { "store's bandwidth", Base with { StoreBandwidth = 0 }, [new("a", 1)] },
        { "store's bandwidth", Base with { StoreBandwidth = double.NaN }, [new("a", 1)] },
        { "bandwidth of a host", Base with { HostBandwidth = -1 }, [new("a", 1)] },
        { "bandwidth of a\\x1b", Base, [new("a\u001b", 1, 0)] },
        { "-5 bytes", Base, [new("a", -5)] },
        { "no name", Base, [new(" ", 1)] },
        { "negative", Base with { RestartTime = TimeSpan.FromSeconds(-1) }, [new("a", 1)] },
        { "below 1", Base with { MaxDown = 0 }, [new("a", 1)] },
        { "crashes a day are", Base with { CrashesPerDay = 0 }, [new("a", 1)] },
        { "ten million", Base with { CrashesPerDay = 1e6, Period = TimeSpan.FromDays(300) }, [new("a", 1)] },
        { "no number of crashes", Base with { Period = TimeSpan.FromDays(3) }, [new("a", 1)] },
        { "Crashes a day say", Base with { CrashesPerDay = 1, MaxDown = 2 }, [new("a", 1)] },
        { "by themselves", Base with { Within = TimeSpan.FromSeconds(5), MaxDown = 2 }, [new("a", 1)] },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_cannot_be_simulated_is_refused(string said, StormRequest request, StormHost[] hosts)
    {
        var error = Assert.Throws<HostException>(() => StormSimulation.Run(hosts, request));
        Assert.Equal(ErrorIds.InvalidInput, error.ErrorId);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Remedy);
    }

    [Fact]
    public void Drills_show_how_fast_hosts_write_and_come_back()
    {
        static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
        var known = StormCalibration.From(
            [new("web01", 1000, S(40), S(100)), new("web02", 3000, S(40), S(120)), new("WEB01", 2000, S(40), S(110)), new("lost", 0, S(40), S(100))], S(20));
        Assert.Equal((100, 150, 125), (known.BandwidthOf("web01"), known.BandwidthOf("web02"), known.HostBandwidth));
        Assert.Equal(S(70), known.RestartTime);
        Assert.Null(known.BandwidthOf("other"));
        Assert.Contains("3 drills", known.Source, StringComparison.Ordinal);
        Assert.Contains("only after 10 s", Assert.Throws<HostException>(() => StormCalibration.From([new("a", 1, S(10), S(20))], S(10))).Message, StringComparison.Ordinal);
        Assert.Contains("No drill", Assert.Throws<HostException>(() => StormCalibration.From([], S(10))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1000", 1000)]
    [InlineData("10Gbit", 1.25e9)]
    [InlineData("100 Mbit/s", 12.5e6)]
    [InlineData("8 kB/s", 8192)]
    [InlineData("110MB", 110 * 1048576.0)]
    [InlineData("1.5GiB/s", 1.5 * 1073741824)]
    public void Bandwidths_are_read(string text, double expected) => Assert.Equal(expected, Bandwidth.Parse(text)!.Value, 1e-6);

    [Theory]
    [InlineData("")]
    [InlineData("fast")]
    [InlineData("-1")]
    [InlineData("1,5GB")]
    [InlineData("1e9")]
    [InlineData("8kbps")]
    public void Others_are_not(string text) => Assert.Null(Bandwidth.Parse(text));
}
