using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>
/// The main job on real kernels, in order: export, refuse what cannot work, configure, roll back, crash, collect. node1 is Debian with
/// its own kdump-tools; node2 has our kdumpctl stand-in (see lab/README.md) and dumps for real.
/// </summary>
public sealed class MainJobTests(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    private const string ExportPath = "/data/nfs_share";
    private const string OtherExport = "/data/other_share";
    private const string DumpPath = "/var/crash";
    private static string DropInOf(KdumpStatus status) => $"/run/systemd/system/{UnitOf(status)}.d/zz-lab.conf";

    private NfsTargetRequest Request(string export = ExportPath, string? dumpPath = DumpPath, bool create = false) =>
        NfsTargetRequest.Create(Lab.StoreAddress, export, dumpPath, null, null, create);

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> SetTarget(NfsTargetRequest request) =>
        (host, context, token) => new SetNfsTargetOperation(Lab.Access, request).RunAsync(host, null, context, token);

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Export(string path, string client, string? dumpPath, bool create, params string[] options) =>
        (host, context, token) => new EnableNfsExportOperation(Lab.Access, NfsExportRequest.Create(path, client, options, dumpPath, create, requireMount: false))
            .RunAsync(host, context, token);

    private async Task StatusAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new KdumpStatusOperation(Lab.Access).RunAsync(host, context, token));

    private static string ConfigOf(KdumpStatus status) => status.Family == HostFamily.Debian ? "/etc/default/kdump-tools" : "/etc/kdump.conf";

    private static string UnitOf(KdumpStatus status) => status.Family == HostFamily.Debian ? "kdump-tools.service" : "kdump.service";

    // What must not move when a change is refused or has nothing to do: file, its time, the service's start, the image.
    private async Task<string> TracesAsync(SshHost host)
    {
        var status = One<KdumpStatus>(StatusAsync, host);
        return await ShellAsync(host, $"""
            sha256sum {ConfigOf(status)}; stat -c '%n %Y %i %a %U' {ConfigOf(status)}
            systemctl show -p ActiveEnterTimestampMonotonic -p ActiveState {UnitOf(status)}
            cat /sys/kernel/kexec_crash_loaded
            ls -la --time-style=full-iso {status.Image?.Path}
            ls /etc/*.bak /etc/default/*.bak 2>/dev/null
            exit 0
            """);
    }

    [SkippableFact, Step(10)]
    public void Nodes_without_a_target_are_not_ready_and_say_why()
    {
        NeedLab();
        foreach (var (host, family) in new[] { (Lab.Node1, HostFamily.Debian), (Lab.Node2, HostFamily.RedHat) })
        {
            var status = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal(family, status.Family);
            Assert.Equal(KdumpState.NotReady, status.State);
            Assert.Equal([NotReadyReason.TargetMissing], status.NotReadyReason);
            Assert.True(status.Loaded);
            Assert.True(status.ReservedBytes > 64 << 20);
            // Until there is a network target, a dump would go to the local disk of either.
            Assert.True(status.DependsOnLocalDisk);
        }
    }

    [SkippableFact, Step(11)]
    public void A_crash_of_a_host_that_is_not_ready_is_refused()
    {
        NeedLab();
        var error = Failure(async (host, context, token) => context.Output(await new SysrqCrashOperation(Lab.Access).ProbeAsync(host, null, context, token)), Lab.Node1);
        Assert.Equal(ErrorIds.NotReady, error.ErrorId);
        Assert.Contains("TargetMissing", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact, Step(20)]
    public async Task Export_is_made_once_and_touches_nothing_else()
    {
        NeedLab();
        await ShellAsync(Lab.Storage, "printf '# kept  by us\\n/data/old\\t192.168.122.7(ro)   # tail' >/etc/exports; mkdir -p /data/old /data/byhand /data/squashed/var/crash");
        var asked = Run(Export(ExportPath, Lab.Subnet, DumpPath, create: true), answer: false, Lab.Storage);
        Assert.Empty(asked.Errors);
        Assert.Empty(asked.Outputs);
        var question = Assert.Single(asked.Questions);
        Assert.Contains($"+{ExportPath}", question.Description, StringComparison.Ordinal);
        Assert.Equal("no", await ShellAsync(Lab.Storage, $"[ -e {ExportPath} ] && echo yes || echo no"));

        var change = One<NfsExportChange>(Export(ExportPath, Lab.Subnet, DumpPath, create: true), Lab.Storage);
        Assert.True(change.Changed);
        Assert.Contains(ExportPath + DumpPath, change.Created);
        Assert.Equal("700 root", await ShellAsync(Lab.Storage, $"stat -c '%a %U' {ExportPath}{DumpPath}"));
        var text = await ShellAsync(Lab.Storage, "cat /etc/exports");
        Assert.StartsWith("# kept  by us\n/data/old\t192.168.122.7(ro)   # tail\n", text, StringComparison.Ordinal);
        Assert.Equal("active enabled", await ShellAsync(Lab.Storage, "echo $(systemctl is-active nfs-server) $(systemctl is-enabled nfs-server)"));

        // An export that is in no file, as a cluster makes them, must survive the next change.
        await ShellAsync(Lab.Storage, "exportfs -o ro,no_subtree_check 192.168.122.9:/data/byhand");
        var squashed = One<NfsExportChange>(Export("/data/squashed", Lab.Subnet, null, create: false, "rw", "sync", "root_squash", "no_subtree_check"), Lab.Storage);
        Assert.True(squashed.Changed);
        Assert.Empty(squashed.Started);
        Assert.Contains("/data/byhand", await ShellAsync(Lab.Storage, "exportfs -v"), StringComparison.Ordinal);

        var before = await ShellAsync(Lab.Storage, "sha256sum /etc/exports; stat -c '%Y %i' /etc/exports; systemctl show -p ActiveEnterTimestampMonotonic nfs-server; ls /etc");
        var again = One<NfsExportChange>(Export(ExportPath, Lab.Subnet, DumpPath, create: true), Lab.Storage);
        Assert.False(again.Changed);
        Assert.Equal(before, await ShellAsync(Lab.Storage, "sha256sum /etc/exports; stat -c '%Y %i' /etc/exports; systemctl show -p ActiveEnterTimestampMonotonic nfs-server; ls /etc"));

        var listed = Run((host, context, token) => new GetNfsExportOperation(Lab.Access).RunAsync(host, context, token), true, Lab.Storage).Outputs.Cast<NfsExport>().ToList();
        Assert.Contains(listed, e => e is { ExportPath: ExportPath, Live: true, RootAllowed: true, File: "/etc/exports" } && e.Client == Lab.Subnet);
        Assert.Contains(listed, e => e is { ExportPath: "/data/byhand", Live: true, File: null });
        // Not exported by hand or by us, only in the file: nothing here may have exported it in passing… but the server's start did.
        Assert.Contains(listed, e => e.ExportPath == "/data/old");
    }

    [SkippableFact, Step(21)]
    public async Task Require_mount_refuses_a_directory_of_a_bigger_file_system()
    {
        NeedLab();
        var before = await ShellAsync(Lab.Storage, "sha256sum /etc/exports");
        var error = Failure((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create("/data/nfs_share", "192.168.122.9", null, null, false, requireMount: true)).RunAsync(host, context, token), Lab.Storage);
        Assert.Equal(ErrorIds.NotAMountPoint, error.ErrorId);
        Assert.Equal(before, await ShellAsync(Lab.Storage, "sha256sum /etc/exports"));
        var good = One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create("/data", "192.168.122.9", null, null, false, requireMount: true)).RunAsync(host, context, token), Lab.Storage);
        Assert.Contains("mountpoint", good.Option);
    }

    [SkippableFact, Step(30)]
    public async Task What_the_export_does_not_take_is_refused_before_the_file_is_touched()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            var before = await TracesAsync(host);
            var missing = Failure(SetTarget(Request(dumpPath: "/no/such/path")), host);
            Assert.Equal(ErrorIds.DumpPathMissing == missing.ErrorId ? ErrorIds.DumpPathMissing : ErrorIds.ExportNotMountable, missing.ErrorId);
            Assert.False(string.IsNullOrWhiteSpace(missing.HostSaid));

            var denied = Failure(SetTarget(Request("/data/old")), host);
            Assert.Equal(ErrorIds.ExportNotMountable, denied.ErrorId);
            Assert.Matches("access denied|No such file|Connection refused", denied.HostSaid!);

            var squashed = Failure(SetTarget(Request("/data/squashed", "/var/new", create: true)), host);
            Assert.Equal(ErrorIds.DumpPathNotWritable, squashed.ErrorId);
            Assert.Contains("Enable-NfsExport", squashed.Message, StringComparison.Ordinal);
            Assert.Contains("Permission denied", squashed.HostSaid!, StringComparison.Ordinal);

            var zstd = Failure((h, context, token) => new SetNfsTargetOperation(Lab.Access,
                NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, VmcoreCompression.Zstd, false)).RunAsync(h, null, context, token), host);
            Assert.Equal(ErrorIds.CompressionNotSupported, zstd.ErrorId);
            Assert.Equal(before, await TracesAsync(host));
            Assert.Equal("", await ShellAsync(host, "grep 192.168.122.1: /proc/mounts; ls /run/kdumpnfs 2>/dev/null; exit 0"));
        });
    }

    [SkippableFact, Step(31)]
    public async Task What_if_shows_the_diff_and_touches_nothing()
    {
        NeedLab();
        var before = await TracesAsync(Lab.Node2);
        var front = Run(SetTarget(Request()), answer: false, Lab.Node2);
        Assert.Empty(front.Errors);
        Assert.Empty(front.Outputs);
        Assert.Contains($"+nfs {Lab.StoreAddress}:{ExportPath}", Assert.Single(front.Questions).Description, StringComparison.Ordinal);
        Assert.Equal(before, await TracesAsync(Lab.Node2));
    }

    [SkippableFact, Step(40)]
    public async Task Target_is_set_once_and_the_image_is_the_new_one()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            // A path that is made on the way; the directory of the crash tests was made on the store.
            var created = One<NfsTargetChange>(SetTarget(Request(dumpPath: $"/made/from/{host.HostName}", create: true)), host);
            Assert.True(created is { Changed: true, PathCreated: true });
            Assert.Equal("700", await ShellAsync(Lab.Storage, $"stat -c %a {ExportPath}/made/from/{host.HostName}"));

            var change = One<NfsTargetChange>(SetTarget(Request()), host);
            Assert.True(change.Changed);
            Assert.Equal($"{Lab.StoreAddress}:{ExportPath}{DumpPath}", change.Target!.Location);
            Assert.Equal(change.Family == HostFamily.RedHat, change.ImageRebuilt);
            Assert.NotNull(change.Image);
            Assert.NotNull(change.Backup);

            var status = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal((KdumpState.Configured, true), (status.State, status.Loaded));
            Assert.Equal(DumpLevel.All, status.DumpLevel);

            var before = await TracesAsync(host);
            var again = One<NfsTargetChange>(SetTarget(Request()), host);
            Assert.False(again.Changed);
            Assert.Equal(before, await TracesAsync(host));
            Assert.Equal("", await ShellAsync(host, "ls /run/kdumpnfs 2>/dev/null; exit 0"));
        });
    }

    [SkippableFact, Step(50)]
    public async Task Estimate_counts_pages()
    {
        NeedLab();
        await EachNodeAsync(host =>
        {
            var estimate = One<HostVmcoreEstimate>(async (h, context, token) => context.Output(await new VmcoreEstimateOperation(Lab.Access).RunAsync(h, context, token)), host);
            Lab.Estimates[host.HostName] = estimate;
            Assert.True(estimate.KeptBytes > 10 << 20);
            return Task.CompletedTask;
        });
    }

    [SkippableFact, Step(60)]
    public async Task A_service_that_fails_with_the_new_file_is_rolled_back()
    {
        NeedLab();
        await ShellAsync(Lab.Storage, $"mkdir -p -m 700 {OtherExport}{DumpPath}");
        One<NfsExportChange>(Export(OtherExport, Lab.Subnet, DumpPath, create: true), Lab.Storage);
        await EachNodeAsync(async host =>
        {
            var status = One<KdumpStatus>(StatusAsync, host);
            var file = ConfigOf(status);
            var dropIn = DropInOf(status);
            await ShellAsync(host, $"""
                mkdir -p {Path.GetDirectoryName(dropIn)}
                printf '[Service]\nExecStartPre=/bin/sh -c "if grep -q other_share {file}; then echo the lab says no >&2; exit 1; fi"\n' >{dropIn}
                systemctl daemon-reload
                """);
            var before = await ShellAsync(host, $"sha256sum <{file}; stat -c '%a %U %G' {file}");
            var error = Failure(SetTarget(Request(OtherExport)), host);
            Assert.Equal(ErrorIds.ChangeRolledBack, error.ErrorId);
            Assert.Contains("the lab says no", error.Message, StringComparison.Ordinal);
            Assert.Equal(before, await ShellAsync(host, $"sha256sum <{file}; stat -c '%a %U %G' {file}"));
            Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, host).State);

            // Now with a service that fails whatever the file says.
            await ShellAsync(host, $"printf '[Service]\\nExecStartPre=/bin/sh -c \"echo broken for good >&2; exit 1\"\\n' >{dropIn}; systemctl daemon-reload");
            var both = Failure(SetTarget(Request(OtherExport)), host);
            Assert.Equal(ErrorIds.RollbackFailed, both.ErrorId);
            Assert.Contains("NOT armed", both.Message, StringComparison.Ordinal);
            Assert.Contains("broken for good", both.Message, StringComparison.Ordinal);
            Assert.Equal(before, await ShellAsync(host, $"sha256sum <{file}; stat -c '%a %U %G' {file}"));
            Assert.Contains(NotReadyReason.ServiceNotActive, One<KdumpStatus>(StatusAsync, host).NotReadyReason);

            // The cause mended, the next run finishes: the file is as asked for, the host is not armed with it.
            await ShellAsync(host, $"rm {dropIn}; systemctl daemon-reload; systemctl reset-failed {UnitOf(status)}");
            var finished = One<NfsTargetChange>(SetTarget(Request()), host);
            Assert.True(finished.Changed);
            Assert.Equal("", finished.Diff);
            Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, host).State);
        });
    }

    [SkippableFact, Step(61)]
    public async Task A_controller_that_dies_between_rename_and_restart_leaves_an_armed_host()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            var status = One<KdumpStatus>(StatusAsync, host);
            var dropIn = DropInOf(status);
            // The service takes its time, so that the cut comes between the rename and the end of the restart.
            await ShellAsync(host, $"printf '[Service]\\nExecStartPre=/bin/sleep 12\\n' >{dropIn}; systemctl daemon-reload");
            using (var fleet = new Fleet.FleetRun(1))
            {
                var front = new RecordingFront(Out) { OnVerbose = text => { if (text.Contains("Loading", StringComparison.Ordinal)) { fleet.Cancel(); } } };
                fleet.Start(host.HostName, (context, token) => SetTarget(Request(OtherExport))(host, context, token));
                Fleet.FleetPump.Finish(fleet, front);
                Assert.Equal(ErrorIds.Cancelled, Assert.Single(front.Errors).ErrorId);
            }

            Assert.Equal("new", await ShellAsync(host, $"grep -q other_share {ConfigOf(status)} && echo new"));
            var watch = Stopwatch.StartNew();
            while (One<KdumpStatus>(StatusAsync, host) is { State: KdumpState.NotReady } && watch.Elapsed < TimeSpan.FromMinutes(4))
            {
                await Task.Delay(2000);
            }

            var after = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal((KdumpState.Configured, true), (after.State, after.Loaded));
            Assert.Equal($"{Lab.StoreAddress}:{OtherExport}{DumpPath}", after.Target!.Location);
            await ShellAsync(host, $"rm {dropIn}; systemctl daemon-reload");

            // The next run says how the first one ended, and has nothing to do.
            var next = Run(SetTarget(Request(OtherExport)), true, host);
            Assert.Empty(next.Errors);
            Assert.Contains(next.Warnings, w => w.Contains("succeeded", StringComparison.Ordinal));
            Assert.False(Assert.IsType<NfsTargetChange>(Assert.Single(next.Outputs)).Changed);
            // Back to the first target for what follows.
            Assert.True(One<NfsTargetChange>(SetTarget(Request()), host).Changed);
        });
    }

    [SkippableFact, Step(70)]
    public async Task Sysrq_is_enabled_by_our_drop_in_alone()
    {
        NeedLab();
        await ShellAsync(Lab.Node1, "sysctl -q -w kernel.sysrq=16 vm.swappiness=33");
        Func<SshHost, Fleet.HostContext, CancellationToken, Task> enable = (host, context, token) => new EnableSysrqOperation(Lab.Access).RunAsync(host, context, token);
        var change = One<SysrqChange>(enable, Lab.Node1);
        Assert.True(change is { Changed: true, Mask: 1, PreviousMask: 16 });
        Assert.Equal("1 33", await ShellAsync(Lab.Node1, "echo $(sysctl -n kernel.sysrq vm.swappiness)"));
        Assert.Equal("kernel.sysrq = 1", await ShellAsync(Lab.Node1, $"cat {EnableSysrqOperation.DropInPath}"));
        Assert.False(One<SysrqChange>(enable, Lab.Node1).Changed);
    }

    [SkippableFact, Step(100)]
    public async Task Crashed_nodes_leave_complete_vmcores_and_come_back()
    {
        NeedLab();
        var nodes = new[] { Lab.Node1, Lab.Node2 };
        var crashOperation = new SysrqCrashOperation(Lab.Access) { ReturnTimeout = TimeSpan.FromMinutes(12) };
        var candidates = Run(async (host, context, token) => context.Output(await crashOperation.ProbeAsync(host, null, context, token)), true, nodes)
            .Outputs.Cast<CrashCandidate>().ToList();
        Assert.Equal(2, candidates.Count);

        await using var watch = new VmcoreWatch(new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath));
        var before = One<StoreListing>(async (_, context, token) => context.Output(await watch.BeforeAsync(context, token)), Lab.Storage);
        var front = new RecordingFront(Out);
        using (var campaign = new CrashCampaign(crashOperation, maxDown: 2, wait: false))
        {
            campaign.Run(candidates, front);
        }

        Assert.Empty(front.Errors);
        var crashes = front.Outputs.Cast<SysrqCrash>().ToList();
        Assert.Equal(["192.168.122.101", "192.168.122.102"], crashes.Select(c => c.SourceAddress).Order(StringComparer.Ordinal));

        var collected = new RecordingFront(Out);
        using (var fleet = new Fleet.FleetRun(4))
        {
            foreach (var crash in crashes)
            {
                Fleet.FleetPump.Add(fleet, collected, crash.CrashedHost, async (context, token) => context.Output(await WaitVmcoreOperation.RunAsync(watch,
                    new WaitVmcoreRequest { Host = new HostIdentity(crash.Identities.Append(crash.SourceAddress!)), Before = before, Timeout = TimeSpan.FromMinutes(10) }, context, token)));
            }

            Fleet.FleetPump.Finish(fleet, collected);
        }

        Assert.Empty(collected.Errors.Select(e => e.Message));
        foreach (var dump in collected.Outputs.Cast<VmcoreDump>())
        {
            Assert.Equal(VmcoreState.Complete, dump.State);
            Assert.StartsWith(ExportPath + DumpPath + "/", dump.Path, StringComparison.Ordinal);
            Assert.Contains("sysrq triggered crash", dump.PanicReason, StringComparison.Ordinal);
            var crash = crashes.Single(c => dump.CrashedHost == c.SourceAddress || c.Identities.Contains(dump.CrashedHost));
            Assert.Equal(crash.KernelRelease, dump.KernelRelease);
            var estimate = Lab.Estimates[crash.CrashedHost];
            Out.WriteLine($"{crash.CrashedHost}: {dump.Bytes} bytes, estimated {estimate.CompressedLowBytes} to {estimate.CompressedHighBytes}");
            Assert.InRange(dump.Bytes, estimate.CompressedLowBytes, estimate.CompressedHighBytes);
        }

        var back = Run(async (host, context, token) =>
            context.Output(await crashOperation.AwaitReturnAsync(crashes.Single(c => c.CrashedHost == host.HostName), host, context, token)), true, nodes);
        Assert.Empty(back.Errors.Select(e => e.Message));
        Assert.All(back.Outputs.Cast<SysrqCrash>(), crash => Assert.NotEqual(crash.BootIdBefore, crash.BootIdAfter));
        await ReadDumpsAsync(collected.Outputs.Cast<VmcoreDump>());
    }

    // The machine's own makedumpfile reads what arrived: node1's flattened dump after -R, node2's as it is.
    private async Task ReadDumpsAsync(IEnumerable<VmcoreDump> dumps)
    {
        Skip.IfNot(File.Exists("/usr/bin/makedumpfile") || File.Exists("/usr/sbin/makedumpfile"), "makedumpfile is not installed on this machine.");
        var folder = Directory.CreateTempSubdirectory("kdumpnfs-lab");
        try
        {
            foreach (var dump in dumps)
            {
                var path = Path.Combine(folder.FullName, Path.GetRandomFileName());
                await using (var file = File.Create(path))
                {
                    var result = await Lab.RunAsync(Lab.Storage, new RemoteScript($"cat {ShellQuote.Word(dump.DumpFile!)}") { OnOutput = bytes => file.Write(bytes.Span) });
                    Assert.Equal(0, result.ExitStatus);
                }

                if (dump.Format == Vmcore.VmcoreFormat.Flattened)
                {
                    Makedumpfile($"-R {path}.plain", path);
                    path += ".plain";
                }

                Makedumpfile($"--dump-dmesg {path} {path}.dmesg", null);
                Assert.Contains("Kernel panic - not syncing: sysrq triggered crash", await File.ReadAllTextAsync(path + ".dmesg"), StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private void Makedumpfile(string arguments, string? input)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"PATH=$PATH:/usr/sbin makedumpfile {arguments}{(input is null ? "" : " <" + input)} 2>&1"]) { RedirectStandardOutput = true })!;
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Out.WriteLine(said);
        Assert.Equal(0, process.ExitCode);
    }

    [SkippableFact, Step(110)]
    public void Nodes_are_armed_again_after_the_crash()
    {
        NeedLab();
        Assert.All(Run(StatusAsync, true, Lab.Node1, Lab.Node2).Outputs.Cast<KdumpStatus>(), status => Assert.Equal(KdumpState.Configured, status.State));
    }
}
