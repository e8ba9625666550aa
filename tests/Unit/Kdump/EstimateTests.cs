using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Kdump;

public class EstimateTests
{
    // As a Debian 12 guest printed it.
    private const string Real = "The kernel version is not supported.\nThe makedumpfile operation may be incomplete.\n\n" +
        "TYPE\t\tPAGES\t\t\tEXCLUDABLE\tDESCRIPTION\n----------------------------------------------------------------------\n" +
        "ZERO\t\t3212            \tyes\t\tPages filled with zero\nNON_PRI_CACHE\t16105           \tyes\t\tCache pages without private flag\n" +
        "PRI_CACHE\t652             \tyes\t\tCache pages with private flag\nUSER\t\t2462            \tyes\t\tUser process pages\n" +
        "FREE\t\t42431           \tyes\t\tFree pages\nKERN_DATA\t27213           \tno\t\tDumpable kernel data \n\n" +
        "page size:\t\t4096            \nTotal pages on system:\t92075           \nTotal size on system:\t377139200        Byte\n";

    [Fact]
    public void The_table_is_read()
    {
        var usage = MemUsage.Parse(Real);
        Assert.Equal(new MemUsage(4096, 92075, 3212, 16105, 652, 2462, 42431, 27213), usage);
        Assert.Equal(377139200, usage.TotalBytes);
    }

    [Fact]
    public void An_old_table_is_read_too()
    {
        var old = Real.Replace("NON_PRI_CACHE", "CACHE").Replace("PRI_CACHE", "CACHE_PRIVATE").Replace("page size:\t\t4096            \n", "").Replace("\n", "\r\n");
        Assert.Equal(MemUsage.Parse(Real), MemUsage.Parse(old));
    }

