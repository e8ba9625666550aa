using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Other targets than NFS, and the way back. Starts from and leaves nodes that dump to the store's export.</summary>
[Collection("2 Targets")]
public sealed partial class TargetTests(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    private const string ExportPath = "/data/nfs_share";
    private const string DumpPath = "/var/crash";

    private static string ConfigOf(HostFamily family) => family == HostFamily.Debian ? "/etc/default/kdump-tools" : "/etc/kdump.conf";

    private static Func<SshHost, Fleet.HostContext, CancellationToken, Task> Change(TargetChangeOperation operation) =>
        (host, context, token) => operation.RunAsync(host, null, context, token);

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Nfs() =>
        Change(new SetNfsTargetOperation(Lab.Access, NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, null, false)));

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Local(string? path, CaptureOptions? options = null) =>
        Change(new SetLocalTargetOperation(Lab.Access, LocalTargetRequest.Create(path, null, null, options ?? CaptureOptions.None, createPath: true)));

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Restore(string? backup = null) =>
        Change(new RestoreConfigurationOperation(Lab.Access, RestoreRequest.Create(backup, false)));

    private async Task StatusAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new KdumpStatusOperation(Lab.Access).RunAsync(host, context, token));

    // Content, times, the service's start, the image: what must not move when there is nothing to do.
    private async Task<string> TracesAsync(SshHost host) => await ShellAsync(host, """
        for f in /etc/kdump.conf /etc/default/kdump-tools /root/.ssh/known_hosts /root/.ssh/kdump_id_rsa; do
          [ -f $f ] && sha256sum $f && stat -c '%n %Y %i %a %U' $f
        done
        systemctl show -p ActiveEnterTimestampMonotonic -p ActiveState kdump.service kdump-tools.service
        cat /sys/kernel/kexec_crash_loaded
        ls -la --time-style=full-iso /var/lib/kdump /etc/*.bak /etc/default/*.bak 2>/dev/null
        exit 0
        """);

    // Where this class is run alone nobody has exported anything yet.
    private async Task PrepareAsync()
    {
        await ShellAsync(Lab.Storage, "mkdir -p /data/nfs_share");
        One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create(ExportPath, Lab.Subnet, null, DumpPath, true, requireMount: false)).RunAsync(host, context, token), Lab.Storage);
        await EachNodeAsync(host =>
        {
            One<KdumpTargetChange>(Nfs(), host);
            return Task.CompletedTask;
        });
    }

    [SkippableFact, Step(10), Trait("Category", "Long")]
    public async Task Dumps_stay_on_the_host_and_a_restore_brings_back_the_exact_bytes()
    {
        NeedLab();
        await PrepareAsync();
        await EachNodeAsync(async host =>
        {
            var family = One<KdumpStatus>(StatusAsync, host).Family;
            var file = ConfigOf(family);
            var before = await ShellAsync(host, $"sha256sum <{file}; stat -c '%a %U %G' {file}");

            var missing = Failure(Change(new SetLocalTargetOperation(Lab.Access, LocalTargetRequest.Create("/no/such/directory", null, null, CaptureOptions.None, false))), host);
            Assert.Equal(ErrorIds.DumpPathMissing, missing.ErrorId);
            Assert.Equal(before, await ShellAsync(host, $"sha256sum <{file}; stat -c '%a %U %G' {file}"));

            var options = CaptureOptions.Create(null, null, 31, FailureAction.PowerOff);
            var change = One<KdumpTargetChange>(Local("/var/dumps", options), host);
            Assert.Equal((true, true, "/var/dumps"), (change.Changed, change.PathCreated, change.Target!.Location));
            Assert.Contains("--message-level 31", change.CoreCollector, StringComparison.Ordinal);
            Assert.Equal(family == HostFamily.RedHat, change.ImageRebuilt);
            Assert.Equal("700", await ShellAsync(host, "stat -c %a /var/dumps"));
            Assert.Contains("poweroff", await ShellAsync(host, $"grep -i fail {file} | grep -v '#'"), StringComparison.Ordinal);
            var status = One<KdumpStatus>(StatusAsync, host);
            Assert.Equal([NotReadyReason.TargetMissing], status.NotReadyReason);
            var traces = await TracesAsync(host);
            Assert.False(One<KdumpTargetChange>(Local("/var/dumps", options), host).Changed);
            Assert.Equal(traces, await TracesAsync(host));

            // -WhatIf shows the way back and touches nothing.
            var asked = Run(Restore(), answer: false, host);
            Assert.Empty(asked.Outputs);
            Assert.Contains($"+{(family == HostFamily.Debian ? "NFS=" : "nfs ")}", Assert.Single(asked.Questions).Description, StringComparison.Ordinal);
            Assert.Equal(traces, await TracesAsync(host));

            var restored = One<KdumpTargetChange>(Restore(), host);
            Assert.Equal((true, change.Backup), (restored.Changed, restored.RestoredFrom));
            Assert.Equal(family == HostFamily.RedHat, restored.ImageRebuilt);
            Assert.Equal(before, await ShellAsync(host, $"sha256sum <{file}; stat -c '%a %U %G' {file}"));
            Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, host).State);
            if (family == HostFamily.RedHat)
            {
                Assert.Contains($"nfs {Lab.StoreAddress}:{ExportPath}", await ShellAsync(host, $"lsinitrd -f etc/kdump.conf {restored.Image}"), StringComparison.Ordinal);
            }

            traces = await TracesAsync(host);
            Assert.False(One<KdumpTargetChange>(Restore(), host).Changed);
            Assert.Equal(traces, await TracesAsync(host));

            var listed = Run((h, context, token) => new RestoreConfigurationOperation(Lab.Access, RestoreRequest.Create(null, false)).ListAsync(h, context, token), true, host)
                .Outputs.Cast<KdumpBackup>().ToList();
            Assert.True(listed[0].FromRestore);
            Assert.Equal("/var/dumps", listed[0].Target!.Location);
            Assert.Contains(listed, b => b.Current && b.Path == change.Backup);
        });
    }

    [SkippableFact, Step(11), Trait("Category", "Long")]
    public async Task A_restore_that_the_service_refuses_is_rolled_back()
    {
        NeedLab();
        var file = ConfigOf(HostFamily.RedHat);
        await ShellAsync(Lab.Node2, "mkdir -p /run/systemd/system/kdump.service.d; " +
            $"printf '[Service]\\nExecStartPre=/bin/sh -c \"if grep -q /var/dumps {file}; then echo the lab says no >&2; exit 1; fi\"\\n' >/run/systemd/system/kdump.service.d/zz-lab.conf; systemctl daemon-reload");
        // As many copies as are kept: the attempt's own would push the oldest out.
        await ShellAsync(Lab.Node2, $"for i in 1 2 3 4 5; do cp -a {file} {file}.kdumpnfs-20200101T00000${{i}}Z.bak; done");
        try
        {
            var before = await ShellAsync(Lab.Node2, $"sha256sum <{file}; ls /etc/*.bak");
            var error = Failure(Restore("restore"), Lab.Node2);
            Assert.Equal(ErrorIds.ChangeRolledBack, error.ErrorId);
            Assert.Contains("the lab says no", error.HostSaid, StringComparison.Ordinal);
            // The copy that the attempt made went with it: there would be nothing to go back to.
            Assert.Equal(before, await ShellAsync(Lab.Node2, $"sha256sum <{file}; ls /etc/*.bak"));
            Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
        }
        finally
        {
            await ShellAsync(Lab.Node2, "rm -f /run/systemd/system/kdump.service.d/zz-lab.conf /etc/kdump.conf.kdumpnfs-2020*; systemctl daemon-reload");
        }
    }

    [SkippableFact, Step(20), Trait("Category", "Long")]
    public async Task After_a_restore_a_crash_lands_where_it_used_to()
    {
        NeedLab();
        One<KdumpTargetChange>(Local("/var/dumps"), Lab.Node2);
        One<KdumpTargetChange>(Restore(), Lab.Node2);
        var dump = await CrashAsync(Lab.Node2, new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath));
        Assert.StartsWith(ExportPath + DumpPath + "/192.168.122.102-", dump.Path, StringComparison.Ordinal);
    }

    /// <summary>Crashes a node, waits for its dump on the store and until it is back and armed.</summary>
    private async Task<VmcoreDump> CrashAsync(SshHost node, IVmcoreStore store)
    {
        var operation = new SysrqCrashOperation(Lab.FreshAccess) { ReturnTimeout = TimeSpan.FromMinutes(12) };
        var candidate = One<CrashCandidate>(async (host, context, token) => context.Output(await operation.ProbeAsync(host, null, context, token)), node);
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
        One<SysrqCrash>(async (host, context, token) => context.Output(await operation.AwaitReturnAsync(crash, host, context, token)), node);
        var limit = DateTime.UtcNow + TimeSpan.FromMinutes(5);
        while (One<KdumpStatus>(StatusAsync, node).State != KdumpState.Configured)
        {
            Assert.True(DateTime.UtcNow < limit, "The node was not armed again in time.");
            await Task.Delay(2000);
        }

        return dump;
    }
}
