using FsCheck;
using FsCheck.Fluent;
using KdumpNfs.Setup;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Setup;

public class CrashKernelTests
{
    private const long M = 1L << 20;
    private const long G = 1L << 30;

    [Theory]
    [InlineData("256M", CrashKernelKind.Fixed, "256M")]
    [InlineData("crashkernel=256M@16M", CrashKernelKind.Fixed, "256M@16M")]
    [InlineData("268435456", CrashKernelKind.Fixed, "256M")]
    [InlineData("1G-4G:192M,4G-64G:256M,64G-:512M", CrashKernelKind.Ranges, "1G-4G:192M,4G-64G:256M,64G-:512M")]
    [InlineData("384M-:128M", CrashKernelKind.Ranges, "384M-:128M")]
    [InlineData("0M-2G:0M,2G-8G:192M,8G-:256M", CrashKernelKind.Ranges, "0M-2G:0M,2G-8G:192M,8G-:256M")]
    [InlineData("512M,high", CrashKernelKind.High, "512M,high")]
    [InlineData("0,low", CrashKernelKind.Low, "0,low")]
    [InlineData("256M,cma", CrashKernelKind.Cma, "256M,cma")]
    [InlineData("auto", CrashKernelKind.Auto, "auto")]
    public void Values_are_read(string value, CrashKernelKind kind, string text)
    {
        var parameter = CrashKernelParameter.Parse(value);
        Assert.Equal((kind, text, "crashkernel=" + text), (parameter.Kind, parameter.Text, parameter.Word));
    }

