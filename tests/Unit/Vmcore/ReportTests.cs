using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Reports from real dumps: small ones of this repository, and the whole ones they were cut from.</summary>
public class ReportTests
{
    public static TheoryData<string> Small => ["lzo.mini", "zstd.mini"];

    [Theory]
    [MemberData(nameof(Small))]
    public void The_report_of_a_small_real_dump(string name)
    {
        using var image = VmcoreImage.Open(Samples.File(name));
        Check(ReportBuilder.FromDump(image, "/dumps/vmcore"), name == "zstd.mini" ? "swapper/0" : "bash");
    }

    [SkippableTheory]
    [InlineData("debian-flattened-zlib.vmcore", "bash")]
    [InlineData("rhel-lzo.vmcore", "bash")]
    [InlineData("zstd.vmcore", "swapper/0")]
    public void The_report_of_a_whole_dump(string name, string task)
    {
        using var image = VmcoreImage.Open(SharedSamples.PathOf(name));
        Check(ReportBuilder.FromDump(image, "/dumps/vmcore"), task);
    }

    [Fact]
    public void The_report_of_a_small_real_aarch64_dump()
    {
        using var image = VmcoreImage.Open(Samples.File("aarch64.mini"));
        Assert.Equal(Samples.Dmesg("aarch64"), image.ReadLog().ToText());
        var report = ReportBuilder.FromDump(image, "/dumps/vmcore");
        Assert.Equal(("aarch64", PanicKind.Sysrq, "arm1", "init", 1), (report.Machine, report.Kind, report.CrashedHost, report.TaskName, report.TaskPid));
        Assert.Equal("linux,dummy-virt (DT)", report.MachineModel);
        Assert.Equal(("6.1.0-56-cloud-arm64", "linux-image-6.1.0-56-cloud-arm64-dbg"), (report.Release, report.DebugPackage));
        Assert.Equal("__crash_kexec+0x178/0x184", Assert.Single(report.CpuPosition).Symbol);
        // panic() was the last instruction of sysrq_handle_crash: the trace has the name of what lies behind it.
        Assert.Contains(report.CallTrace, f => f is { Function: "sysrq_reset_seq_param_set", Offset: "0x0/0xa0" });
        Assert.Equal("__handle_sysrq", report.FaultingFunction);
        Assert.Contains(report.CallTrace, f => f is { Function: "write_sysrq_trigger", Offset: "0x7c/0xc0", Reliable: true });
        Assert.Empty(report.Missing);
    }

