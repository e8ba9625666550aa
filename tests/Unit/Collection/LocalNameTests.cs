using FsCheck;
using FsCheck.Fluent;
using KdumpNfs.Collection;

namespace KdumpNfs.Tests.Unit.Collection;

public class LocalNameTests
{
    [Theory]
    [InlineData("192.168.122.102-2026-11-22-10:05:50", "192.168.122.102-2026-11-22-10%3A05%3A50")]
    [InlineData("fe80::1%eth0-2026-11-22-10:05:50", "fe80%3A%3A1%25eth0-2026-11-22-10%3A05%3A50")]
    [InlineData("vmcore-dmesg.txt", "vmcore-dmesg.txt")]
    [InlineData("aux", "%61ux")]
    [InlineData("Con.txt", "%43on.txt")]
    [InlineData("console", "console")]
    [InlineData("end.", "end%2E")]
    [InlineData("a b ", "a b%20")]
    [InlineData("a\\b*?\u0007\u0085é", "a%5Cb%2A%3F%07%C2%85é")]
    public void Names_are_what_windows_can_hold_and_come_back(string name, string local)
    {
        Assert.Equal(local, LocalName.Encode(name));
        Assert.Equal(name, LocalName.Decode(local));
    }

    [Theory]
    [InlineData("a%")]
    [InlineData("a%3")]
    [InlineData("a%zz")]
    [InlineData("a%3a")]
    [InlineData("a%41")]
    [InlineData("a:b")]
    public void What_nobody_encoded_is_not_decoded(string local) => Assert.Null(LocalName.Decode(local));

    [Fact]
    public void Every_name_comes_back_and_no_two_share_one()
    {
        var names = Gen.NonEmptyListOf(Gen.Frequency(
            (4, Gen.Choose(0x20, 0x7e)), (2, Gen.Choose(1, 0x1f)), (1, Gen.Choose(0x80, 0x2ff)), (3, Gen.Elements<int>([':', '%', '.', ' ', '2', '5', 'A', 'F', '3']))))
            .Select(list => new string([.. list.Select(c => (char)c)]));
        Prop.ForAll(Arb.From(names), name =>
        {
            var local = LocalName.Encode(name);
            Assert.Equal(name, LocalName.Decode(local));
            Assert.DoesNotContain(local, c => char.IsControl(c) || "<>:\"/\\|?*".Contains(c));
            Assert.False(local[^1] is '.' or ' ');
            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_fetched_directory_is_a_crash_directory_here_too()
    {
        var name = CrashDirectoryName.Parse(LocalName.Encode("192.168.122.102-2026-11-22-10:05:50"))!;
        Assert.Equal((VmcoreFamily.RedHat, "192.168.122.102"), (name.Family, name.Host));
    }
}
