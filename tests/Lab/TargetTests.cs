using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Other targets than NFS, and the way back. Starts from and leaves nodes that dump to the store's export.</summary>
[Collection("2 Targets")]
public sealed class TargetTests(LabFixture lab, ITestOutputHelper output) : TargetScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(10), Trait("Category", "Long")]
    public async Task Dumps_stay_on_the_host_and_a_restore_brings_back_the_exact_bytes()
    {
        NeedLab();
        await PrepareAsync(Lab.Node1, Lab.Node2);
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
}

/// <summary>Restores on node2 alone. Starts from and leaves a node that dumps to the store's export, armed.</summary>
[Collection("5 Restored targets"), Trait(Lane.Name, Lane.Node2)]
public sealed class RestoredTargetTests(LabFixture lab, ITestOutputHelper output) : TargetScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(11), Trait("Category", "Long")]
    public async Task A_restore_that_the_service_refuses_is_rolled_back()
    {
        NeedLab();
        await PrepareAsync(Lab.Node2);
        var file = ConfigOf(HostFamily.RedHat);
        await ShellAsync(Lab.Node2, "mkdir -p /run/systemd/system/kdump.service.d; " +
            $"printf '[Service]\\nExecStartPre=/bin/sh -c \"if grep -q /var/dumps {file}; then echo the lab says no >&2; exit 1; fi\"\\n' >/run/systemd/system/kdump.service.d/zz-lab.conf; systemctl daemon-reload");
        // As many copies as are kept: the attempt's own would push the oldest out.
        await ShellAsync(Lab.Node2, $"for i in 1 2 3 4 5; do cp -a {file} {file}.kdumpnfs-20200101T00000${{i}}Z.bak; done");
        try
        {
            var before = await ShellAsync(Lab.Node2, $"sha256sum <{file}; ls /etc/*.bak");
            // What the last restore put aside: a configuration that dumps to the host itself.
            var error = Failure(Restore(await ShellAsync(Lab.Node2, $"ls {file}.kdumpnfs-*-restore.bak | tail -n 1")), Lab.Node2);
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
}
