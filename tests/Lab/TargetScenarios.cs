using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>What the scenarios of targets share.</summary>
public abstract class TargetScenarios(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output)
{
    protected const string ExportPath = "/data/nfs_share";
    protected const string DumpPath = "/var/crash";

    protected static string ConfigOf(HostFamily family) => family == HostFamily.Debian ? "/etc/default/kdump-tools" : "/etc/kdump.conf";

    protected static Func<SshHost, Fleet.HostContext, CancellationToken, Task> Change(TargetChangeOperation operation) =>
        (host, context, token) => operation.RunAsync(host, null, context, token);

    protected Func<SshHost, Fleet.HostContext, CancellationToken, Task> Nfs() =>
        Change(new SetNfsTargetOperation(Lab.Access, NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, null, false)));

    protected Func<SshHost, Fleet.HostContext, CancellationToken, Task> Local(string? path, CaptureOptions? options = null) =>
        Change(new SetLocalTargetOperation(Lab.Access, LocalTargetRequest.Create(path, null, null, options ?? CaptureOptions.None, createPath: true)));

    protected Func<SshHost, Fleet.HostContext, CancellationToken, Task> Restore(string? backup = null) =>
        Change(new RestoreConfigurationOperation(Lab.Access, RestoreRequest.Create(backup, false)));

    protected async Task StatusAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new KdumpStatusOperation(Lab.Access).RunAsync(host, context, token));

    // Content, times, the service's start, the image: what must not move when there is nothing to do.
    protected async Task<string> TracesAsync(SshHost host) => await ShellAsync(host, """
        for f in /etc/kdump.conf /etc/default/kdump-tools /root/.ssh/known_hosts /root/.ssh/kdump_id_rsa; do
          [ -f $f ] && sha256sum $f && stat -c '%n %Y %i %a %U' $f
        done
        systemctl show -p ActiveEnterTimestampMonotonic -p ActiveState kdump.service kdump-tools.service
        cat /sys/kernel/kexec_crash_loaded
        ls -la --time-style=full-iso /var/lib/kdump /etc/*.bak /etc/default/*.bak 2>/dev/null
        exit 0
        """);

    // Where this class is run alone nobody has exported anything yet.
    protected async Task PrepareAsync(params SshHost[] nodes)
    {
        await ShellAsync(Lab.Storage, "mkdir -p /data/nfs_share");
        One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create(ExportPath, Lab.Subnet, null, DumpPath, true, requireMount: false)).RunAsync(host, context, token), Lab.Storage);
        await Task.WhenAll(nodes.Select(node => Task.Run(() => One<KdumpTargetChange>(Nfs(), node))));
    }

    /// <summary>Boots of a host that ended without a shutdown, matched with the dumps of the export.</summary>
    protected List<UncleanBoot> FindUnclean(SshHost host, bool captured, out RecordingFront front)
    {
        using var operation = new FindUncapturedCrashOperation(Lab.Access, new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath)) { IncludeCaptured = captured };
        front = Run(operation.RunAsync, true, host);
        return [.. front.Outputs.Cast<UncleanBoot>()];
    }

    /// <summary>Crashes a node, over SSH or over a console, waits for its dump on the store and until it is back and armed.</summary>
    protected async Task<(SysrqCrash Crash, VmcoreDump Dump)> CrashAsync(SshHost node, IVmcoreStore store, (SerialConsole Console, HostAccess Access)? over)
    {
        var operation = new SysrqCrashOperation(Lab.FreshAccess) { ReturnTimeout = TimeSpan.FromMinutes(12), ConsoleAccess = over?.Access };
        var candidate = One<CrashCandidate>(async (host, context, token) => context.Output(await operation.ProbeAsync(host, over?.Console, null, context, token)), node);
        await using var watch = new VmcoreWatch(store);
        var before = One<StoreListing>(async (_, context, token) => context.Output(await watch.BeforeAsync(context, token)), Lab.Storage);
        var front = new RecordingFront(Out);
        using (var campaign = new CrashCampaign(operation, maxDown: 1, wait: false))
        {
            campaign.Run([candidate], front);
        }

        Assert.Empty(front.Errors.Select(e => e.Message));
        var crash = Assert.IsType<SysrqCrash>(Assert.Single(front.Outputs));
        var dump = One<VmcoreDump>(async (_, context, token) => context.Output(await WaitVmcoreOperation.RunAsync(watch, new WaitVmcoreRequest
        {
            Host = new HostIdentity(crash.Identities.Append(crash.SourceAddress!)),
            Before = before,
            Timeout = TimeSpan.FromMinutes(10),
        }, context, token)), node);
        Assert.Equal(VmcoreState.Complete, dump.State);
        Assert.Contains("sysrq triggered crash", dump.PanicReason, StringComparison.Ordinal);
        var back = One<SysrqCrash>(async (host, context, token) => context.Output(await operation.AwaitReturnAsync(crash, host, context, token)), node);
        Assert.NotEqual(back.BootIdBefore, back.BootIdAfter);
        var limit = DateTime.UtcNow + TimeSpan.FromMinutes(5);
        while (One<KdumpStatus>(StatusAsync, node).State != KdumpState.Configured)
        {
            Assert.True(DateTime.UtcNow < limit, "The node was not armed again in time.");
            await Task.Delay(2000);
        }

        return (back, dump);
    }
}
