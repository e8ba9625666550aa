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
[Collection("1 The main job")]
public sealed partial class MainJobTests(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
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
    public async Task Nodes_without_a_target_are_not_ready_and_say_why()
    {
        NeedLab();
        foreach (var (host, family) in new[] { (Lab.Node1, HostFamily.Debian), (Lab.Node2, HostFamily.RedHat) })
        {
            var status = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal(family, status.Family);
            Assert.Equal(KdumpState.NotReady, status.State);
            Assert.Equal([NotReadyReason.TargetMissing], status.NotReadyReason);
            Assert.True(status.Loaded);
            Assert.Equal(await ShellAsync(host, "cat /proc/sys/kernel/sysrq"), status.Sysrq?.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(await ShellAsync(host, "cat /proc/sys/kernel/random/boot_id"), status.BootId);
            Assert.Equal(await ShellAsync(host, "cat /sys/kernel/kexec_crash_size"), status.ReservedBytes?.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(await ShellAsync(host, "hostname"), status.NodeName);
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
            var created = One<KdumpTargetChange>(SetTarget(Request(dumpPath: $"/made/from/{host.HostName}", create: true)), host);
            Assert.True(created is { Changed: true, PathCreated: true });
            Assert.Equal("700", await ShellAsync(Lab.Storage, $"stat -c %a {ExportPath}/made/from/{host.HostName}"));

            var change = One<KdumpTargetChange>(SetTarget(Request()), host);
            Assert.True(change.Changed);
            Assert.Equal($"{Lab.StoreAddress}:{ExportPath}{DumpPath}", change.Target!.Location);
            Assert.Equal(change.Family == HostFamily.RedHat, change.ImageRebuilt);
            Assert.NotNull(change.Image);
            Assert.NotNull(change.Backup);

            var status = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal((KdumpState.Configured, true), (status.State, status.Loaded));
            Assert.Equal(DumpLevel.All, status.DumpLevel);

            var before = await TracesAsync(host);
            var again = One<KdumpTargetChange>(SetTarget(Request()), host);
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
}