    [Theory]
    [InlineData("makedumpfile Failed.\n", "reserved")]
    [InlineData("No memory is reserved for crashkernel!\nmakedumpfile Failed.\n", "crashkernel=")]
    [InlineData("sh: 1: makedumpfile: not found\n", "install makedumpfile")]
    [InlineData("open_dump_memory: Can't open the dump memory(/proc/kcore). Operation not permitted\n\nmakedumpfile Failed.\n", "lockdown")]
    [InlineData("", "reserved")]
    [InlineData("KERN_DATA\t99999999999999999999\tno\n", "reserved")]
    [InlineData("KERN_DATA 9223372036854775807 no\npage size: 4096\nTotal pages on system: 9223372036854775807\n", "reserved")]
    [InlineData("KERN_DATA 100 no\npage size: 4096\nTotal pages on system: 50\n", "reserved")]
    public void Failures_say_what_to_do(string output, string remedy)
    {
        var e = Assert.Throws<HostException>(() => MemUsage.Parse(output));
        Assert.Equal(ErrorIds.EstimateNotPossible, e.ErrorId);
        Assert.Contains(remedy, e.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(VmcoreCompression.Zlib, 18_751_004)]
    [InlineData(VmcoreCompression.Lzo, 28_516_451)]
    [InlineData(VmcoreCompression.Zstd, 18_309_684)]
    public void The_real_dumps_of_that_host_fall_inside(VmcoreCompression compression, long size)
    {
        var estimate = VmcoreEstimate.Of(MemUsage.Parse(Real), DumpLevel.All, compression);
        Assert.Equal(27213L * 4096, estimate.PageBytes);
        Assert.InRange(size, estimate.LowBytes, estimate.HighBytes);
        Assert.NotEmpty(estimate.Basis);
    }

    [Theory]
    [InlineData(DumpLevel.All, 27213)]
    [InlineData(DumpLevel.None, 92075)]
    [InlineData(DumpLevel.PrivateCache, 92075 - 652 - 16105)]
    [InlineData(DumpLevel.NonPrivateCache, 92075 - 16105)]
    [InlineData(DumpLevel.Zero | DumpLevel.Free, 92075 - 3212 - 42431)]
    public void A_level_keeps_what_it_does_not_leave_out(DumpLevel level, long pages)
    {
        foreach (var compression in Enum.GetValues<VmcoreCompression>())
        {
            var estimate = VmcoreEstimate.Of(MemUsage.Parse(Real), level, compression);
            Assert.Equal(pages * 4096, estimate.PageBytes);
            Assert.True(0 < estimate.LowBytes && estimate.LowBytes < estimate.HighBytes && estimate.HighBytes < estimate.PageBytes * 1.05);
        }
    }

    // As such a guest printed them; makedumpfile counted 25996 kernel pages then.
    private const string MemInfo = "MemTotal:         284676 kB\nMemFree:          187560 kB\nMemAvailable:     243012 kB\nBuffers:            2692 kB\nCached:            50976 kB\nSwapCached:            0 kB\n" +
        "AnonPages:         10236 kB\nShmem:              1144 kB\nHugePages_Total:       0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n";

    private const string Iomem = "00001000-0009fbff : System RAM\n00100000-1ffdcfff : System RAM\n  13000000-1effffff : Crash kernel\n";

    private const string Hidden = "00000000-00000000 : System RAM\n00000000-00000000 : System RAM\n  00000000-00000000 : Crash kernel\n";

    [Theory]
    [InlineData(VmcoreCompression.Zlib, 18_751_004, Iomem, 18_900)]
    [InlineData(VmcoreCompression.Lzo, 28_516_451, Iomem, 18_900)]
    [InlineData(VmcoreCompression.Lzo, 28_516_451, Hidden, 21_700)]
    public void A_coarse_estimate_is_wider_and_holds_the_real_dumps(VmcoreCompression compression, long size, string iomem, int kernelPages)
    {
        var (one, other) = CoarseUsage.Parse(MemInfo, 4096, iomem);
        Assert.InRange(one.Kernel, kernelPages - 100, kernelPages + 100);
        var coarse = CoarseUsage.Estimate(one, other, DumpLevel.All, compression);
        var fine = VmcoreEstimate.Of(MemUsage.Parse(Real), DumpLevel.All, compression);
        Assert.InRange(size, coarse.LowBytes, coarse.HighBytes);
        Assert.True(coarse.LowBytes < fine.LowBytes && fine.HighBytes < coarse.HighBytes);
        Assert.StartsWith("coarse", coarse.Basis, StringComparison.Ordinal);
    }

    [Fact]
    public void A_level_that_leaves_out_one_kind_of_cache_may_leave_out_all_of_it_or_none()
    {
        var (one, other) = CoarseUsage.Parse(MemInfo, 4096, Iomem);
        var all = CoarseUsage.Estimate(one, other, DumpLevel.Free, VmcoreCompression.Lzo);
        var some = CoarseUsage.Estimate(one, other, DumpLevel.Free | DumpLevel.NonPrivateCache, VmcoreCompression.Lzo);
        var both = CoarseUsage.Estimate(one, other, DumpLevel.Free | DumpLevel.PrivateCache, VmcoreCompression.Lzo);
        Assert.Equal(all.HighBytes, some.HighBytes);
        Assert.True(both.HighBytes < some.HighBytes && both.LowBytes == some.LowBytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MemTotal: 1000 kB\n")]
    [InlineData("MemTotal: x kB\nMemFree: 1 kB\n")]
    public void Counters_that_are_missing(string meminfo) =>
        Assert.Equal(ErrorIds.EstimateNotPossible, Assert.Throws<HostException>(() => CoarseUsage.Parse(meminfo, 4096, Iomem)).ErrorId);

    [Fact]
    public void Counters_that_do_not_add_up_give_no_negative_numbers()
    {
        var (usage, _) = CoarseUsage.Parse("MemTotal: 100000 kB\nMemFree: 999999999999999999 kB\nCached: 9999999 kB\nAnonPages: 9999999 kB\n", 4096, "");
        Assert.True(usage is { Kernel: > 0, Free: 25000, User: 0, NonPrivateCache: 0 });
    }
}
