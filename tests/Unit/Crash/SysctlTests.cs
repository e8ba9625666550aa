using System.Text;
using KdumpNfs.Crash;
using KdumpNfs.Tests.Unit.Text;

namespace KdumpNfs.Tests.Unit.Crash;

public class SysctlTests
{
    private static readonly string[] Pieces =
    [
        "kernel.sysrq = 1", "kernel.sysrq=0", " kernel/sysrq\t=\t438 ", "-kernel.sysrq = 16", "# kernel.sysrq = 1", "; c", "", "kernel.panic_on_warn = 1", "kernel.sysrq", "-kernel.sysrq",
        "net/ipv4/conf/eth0.1/forwarding=1", "= 1", "kernel.* = 3", "kernel.core_pattern = |/bin/x %p # y", "kernel.sysrq = 1 # not a comment", "gr\u00f6\u00dfe = 1",
    ];

    private static SysctlDropIn Parse(string text) => SysctlDropIn.Parse(Encoding.UTF8.GetBytes(text));

    private static SysctlFile File(string path, string text) => new(path, Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("kernel.sysrq = 0\n", "1", "kernel.sysrq = 1\n")]
    [InlineData("# ours\nkernel.panic_on_warn = 1", "1", "# ours\nkernel.panic_on_warn = 1\nkernel.sysrq = 1\n")]
    [InlineData("\t-kernel/sysrq=0  \r\nx.y = 1\r\n", "438", "\t-kernel/sysrq=438  \r\nx.y = 1\r\n")]
    [InlineData("kernel.sysrq = 0\n# c\nkernel.sysrq = 2\n", "1", "# c\nkernel.sysrq = 1\n")]
    [InlineData("", "1", "kernel.sysrq = 1\n")]
    public void Only_our_key_is_set(string before, string value, string after)
    {
        var set = Parse(before).With("kernel.sysrq", value);
        Assert.Equal(after, Encoding.UTF8.GetString(set.ToBytes()));
        Assert.Same(set, set.With("kernel.sysrq", value));
        Assert.Equal(value, set.Get("kernel/sysrq"));
    }

    [Theory]
    [InlineData("", "1")]
    [InlineData("kernel sysrq", "1")]
    [InlineData("-kernel.sysrq", "1")]
    [InlineData("#x", "1")]
    [InlineData("kernel.sysrq", "")]
    [InlineData("kernel.sysrq", "1\n2")]
    [InlineData("kernel.sysrq", " 1")]
    public void What_the_format_cannot_hold_is_refused(string key, string value) =>
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => Parse("").With(key, value)).ErrorId);

    [Fact]
    public void Slashes_and_dots_are_the_same_key()
    {
        Assert.Equal("net.ipv4.conf.eth0/1.forwarding", SysctlDropIn.Normal("net/ipv4/conf/eth0.1/forwarding"));
        Assert.Equal("1", Parse("net/ipv4/conf/eth0.1/forwarding=1").Get("net.ipv4.conf.eth0/1.forwarding"));
    }

    [Fact]
    public void The_last_name_wins_and_the_same_name_masks()
    {
        SysctlFile[] files =
        [
            File("/etc/sysctl.d/kernel_debug.conf", "kernel.sysrq = 1\n"),
            File("/usr/lib/sysctl.d/50-default.conf", "kernel.sysrq = 16\n"),
            File("/usr/lib/sysctl.d/99-vendor.conf", "kernel.sysrq = 0\n"),
            File("/usr/lib/sysctl.d/zz.conf", "kernel.sysrq = 2\n"),
            File("/etc/sysctl.d/zz.conf", ""),
            File("/etc/sysctl.d/zzz.conf.bak", "kernel.sysrq = 3\n"),
            File("/opt/zzz.conf", "kernel.sysrq = 3\n"),
        ];
        Assert.Equal("/etc/sysctl.d/kernel_debug.conf", SysctlPrecedence.Winner(files, "kernel.sysrq").Path);
        Assert.Null(SysctlPrecedence.OverriddenBy(files, "/etc/sysctl.d/kernel_debug.conf", "kernel.sysrq"));
        SysctlFile[] more = [.. files, File("/etc/sysctl.conf", "kernel/sysrq=438\n")];
        var winner = SysctlPrecedence.OverriddenBy(more, "/etc/sysctl.d/kernel_debug.conf", "kernel.sysrq");
        Assert.Equal(new SysctlWinner("kernel.sysrq", "/etc/sysctl.conf", "438"), winner);
        SysctlFile[] same = [.. files, File("/etc/sysctl.conf", "kernel.sysrq=1\n")];
        Assert.Null(SysctlPrecedence.OverriddenBy(same, "/etc/sysctl.d/kernel_debug.conf", "kernel.sysrq"));
    }

    [Fact]
    public void A_glob_does_not_take_a_named_key()
    {
        SysctlFile[] files = [File("/etc/sysctl.d/10-a.conf", "kernel.sysrq = 1\n"), File("/etc/sysctl.d/20-b.conf", "kernel.* = 0\n")];
        Assert.Equal("1", SysctlPrecedence.Winner(files, "kernel.sysrq").Value);
        Assert.Equal("0", SysctlPrecedence.Winner(files, "kernel.panic").Value);
        Assert.Null(SysctlPrecedence.Winner(files, "vm.swappiness").Path);
    }

    [Fact]
    public void Parsing_and_printing_is_the_identity() =>
        DocumentGen.Check(DocumentGen.Any(Pieces), bytes => SysctlDropIn.Parse(bytes).ToBytes().AsSpan().SequenceEqual(bytes), 1000);

    [Fact]
    public void Setting_twice_is_setting_once_and_leaves_other_keys() =>
        DocumentGen.Check(DocumentGen.Any(Pieces), bytes =>
        {
            var before = SysctlDropIn.Parse(bytes);
            var once = before.With("kernel.sysrq", "438");
            var again = SysctlDropIn.Parse(once.ToBytes());
            return again.Get("kernel.sysrq") == "438" && again.With("kernel.sysrq", "438").ToBytes().AsSpan().SequenceEqual(once.ToBytes()) &&
                again.Get("kernel.panic_on_warn") == before.Get("kernel.panic_on_warn") && again.Get("kernel.core_pattern") == before.Get("kernel.core_pattern");
        }, 2000);
}
