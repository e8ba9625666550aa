using KdumpNfs.Drills;

namespace KdumpNfs.Tests.Unit.Drills;

public class WordsTests
{
    [Fact]
    public void The_console_tells_of_the_last_crash_why()
    {
        const string Text = "kdump: mount.nfs: No route to host\nlogin: \r\n[   99.1] sysrq: Trigger a crash\r\n[   99.2] Kernel panic - not syncing: sysrq triggered crash\r\n" +
            "[    0.0] Linux version 6.1\r\n\u001b[32mkdump: mount.nfs: Connection refused\u001b[0m\r\nkdump: failed to dump to '/kdumproot', it's not a mount point!\r\nkdump: saving vmcore failed\r\n[ OK ] rebooting\r\n";
        Assert.Equal("kdump: mount.nfs: Connection refused", DrillWords.FromConsole(Text));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("login: \nmount.nfs: refused\n")]
    public void A_console_without_a_crash_tells_nothing(string? text) => Assert.Null(DrillWords.FromConsole(text));

    [Fact]
    public void Pstore_tells_the_panic() =>
        Assert.Equal("Kernel panic - not syncing: Fatal exception", DrillWords.FromPstore("Panic#1 Part1\n<0>[  5.1] Kernel panic - not syncing: Fatal exception\n"));
}