    [Theory]
    [InlineData("")]
    [InlineData("256")]
    [InlineData("M")]
    [InlineData("256MB")]
    [InlineData("256M,")]
    [InlineData("256M,low,high")]
    [InlineData("1G-:256M,4G-8G:512M")]
    [InlineData("4G-1G:256M")]
    [InlineData("2G-8G:192M,4G-:256M")]
    [InlineData("1G-4G")]
    [InlineData("256M quiet\n")]
    [InlineData("256M\"; reboot #")]
    [InlineData("0x10000000")]
    [InlineData("0256M")]
    [InlineData("-256M")]
    [InlineData("9E")]
    public void Values_that_are_none(string value) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => CrashKernelParameter.ParseAll([value])).ErrorId);

    [Theory]
    [InlineData("128M,low")]
    [InlineData("256M 512M")]
    [InlineData("256M 512M,high")]
    [InlineData("256M 128M,low")]
    [InlineData("512M,high 128M,low 64M,low")]
    [InlineData("256M,cma")]
    public void Values_that_do_not_belong_together(string values) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => CrashKernelParameter.ParseAll([values])).ErrorId);

    [Theory]
    // What counts, in MiB: both regions; the low one; what the kernel refuses gives 0.
    [InlineData("quiet", 8192, 0, 0)]
    [InlineData("crashkernel=256M", 8192, 256, 0)]
    [InlineData("crashkernel=256M@16M ro", 8192, 256, 0)]
    [InlineData("crashkernel=128M crashkernel=256M", 8192, 256, 0)]
    [InlineData("crashkernel=256M crashkernel=512M,high", 8192, 256, 0)]
    [InlineData("crashkernel=512M,high crashkernel=128M,low", 8192, 640, 128)]
    [InlineData("crashkernel=512M,high", 8192, 768, 256)]
    [InlineData("crashkernel=512M,high", 2048, 512, 0)]
    [InlineData("crashkernel=128M,low", 8192, 0, 0)]
    [InlineData("crashkernel=256M crashkernel=128M,cma", 8192, 256, 0)]
    [InlineData("crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", 512, 0, 0)]
    [InlineData("crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", 2048, 192, 0)]
    [InlineData("crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", 4096, 256, 0)]
    [InlineData("crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M", 1048576, 512, 0)]
    [InlineData("crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M@32M", 8192, 256, 0)]
    // Firmware takes a little of a 2 GiB host; the kernel rounds up.
    [InlineData("crashkernel=2G-:256M", 2000, 256, 0)]
    [InlineData("crashkernel=2G-:256M", 1900, 0, 0)]
    [InlineData("crashkernel=0x10000000", 8192, 256, 0)]
    [InlineData("crashkernel=256Mx", 8192, 0, 0)]
    [InlineData("crashkernel=9G", 8192, 0, 0)]
    [InlineData("crashkernel=auto", 8192, 0, 0)]
    [InlineData("crashkernel=4G-1G:256M", 8192, 0, 0)]
    [InlineData("crashkernel=", 8192, 0, 0)]
    [InlineData("nocrashkernel=256M", 8192, 256, 0)]
    public void The_kernel_reserves(string commandLine, long memory, long size, long low)
    {
        var verdict = CrashKernelCommandLine.Evaluate(commandLine, memory * M);
        Assert.Equal((size, low), (verdict.Bytes / M, verdict.LowBytes / M));
        Assert.True(verdict.Problem is null || verdict.Bytes == 0);
    }

    [Fact]
    public void Auto_is_for_kernels_that_know_it()
    {
        var el8 = CrashKernelCommandLine.Evaluate("crashkernel=auto", 8 * G, knowsAuto: true);
        Assert.Null(el8.Bytes);
        Assert.Null(el8.Problem);
        Assert.NotNull(CrashKernelCommandLine.Evaluate("crashkernel=auto", 8 * G).Problem);
    }

    [Fact]
    public void High_regions_are_for_some_architectures()
    {
        Assert.Equal(0, CrashKernelCommandLine.Evaluate("crashkernel=512M,high", 64 * G, "ppc64le").Bytes);
        Assert.Equal((512 + 128) * M, CrashKernelCommandLine.Evaluate("crashkernel=512M,high", 64 * G, "aarch64").Bytes);
    }

    [Fact]
    public void Memory_from_cma_comes_on_top()
    {
        var verdict = CrashKernelCommandLine.Evaluate("crashkernel=128M crashkernel=256M,cma", 8 * G);
        Assert.Equal((128 * M, 256 * M), (verdict.Bytes!.Value, verdict.CmaBytes));
        Assert.Equal(["crashkernel=128M", "crashkernel=256M,cma"], verdict.Effective);
    }

    // Ascending limits, then for each range the size that a host inside it must get: known by construction, not by another evaluator.
    private static readonly Gen<(string Text, List<(long Start, long Size)> Steps)> Ladders =
        from first in Gen.Choose(1, 8)
        from widths in Gen.Choose(1, 16).ListOf(4)
        from sizes in Gen.Choose(1, 40).ListOf(4)
        let starts = widths.Aggregate(new List<long> { first }, (list, w) => [.. list, list[^1] + w])
        let count = widths.Count
        let text = string.Join(',', Enumerable.Range(0, count).Select(i => $"{starts[i]}G-{(i + 1 < count ? starts[i + 1] + "G" : "")}:{sizes[i] * 16}M"))
        select (text, Enumerable.Range(0, count).Select(i => (starts[i] * G, sizes[i] * 16 * M)).ToList());

    [Fact]
    public void A_host_gets_the_size_of_its_range() =>
        DocumentGen.Check(from ladder in Ladders from memory in Gen.Choose(1, 4000) select (ladder, memory: memory * 32L * M), c =>
        {
            var rounded = (c.memory + (128 * M) - 1) / (128 * M) * (128 * M);
            var wanted = c.ladder.Steps.FindLast(s => s.Start <= rounded).Size;
            var verdict = CrashKernelCommandLine.Evaluate($"ro crashkernel={c.ladder.Text} quiet", c.memory);
            // A size of a range that is reached, or of one before it, that exceeds the memory ends the kernel's parsing.
            var refused = c.ladder.Steps.TakeWhile((s, i) => i == 0 || c.ladder.Steps[i - 1].Start > rounded || s.Start <= rounded).Any(s => s.Size >= rounded) || wanted >= c.memory;
            return refused ? verdict.Bytes is 0 : verdict.Bytes == wanted && verdict.Problem is null;
        }, 2000);

    [Fact]
    public void What_a_person_may_set_is_what_the_kernel_reads() =>
        DocumentGen.Check(from ladder in Ladders from memory in Gen.Choose(8, 500) select (ladder.Text, memory: memory * G), c =>
        {
            var parameter = CrashKernelParameter.Parse(c.Text);
            var mine = parameter.Ranges.FirstOrDefault(r => c.memory >= r.Start && (r.End is not { } end || c.memory < end))?.Size ?? 0;
            return parameter.Text == c.Text && CrashKernelParameter.Parse(parameter.Word).Ranges.SequenceEqual(parameter.Ranges) &&
                (CrashKernelCommandLine.Evaluate(parameter.Word, c.memory).Bytes == mine);
        }, 1000);

    [Fact]
    public void Any_command_line_is_answered() =>
        DocumentGen.Check(from words in Gen.Elements("crashkernel=", "1G-4G:", "256M", ",high", ",low", "@", " ", "18446744073709551615", "9E", "0x", "K", "\n", "-", ":", "auto", "é").ListOf() select string.Concat(words), line =>
        {
            var verdict = CrashKernelCommandLine.Evaluate(line, 64 * G);
            return verdict.Bytes is >= 0 and < 64 * G && verdict.Effective.All(verdict.Words.Contains);
        }, 3000);

    [Fact]
    public void The_last_plain_word_counts() =>
        DocumentGen.Check(Gen.Choose(16, 900).ListOf(), sizes => sizes.Count == 0 ||
            CrashKernelCommandLine.Evaluate(string.Join(' ', sizes.Select(s => $"crashkernel={s}M")), 64 * G).Bytes == sizes[^1] * M, 300);
}
