using KdumpNfs.Collection;
using KdumpNfs.Tests.Unit.Vmcore;

namespace KdumpNfs.Tests.Unit.Collection;

public class NameTests
{
    [Theory]
    [InlineData("192.168.122.102-2026-11-22-10:05:50", VmcoreFamily.RedHat, "192.168.122.102", "2026-11-22 10:05:50")]
    [InlineData("fd00::1-2026-11-22-10:05:50", VmcoreFamily.RedHat, "fd00::1", "2026-11-22 10:05:50")]
    [InlineData("192.168.122.101-202611220946", VmcoreFamily.Debian, "192.168.122.101", "2026-11-22 09:46:00")]
    [InlineData("db-7-202611220946", VmcoreFamily.Debian, "db-7", "2026-11-22 09:46:00")]
    [InlineData("202611220946", VmcoreFamily.Debian, null, "2026-11-22 09:46:00")]
    [InlineData("sles-15-2026-11-22-10-05", VmcoreFamily.Suse, "sles-15", "2026-11-22 10:05:00")]
    [InlineData("web01.example.com-2026-11-22-10-05", VmcoreFamily.Suse, "web01.example.com", "2026-11-22 10:05:00")]
    [InlineData("kdump-test-1795340747-123456789", VmcoreFamily.RedHat, null, null)]
    public void The_layouts_of_all_families_are_known(string name, object family, string? host, string? time)
    {
        var parsed = CrashDirectoryName.Parse(name)!;

        Assert.Equal((family, host), (parsed.Family, parsed.Host));
        Assert.Equal(time is null ? null : DateTime.Parse(time, System.Globalization.CultureInfo.InvariantCulture), parsed.LocalTime);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lost+found")]
    [InlineData("old")]
    [InlineData("192.168.122.101")]
    [InlineData("192.168.122.101-202613320946")]
    [InlineData("-202611220946")]
    [InlineData("host-2026-11-22-10:05:50\n")]
    [InlineData("a b-202611220946")]
    [InlineData("../x-202611220946")]
    public void Other_directories_are_not(string name) => Assert.Null(CrashDirectoryName.Parse(name));

    [Theory]
    [InlineData("vmcore", CrashFileRole.Dump)]
    [InlineData("vmcore.flat", CrashFileRole.Dump)]
    [InlineData("dump.202611220946", CrashFileRole.Dump)]
    [InlineData("dump.202611220946.lz4", CrashFileRole.Dump)]
    [InlineData("vmcore.202611220946", CrashFileRole.Dump)]
    [InlineData("vmcore-incomplete", CrashFileRole.TemporaryDump)]
    [InlineData("dump-incomplete.gz", CrashFileRole.TemporaryDump)]
    [InlineData("dmesg.202611220946", CrashFileRole.Dmesg)]
    [InlineData("vmcore-dmesg-incomplete.txt", CrashFileRole.TemporaryDmesg)]
    [InlineData("dump.txt", CrashFileRole.Other)]
    public void Files_have_their_roles(string name, object role) => Assert.Equal(role, CrashFile.RoleOf(name));

    [Fact]
    public void A_host_is_known_by_any_of_its_addresses_and_names()
    {
        var host = new HostIdentity(["192.168.122.101", "FD00:0:0::1", "Web01", "db.example.com", "127.0.0.1", "::1", " "]);

        Assert.True(host.Is("192.168.122.101"));
        Assert.True(host.Is("fd00::1"));
        Assert.True(host.Is("::ffff:192.168.122.101"));
        Assert.True(host.Is("web01"));
        Assert.True(host.Is("web01.example.com"));
        Assert.True(host.Is("db"));
        Assert.True(host.Is("DB.example.com"));
        Assert.False(host.Is("db.example.org"));
        Assert.False(host.Is("192.168.122.10"));
        Assert.False(host.Is("web010"));
        Assert.False(host.Is("127.0.0.1"));
    }

    [Fact]
    public void The_name_inside_a_dump_counts_only_where_its_directory_names_nobody()
    {
        var host = new HostIdentity(["192.168.122.101", "node1"]);

        Assert.True(host.Owns(null, "node1"));
        Assert.True(host.Owns("127.0.0.1", "node1"));
        Assert.False(host.Owns(null, null));
        Assert.False(host.Owns("192.168.122.102", "node1"));
    }

    [Theory]
    [InlineData("debian-flattened-zlib")]
    [InlineData("rhel-lzo")]
    [InlineData("zstd")]
    public void Real_logs_tell_the_panic(string sample) =>
        Assert.Equal("Kernel panic - not syncing: sysrq triggered crash", PanicReason.Find(Samples.Dmesg(sample)));

    [Theory]
    [InlineData("[   95.192939] [    T453] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled", "Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled")]
    [InlineData("[1.0] SysRq : Trigger a crash\n[1.1] BUG: unable to handle kernel NULL pointer dereference at           (null)\n[1.2] Oops: 0002 [#1] SMP", "BUG: unable to handle kernel NULL pointer dereference at           (null)")]
    [InlineData("[1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000\n[1.1] Oops: 0002 [#1]\n[1.2] Kernel panic - not syncing: Fatal exception in interrupt", "BUG: kernel NULL pointer dereference, address: 0000000000000000 (Kernel panic - not syncing: Fatal exception in interrupt)")]
    [InlineData("[1.0] BUG: soft lockup - CPU#0 stuck for 22s!\n[9.0] sysrq: Trigger a crash\n[9.1] Kernel panic - not syncing: sysrq triggered crash", "Kernel panic - not syncing: sysrq triggered crash")]
    [InlineData("[1.0] sysrq: Trigger a crash", "sysrq: Trigger a crash")]
    [InlineData("<1>[1.0] Unable to handle kernel paging request at virtual address dead000000000100\n[1.1] Internal error: Oops: 96000004 [#1] SMP", "Unable to handle kernel paging request at virtual address dead000000000100")]
    [InlineData("[1.4] PCI: if necessary, use \"pci=nocrs\" and report a bug", null)]
    [InlineData("[1.0] Kernel panic - not syncing: \u001b[2Jhostile", "Kernel panic - not syncing: \\x1b[2Jhostile")]
    [InlineData("", null)]
    public void Other_logs_tell_theirs(string log, string? reason) => Assert.Equal(reason, PanicReason.Find(log), ignoreCase: true);

    // Lines of captures that ended well, with dracut's own tools.
    private const string Noise = "[    0.000000] tsc: Unable to calibrate against PIT\n[    0.5] Write protecting the kernel read-only data: 26624k\n" +
        "[    1.0] iTCO_wdt: initialized. heartbeat=30 sec (nowayout=0)\nkdump NetworkManager[301]: <warn>  [1.1] manager: failed to load plugin 'team'\n" +
        "kdump ifup[1]: failed to open /run/network/ifstate: No such file\nkdump systemd[1]: Using 3min 20s as timeout: 200\n";

    [Theory]
    [InlineData("a\nNov 22 10:22:30 localhost kdump[469]: No space left on device\nNov 22 10:22:31 localhost kdump[469]: saving vmcore failed, exitcode:1\nrebooting", "No space left")]
    [InlineData("kdump[469]: saving vmcore failed, exitcode:1\nsystemd: Failed nothing", "saving vmcore failed")]
    [InlineData("kdump[9]: Can't write the dump file. No space left on device\n" + Noise, "No space left")]
    [InlineData(Noise + "Nov 22 10:22:31 localhost kdump[469]: saving vmcore failed, exitcode:1\n" + Noise, "saving vmcore failed")]
    [InlineData(Noise + "bye\n" + Noise, "bye")]
    [InlineData("only this", "only this")]
    public void The_capture_log_tells_the_cause_rather_than_the_failure(string log, string reason) =>
        Assert.Contains(reason, CaptureFailure.FromLog(log), StringComparison.Ordinal);
}
