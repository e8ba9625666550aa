using KdumpNfs.Kdump;
using KdumpNfs.Readiness;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Tests.Unit.Readiness;

public sealed class ReadinessTests
{
    private const long Now = ReadyHost.Now;

    private static HostReadiness With(Action<ReadyReport> change, bool probe = true)
    {
        var report = new ReadyReport(probe);
        change(report);
        return report.Judge();
    }

    private static ReadinessCheck One(string name, Action<ReadyReport> change, bool probe = true) => With(change, probe).Check(name)!;

    private static void Fails(string name, Action<ReadyReport> change) => Assert.Equal([name], With(change).Failed);

    [Fact]
    public void A_host_on_which_all_is_well_passes_every_check()
    {
        var result = With(_ => { });
        Assert.Empty(result.Failed);
        Assert.Empty(result.Warned.Except([Sysrq]));
        Assert.Equal([LastDrill], result.NotChecked);
        Assert.True(result.Passed);
        Assert.Equal(KdumpState.Probed, result.State);
        Assert.Equal(ReadinessCheckNames.All, result.Checks.Select(c => c.Name));
        Assert.Equal(1900000L * 1024, result.StoreFreeBytes);
        Assert.Equal(ReadinessCheckNames.All.Count, ReadinessCheckNames.All.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void What_is_not_probed_is_not_checked_and_proves_nothing()
    {
        var result = With(_ => { }, probe: false);
        Assert.True(result.Passed);
        Assert.Equal(KdumpState.Configured, result.State);
        Assert.Equal([ExportMountable, DumpPathExists, DumpPathWritable, SecurityFlavour, FreeSpace, NfsMounts, LastDrill], result.NotChecked);
    }

    [Fact]
    public void A_drill_that_still_holds_proves_and_one_that_does_not_warns()
    {
        static DrillRecord Drill(string verdict) => DrillRecord.Of(new ReadyHost().Facts(), new ReadyHost().Status().Target!, "b", DateTimeOffset.UnixEpoch, verdict);
        Assert.Equal(KdumpState.Proven, With(r => r.Host["drill"] = Drill(DrillRecord.CapturedVerdict).ToJson()).State);
        var rebuilt = With(r => { r.Host["drill"] = Drill(DrillRecord.CapturedVerdict).ToJson(); r.Host["image.time"] = ReadyHost.Number(Now - 390); });
        Assert.Equal(CheckOutcome.Warn, rebuilt.Check(LastDrill)!.Outcome);
        Assert.Equal(KdumpState.Probed, rebuilt.State);
        Assert.Equal(CheckOutcome.Warn, One(LastDrill, r => r.Host["drill"] = Drill("NotCaptured").ToJson()).Outcome);
    }

    [Fact]
    public void Each_fault_is_named_alone()
    {
        Fails(MemoryReserved, r => r.Host["crash.size"] = "0");
        Fails(ServiceActive, r => r.Host["service.show"] = "ActiveState=failed\nUnitFileState=enabled\nResult=exit-code");
        Fails(ServiceEnabled, r => r.Host["service.show"] = "ActiveState=active\nUnitFileState=disabled");
        Fails(CrashKernelLoaded, r => r.Host["crash.loaded"] = "0");
        Fails(BootParameters, r => r.More["grubby.info"] = "index=0\nkernel=\"/boot/vmlinuz-5.14.0-427.el9.x86_64\"\nargs=\"ro\"\ntitle=\"Rocky\"\n");
        Fails(Configuration, r => r.Host.Config("/etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\npath /var/crash\nnonsense 1\n", Now - 500));
        Fails(ImageCurrent, r => r.More["watched"] = $"{Now - 10} {Now - 10} - /etc/fstab");
        Fails(ImageCurrent, r => { r.Host.Config("/etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\nextra_bins /usr/bin/x\n", Now - 500); r.More["watched"] = "- - - /usr/bin/x"; });
        Fails(ImageTarget, r => r.More["image:etc/kdump.conf"] = "nfs 192.168.122.1:/data/other\npath /var/crash\n");
        Fails(ImageNetwork, r => r.More["image.cmdline"] = "kdump_remote_ip=192.168.122.9");
        Fails(ImageNetwork, r => r.More["nic"] = "eth1 card 52:54:00:00:00:01 virtio_net");
        Fails(ImageNetwork, r => r.More["route"] = "192.168.122.1 dev eth1 src 192.168.122.77 uid 0");
        Fails(ImageModules, r => r.More["nic"] = "eth1 card 52:54:00:7a:01:66 mlx5_core");
        Fails(TargetResolves, r => r.More["resolved"] = "");
        Fails(ExportMountable, r => r.Probe!.Set("probe.status", "91"));
        Fails(DumpPathExists, r => r.Probe!.Set("probe.status", "92"));
        Fails(DumpPathWritable, r => r.Probe!.Set("probe.status", "93"));
        Fails(SecurityFlavour, r => r.Host["fstab"] = "192.168.122.1:/data/nfs_share /mnt nfs rw,sec=krb5p 0 0");
        Fails(FreeSpace, r => r.Probe!.Set("probe.words", "mount: x nfs4 rw,sec=sys\nspace: 2000000 100"));
        Fails(ReadinessCheckNames.CoreCollector, r => r.Host.Config("/etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\ncore_collector makedumpfile -z -d 31\n", Now - 500));
        Fails(ReadinessCheckNames.CoreCollector, r => { r.More["params.status"] = "1"; r.More["params"] = "Commandline parameter is invalid."; });
        Fails(Fencing, r => { r.More.Set("cluster.active", "corosync", "pacemaker"); r.More["cib.fence_kdump"] = "0"; });
        Fails(Watchdog, r => { r.More["watchdog"] = "watchdog0 active 30 iTCO_wdt"; r.More["watchdog.identity"] = "iTCO_wdt"; });
    }

    [Fact]
    public void Without_a_target_the_target_fails_and_what_depends_on_it_is_not_checked()
    {
        var result = With(r => r.Host.Config("/etc/kdump.conf", "path /var/crash\n", Now - 500));
        Assert.Contains(Target, result.Failed);
        Assert.Equal(CheckOutcome.NotChecked, result.Check(ExportMountable)!.Outcome);
        Assert.Equal(KdumpState.NotReady, result.State);
    }

    [Fact]
    public void A_watchdog_is_harmless_when_it_is_served_slow_idle_or_part_of_the_kernel()
    {
        static CheckOutcome Outcome(string device, string identity, string modules = "") => One(Watchdog, r =>
        {
            r.More["watchdog"] = device;
            r.More["watchdog.identity"] = identity;
            r.More["image.modules"] = modules;
        }).Outcome;
        Assert.Equal(CheckOutcome.Pass, Outcome("watchdog0 inactive 30 iTCO_wdt", "iTCO_wdt"));
        Assert.Equal(CheckOutcome.Pass, Outcome("watchdog0 active 30 ", "Software Watchdog"));
        Assert.Equal(CheckOutcome.Pass, Outcome("watchdog0 active 600 hpwdt", "HPE iLO2+ HW Watchdog Timer"));
        Assert.Equal(CheckOutcome.Pass, Outcome("watchdog0 active 30 iTCO_wdt", "iTCO_wdt", "iTCO_wdt"));
        Assert.Equal(CheckOutcome.Warn, Outcome("watchdog0 active 10 iTCO_wdt", "iTCO_wdt", "iTCO_wdt"));
        Assert.Equal(CheckOutcome.Fail, Outcome("watchdog0 active 30 iTCO_wdt", "iTCO_wdt"));
    }

    [Fact]
    public void A_cluster_is_harmless_when_it_waits_for_the_dump_or_fences_nobody()
    {
        static CheckOutcome Outcome(Action<ReadyReport> change) => One(Fencing, r => { r.More.Set("cluster.active", "corosync"); change(r); }).Outcome;
        Assert.Equal(CheckOutcome.Warn, Outcome(_ => { }));
        Assert.Equal(CheckOutcome.Pass, Outcome(r => r.More["cib.stonith"] = "<nvpair name=\"stonith-enabled\" value=\"false\"/>"));
        Assert.Equal(CheckOutcome.Fail, Outcome(r => r.More["cib.fence_kdump"] = "1"));
        Assert.Equal(CheckOutcome.Pass, Outcome(r => { r.More["cib.fence_kdump"] = "1"; r.More["image:etc/kdump.conf"] = "nfs 192.168.122.1:/data/nfs_share\nfence_kdump_nodes n2\n"; }));
    }

    [Fact]
    public void What_only_needs_a_look_warns_and_passes()
    {
        foreach (var (name, change) in new (string, Action<ReadyReport>)[]
        {
            (Clock, r => r.Controller += TimeSpan.FromMinutes(5)),
            (Clock, r => r.More["ntp"] = "NTPSynchronized=no"),
            (PanicPolicy, r => r.More["sysctl.panic"] = "0"),
            (PanicPolicy, r => r.More["sysctl.panic_on_oops"] = "0"),
            (AfterDump, r => r.Host.Config("/etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\nfailure_action shell\n", Now - 500)),
            (AfterDump, r => r.Host.Config("/etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\nfinal_action poweroff\n", Now - 500)),
            (ChangesSurviveReboot, r => r.Host["mounts"] = "overlay / overlay rw 0 0\n"),
            (MemoryEnough, r => r.Host["image.size"] = ReadyHost.Number(60L << 20)),
            (LoadedImage, r => r.More["unit"] = "StateChangeTimestampMonotonic=99000000000"),
            (NfsMounts, r => { r.Probe!.Set("nfs.asked", "1"); r.Probe.Set("nfs.hung", "/mnt/dead"); }),
            (FreeSpace, r => r.Probe!.Set("probe.words", "mount: x nfs4 rw,sec=sys\nspace: 2000000 30000")),
        })
        {
            var result = With(change);
            Assert.True(result.Passed, name);
            Assert.Contains(name, result.Warned);
            Assert.False(string.IsNullOrEmpty(result.Check(name)!.Remedy));
        }
    }

    [Fact]
    public void A_full_store_is_not_blamed_on_its_permissions()
    {
        var result = With(r =>
        {
            r.Probe!.Set("probe.status", "93");
            r.Probe.Set("probe.words", "mount: x nfs4 rw,sec=sys\nspace: 2000000 0\nsh: echo: I/O error: No space left on device");
        });
        Assert.Equal([FreeSpace], result.Failed);
        Assert.Equal(CheckOutcome.NotChecked, result.Check(DumpPathWritable)!.Outcome);
    }

    [Theory]
    [InlineData(1_000_000, CheckOutcome.Pass)]
    [InlineData(100_000, CheckOutcome.Warn)]
    [InlineData(10_000, CheckOutcome.Fail)]
    public void Where_pages_cannot_be_counted_the_room_is_judged_by_the_kernels_own_counters(int freeKiB, CheckOutcome outcome)
    {
        const string Counters = """
            MemTotal:         377139 kB
            MemFree:          169724 kB
            Buffers:            5000 kB
            Cached:            60000 kB
            SwapCached:            0 kB
            AnonPages:          9848 kB
            """;
        var result = With(r =>
        {
            r.Count!.Set("memusage", "The kernel version is not supported.\nmakedumpfile Failed.\nmakedumpfile ended with exit status 1.");
            r.Count.Set("meminfo.all", Counters);
            r.Count.Set("page.size", "4096");
            r.Probe!.Set("probe.words", $"mount: x nfs4 rw,sec=sys\nspace: 2000000 {freeKiB}");
        });
        var check = result.Check(FreeSpace)!;
        Assert.Equal(outcome, check.Outcome);
        Assert.Matches(@"a dump needs [\d,]+ MiB to [\d,]+ MiB \(coarse: \w[^)]{20,}\)", check.Evidence);
        Assert.True(result.EstimateCoarse);

        // More than makedumpfile's count of the same host would give, so that what fits is no promise that cannot be kept.
        Assert.True(result.EstimateBytes > With(_ => { }).EstimateBytes);
        Assert.False(With(_ => { }).EstimateCoarse);
    }

    [Fact]
    public void A_host_that_boots_from_elsewhere_is_told_so()
    {
        var check = One(BootParameters, r => r.More["cmdline"] = "root=/dev/vda crashkernel=192M");
        Assert.Equal(CheckOutcome.NotChecked, check.Outcome);
        Assert.Contains("BOOT_IMAGE", check.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_mechanism_does_not_pass_unseen()
    {
        var result = With(r => { r.Host["fadump.enabled"] = "1"; r.Host["crash.loaded"] = "0"; });
        Assert.Equal([Mechanism], result.Failed);
        Assert.Equal(KdumpState.NotSupported, result.State);
    }

    [Fact]
    public void Old_images_name_the_network_on_their_command_line()
    {
        void Old(ReadyReport r, string ip) => r.More.Set("image.cmdline", $"ip={ip} ifname=kdump-eth1:52:54:00:7a:01:66\n", "kdump_remote_ip=192.168.122.1");
        Assert.Equal(CheckOutcome.Pass, One(ImageNetwork, r => { r.More.Remove("image.profile"); Old(r, "192.168.122.20::192.168.122.254:255.255.255.0::kdump-eth1:none"); }).Outcome);
        Assert.Equal(CheckOutcome.Pass, One(ImageNetwork, r => { r.More.Remove("image.profile"); Old(r, "kdump-eth1:dhcp"); }).Outcome);
        Assert.Equal(CheckOutcome.Fail, One(ImageNetwork, r => { r.More.Remove("image.profile"); Old(r, "192.168.122.21::192.168.122.254:255.255.255.0::kdump-eth1:none"); }).Outcome);
    }

    [Fact]
    public void An_image_that_cannot_be_looked_into_is_not_checked()
    {
        var result = With(r => r.More.Remove("lsinitrd"));
        Assert.True(result.Passed);
        Assert.Equal([ImageTarget, ImageNetwork, ImageModules, LastDrill], result.NotChecked);
    }
}