    private static void Check(VmcoreReport report, string task)
    {
        Assert.Equal(PanicKind.Sysrq, report.Kind);
        Assert.Equal("6.1.0-56-cloud-amd64", report.Release);
        Assert.Equal("node1", report.CrashedHost);
        Assert.Equal(40, report.BuildId!.Length);
        Assert.StartsWith("QEMU Standard PC (Q35 + ICH9, 2009)", report.MachineModel, StringComparison.Ordinal);
        Assert.Equal(2026, report.CrashTime!.Value.Year);
        Assert.InRange(report.Uptime!.Value.TotalSeconds, 20, 3600);
        Assert.Equal((1, 0, task), (report.CpuCount, report.PanicCpu, report.TaskName));
        Assert.Equal("", report.Taint);
        Assert.Empty(report.Missing);
        Assert.Equal("linux-image-6.1.0-56-cloud-amd64-dbg", report.DebugPackage);
        Assert.Equal("crash /usr/lib/debug/boot/vmlinux-6.1.0-56-cloud-amd64 /dumps/vmcore", report.CrashCommand);
        Assert.Equal("drgn -c /dumps/vmcore -s /usr/lib/debug/boot/vmlinux-6.1.0-56-cloud-amd64", report.DrgnCommand);
        Assert.Equal("1:Sysrq:-:", report.Signature![..10]);
        Assert.Contains(report.CallTrace, f => f is { Function: "sysrq_handle_crash", Offset: "0x16/0x20", Reliable: true });
        Assert.Contains(report.CallTrace, f => f is { Function: "_printk", Reliable: false });
        Assert.Matches(@"^\w+\+0x[0-9a-f]+/0x[0-9a-f]+$", report.CpuPosition.Single().Symbol);
        Assert.Contains(report.LogTail, l => l == "Kernel panic - not syncing: sysrq triggered crash");
        var text = ReportText.Of(report);
        Assert.StartsWith("What         Sysrq", text, StringComparison.Ordinal);
        Assert.Contains("? _printk+0x", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Small))]
    public void The_log_of_a_small_real_dump(string name)
    {
        using var image = VmcoreImage.Open(Samples.File(name));
        var log = image.ReadLog();
        Assert.Equal(0, log.MissingBytes);
        Assert.EndsWith(Samples.Dmesg(name == "zstd.mini" ? "zstd" : "rhel-lzo").TrimEnd()[^200..], log.ToText().TrimEnd(), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("rhel-lzo.vmcore", "lzo.mini")]
    [InlineData("zstd.vmcore", "zstd.mini")]
    [InlineData("aarch64-zlib.vmcore", "aarch64.mini")]
    public void The_small_dumps_are_cut_from_the_whole_ones(string whole, string small)
    {
        var cut = DumpCutter.Cut(SharedSamples.PathOf(whole));
        if (Environment.GetEnvironmentVariable("KDUMPNFS_WRITE_SAMPLES") == "1")
        {
            File.WriteAllBytes(Samples.File(small), cut);
        }

        Assert.Equal(File.ReadAllBytes(Samples.File(small)), cut);
    }

    [Fact]
    public void A_saved_log_gives_a_report_too()
    {
        var report = ReportBuilder.FromLog("""
            [    0.000000] Linux version 4.18.0-305.el8.x86_64 (mockbuild@x86) (gcc) #1 SMP Thu Apr 29 08:54:30 EDT 2021
            [    0.000000] DMI: Dell Inc. PowerEdge R640/0H28RR, BIOS 2.10.2 02/24/2021
            [ 9000.000001] INFO: task umount:771 blocked for more than 120 seconds.
            [ 9000.000002]       Tainted: G           OE    --------- -  - 4.18.0-305.el8.x86_64 #1
            [ 9000.000003] umount          D    0   771      1 0x00000080
            [ 9000.000004] Call Trace:
            [ 9000.000005]  __schedule+0x2c4/0x700
            [ 9000.000006]  schedule+0x37/0xa0
            [ 9000.000007]  rwsem_down_write_slowpath+0x1f4/0x3f0
            [ 9000.000008]  ? _cond_resched+0x15/0x30
            [ 9000.000009]  xfs_log_quiesce+0x35/0xa0 [xfs]
            [ 9000.000010]  do_syscall_64+0x5b/0x1a0
            [ 9000.000011] Kernel panic - not syncing: hung_task: blocked tasks
            [ 9000.000012] CPU: 7 PID: 120 Comm: khungtaskd Kdump: loaded Tainted: G           OE    --------- -  - 4.18.0-305.el8.x86_64 #1
            """, "/tmp/dmesg.txt");

        Assert.Equal((PanicKind.HungTask, "umount", 771), (report.Kind, report.TaskName, report.TaskPid));
        Assert.Equal("rwsem_down_write_slowpath", report.FaultingFunction);
        Assert.Contains(report.CallTrace, f => f is { Function: "xfs_log_quiesce", Module: "xfs", Reliable: true });
        Assert.Equal("Dell Inc. PowerEdge R640/0H28RR, BIOS 2.10.2 02/24/2021", report.MachineModel);
        Assert.Equal("kernel-debuginfo-4.18.0-305.el8.x86_64", report.DebugPackage);
        Assert.Equal(["O", "E"], report.TaintFlags.Select(t => t.Letter.ToString()));
        Assert.Null(report.CrashCommand);
    }

    [Theory]
    [InlineData("SysRq : Trigger a crash\n[  5.0] BUG: unable to handle kernel NULL pointer dereference at (null)\n[  5.1] IP: [<ffffffff813f1e66>] sysrq_handle_crash+0x16/0x20\n[  5.2] Oops: 0002 [#1] SMP", PanicKind.Sysrq)]
    [InlineData("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", PanicKind.BootFailure)]
    [InlineData("Kernel panic - not syncing: NMI: Not continuing", PanicKind.Nmi)]
    [InlineData("divide error: 0000 [#1] SMP PTI\n[  5.1] RIP: 0010:foo+0x1/0x2\n[  5.2] Kernel panic - not syncing: Fatal exception", PanicKind.DivideError)]
    [InlineData("Kernel panic - not syncing: my_driver: cannot go on", PanicKind.Panic)]
    [InlineData("all is well", PanicKind.Unknown)]
    public void Kinds(string text, PanicKind kind) => Assert.Equal(kind, PanicLog.Read("[    1.0] " + text).Kind);

    [Theory]
    [InlineData("5.10.0-60.18.0.50.oe2203.x86_64", "", "kernel-debuginfo-5.10.0-60.18.0.50.oe2203.x86_64")]
    [InlineData("4.18.0-305.el8.x86_64+debug", "", "kernel-debug-debuginfo-4.18.0-305.el8.x86_64")]
    [InlineData("5.15.0-91-generic", "#101-Ubuntu SMP", "linux-image-unsigned-5.15.0-91-generic-dbgsym")]
    [InlineData("5.14.21-150400.24.11-default", "#1 SMP", "kernel-default-debuginfo-5.14.21-150400.24.11")]
    [InlineData("6.6.0-custom", "#1", null)]
    [InlineData("$(reboot)", "#1", null)]
    public void Debug_packages(string release, string build, string? package) => Assert.Equal(package, DebugSymbols.For(release, build).Package);
}
