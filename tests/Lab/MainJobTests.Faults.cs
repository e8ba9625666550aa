using System.Diagnostics;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Lab;

/// <summary>Services that fail, controllers that die, connections that are cut.</summary>
public sealed partial class MainJobTests
{
    [SkippableFact, Step(59)]
    public async Task A_rebuild_that_fails_leaves_the_host_armed_all_the_time()
    {
        NeedLab();
        var before = await TracesAsync(Lab.Node2);
        await ShellAsync(Lab.Node2, "mount --bind /var/lib/kdump /var/lib/kdump && mount -o remount,bind,ro /var/lib/kdump");
        try
        {
            // A directory that exists already: only the image cannot be written.
            var error = Failure(SetTarget(Request(dumpPath: $"/made/from/{Lab.Node2.HostName}")), Lab.Node2);
            Assert.Equal(ErrorIds.ChangeRolledBack, error.ErrorId);
            Assert.Contains("/var/lib/kdump", error.HostSaid, StringComparison.Ordinal);
        }
        finally
        {
            await ShellAsync(Lab.Node2, "umount /var/lib/kdump");
        }

        // Content, time, image and the service's start are what they were; only the backup is new, and the file another one.
        static string Comparable(string traces) => System.Text.RegularExpressions.Regex.Replace(traces, @"^(/etc/kdump\.conf \d+) \d+|^.*\.bak$", "$1", System.Text.RegularExpressions.RegexOptions.Multiline).Trim();
        Assert.Equal(Comparable(before), Comparable(await TracesAsync(Lab.Node2)));
        Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
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
            var finished = One<KdumpTargetChange>(SetTarget(Request()), host);
            Assert.True(finished.Changed);
            Assert.Equal("", finished.Diff);
            Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, host).State);
        });
    }

    [SkippableFact, Step(61), Trait("Category", "Long")]
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
            Assert.False(Assert.IsType<KdumpTargetChange>(Assert.Single(next.Outputs)).Changed);
            // It says so once, and leaves nothing.
            Assert.Empty(Run(SetTarget(Request(OtherExport)), true, host).Warnings);
            await ShellAsync(host, "test ! -e /run/kdumpnfs/job");
            // Back to the first target for what follows.
            Assert.True(One<KdumpTargetChange>(SetTarget(Request()), host).Changed);
        });
    }

    [SkippableFact, Step(62), Trait("Category", "Long")]
    public async Task A_connection_that_is_cut_during_a_change_is_opened_again_and_the_change_reported()
    {
        NeedLab();
        var status = One<KdumpStatus>(StatusAsync, Lab.Node2);
        var dropIn = DropInOf(status);
        await ShellAsync(Lab.Node2, $"printf '[Service]\\nExecStartPre=/bin/sleep 12\\n' >{dropIn}; systemctl daemon-reload");
        Task<Exception?>? cut = null;
        using var fleet = new Fleet.FleetRun(1);
        var front = new RecordingFront(Out)
        {
            OnVerbose = text =>
            {
                if (cut is null && text.Contains("Loading", StringComparison.Ordinal))
                {
                    // Every session of sshd on the node ends, ours and the one that does this.
                    cut = Record.ExceptionAsync(() => Lab.RunAsync(Lab.Node2, new RemoteScript("kill -9 $(grep -l '^sshd: root@' /proc/[0-9]*/cmdline | sed 's,[^0-9],,g')")));
                }
            },
        };
        fleet.Start(Lab.Node2.HostName, (context, token) => new SetNfsTargetOperation(Lab.FreshAccess, Request(OtherExport)).RunAsync(Lab.Node2, null, context, token));
        Fleet.FleetPump.Finish(fleet, front);
        Assert.NotNull(cut);
        Assert.Equal(ErrorIds.ConnectionLost, Assert.IsType<HostException>(await cut).ErrorId);
        Assert.Empty(front.Errors.Select(e => e.Message));
        Assert.True(Assert.IsType<KdumpTargetChange>(Assert.Single(front.Outputs)).Changed);
        await ShellAsync(Lab.Node2, $"rm {dropIn}; systemctl daemon-reload");
        Assert.True(One<KdumpTargetChange>(SetTarget(Request()), Lab.Node2).Changed);
    }
}
