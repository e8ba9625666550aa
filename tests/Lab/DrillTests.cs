using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Kdump;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Crash;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Drills of node2. Starts from and leaves a node that dumps to the store's export, armed.</summary>
[Collection("5 Drills"), Trait(Lane.Name, Lane.Node2)]
public sealed class DrillTests(LabFixture lab, Node2Console consoles, ITestOutputHelper output) : DrillScenarios(lab, consoles, output), IClassFixture<LabFixture>, IClassFixture<Node2Console>
{
    [SkippableFact, Step(10)]
    public async Task A_drill_over_ssh_proves_a_host()
    {
        NeedLab();
        await PrepareAsync(Lab.Node2);
        var front = Drill(DrillPlan.For(Lab.Storage, ExportPath, DumpPath), new DrillHooks(), Lab.Node2);
        var drill = Assert.IsType<KdumpDrill>(Assert.Single(front.Outputs));
        Tell(drill);
        Assert.Empty(front.Errors.Select(e => e.Message));
        Assert.Equal((DrillVerdict.Proven, null, true, true), (drill.Verdict, drill.Reason, drill.Rearmed, drill.KeptOnHost));
        Assert.Equal((VmcoreState.Complete, drill.KernelRelease), (drill.Vmcore!.State, drill.Vmcore.KernelRelease));
        Assert.NotEqual(drill.BootIdBefore, drill.BootIdAfter);
        Assert.All(drill.Phases, phase => Assert.True(phase.Succeeded && phase.Duration > TimeSpan.Zero));
        Assert.Equal(drill.BootIdAfter, await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/random/boot_id"));

        // The proof on the host, in the journal, and in what the status says from now on.
        var kept = DrillRecord.Parse(await ShellAsync(Lab.Node2, $"cat {DrillRecord.Path}"))!;
        Assert.Equal((true, drill.KernelRelease, drill.BootIdBefore, drill.Vmcore.Path), (kept.Captured, kept.KernelRelease, kept.BootId, kept.Vmcore));
        Assert.Equal(KdumpState.Proven, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
        using var journal = DrillJournal.Resume(JournalPath);
        Assert.Equal(DrillVerdict.Proven, Assert.Single(DrillResumption.From(journal).Finished).Verdict);

        // Its lease was given back.
        Assert.Equal("", await ShellAsync(Lab.Storage, $"cd {ExportPath}{DumpPath}/{StoreLeases.DirectoryName}; for f in slot-*.[0-9]*; do case $f in *.done) ;; *) [ -e $f.done ] || echo $f ;; esac; done"));
    }

    /// <summary>Several proofs of one crash: a restore leads dumps back, a captured crash is told from an uncaptured one, and, where there is a conmand to reach it, the console pulls
    /// the trigger and tells the panic.</summary>
    [SkippableFact, Step(15), Trait("Category", "Long")]
    public async Task A_drill_over_the_console_after_a_restore_lands_where_dumps_used_to_and_is_told_from_an_uncaptured_crash()
    {
        NeedLab();
        var hasConsole = ConsoleServer.NotRunnable is null;
        Out.WriteLine(hasConsole ? "over the console" : $"over SSH: {ConsoleServer.NotRunnable}");
        await PrepareAsync(Lab.Node2);
        One<KdumpTargetChange>(Local("/var/dumps"), Lab.Node2);
        One<KdumpTargetChange>(Restore(), Lab.Node2);
        var plan = DrillPlan.For(Lab.Storage, ExportPath, DumpPath) with { RaiseSysrq = true };
        await ShellAsync(Lab.Node2, "echo 438 >/proc/sys/kernel/sysrq");
        await ShellAsync(Lab.Node2, KeptJournal.On);
        try
        {
            var front = Drill(plan, new DrillHooks(), hasConsole ? ConsoleTrigger(plan) : Trigger(plan), hasConsole ? Consoles.Console("node2") : null, () => { }, Lab.Node2);
            var drill = Assert.IsType<KdumpDrill>(Assert.Single(front.Outputs));
            Tell(drill);
            Out.WriteLine(drill.ConsoleText ?? "(nothing)");
            Assert.Empty(front.Errors.Select(e => e.Message));
            Assert.Equal((DrillVerdict.Proven, true, true), (drill.Verdict, drill.Rearmed, drill.KeptOnHost));
            Assert.Equal((VmcoreState.Complete, drill.KernelRelease), (drill.Vmcore!.State, drill.Vmcore.KernelRelease));
            Assert.StartsWith($"{ExportPath}{DumpPath}/{Lab.Required("KDUMPNFS_LAB_NODE2_PRIVATE")}-", drill.Vmcore.Path, StringComparison.Ordinal);
            Assert.All(drill.Phases, phase => Assert.True(phase.Succeeded, phase.ToString()));
            if (hasConsole)
            {
                Assert.Contains("sysrq triggered crash", drill.ConsoleText, StringComparison.Ordinal);
                // It was listened to through the capture, while the store and the host were looked at.
                Assert.Contains("Linux version", drill.ConsoleText, StringComparison.Ordinal);
                Assert.InRange(drill.Phases.Single(p => p.Phase == DrillPhaseKind.Crash).Duration, TimeSpan.Zero, drill.CaptureTime!.Value);
            }

            // The crash forgot the raised mask.
            Assert.Equal((438, 446, DrillSysrqState.AsConfigured), (drill.RaisedSysrq!.Before, drill.RaisedSysrq.Raised, drill.RaisedSysrq.State));
            Assert.Equal(drill.RaisedSysrq.After?.ToString(CultureInfo.InvariantCulture), await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/sysrq"));
            Assert.Empty(drill.FailedChecks);
            Assert.Contains(drill.WarnedChecks, check => check.Name == ReadinessCheckNames.Sysrq);
            Assert.Equal(KdumpState.Proven, One<KdumpStatus>(StatusAsync, Lab.Node2).State);

            var boot = drill.BootIdBefore!.Replace("-", "", StringComparison.Ordinal);
            var captured = Assert.Single(FindUnclean(Lab.Node2, true, out _), b => b.BootId == boot);
            Assert.Equal((CaptureVerdict.Captured, VmcoreState.Complete, drill.Vmcore.Path), (captured.Verdict, captured.Dump!.State, captured.Dump.Path));
            Assert.Contains("sysrq triggered crash", captured.PanicReason, StringComparison.Ordinal);
            Assert.DoesNotContain(FindUnclean(Lab.Node2, false, out _), b => b.BootId == boot);
        }
        finally
        {
            await ShellAsync(Lab.Node2, KeptJournal.Off);
        }
    }

    [SkippableFact, Step(40), Trait("Category", "Long")]
    public async Task An_nfs_server_that_dies_during_the_capture_is_told_by_the_console()
    {
        NeedLab();
        await PrepareAsync(Lab.Node2);
        // As on a host whose admin wants no patience there: mount.nfs tries again for two minutes each time, and the capture mounts twice.
        await ShellAsync(Lab.Node2, """
            set -e
            cp -a /etc/kdump.conf /root/kdump.conf.kept
            printf '[ NFSMount_Global_Options ]\nretry=0\n' >/etc/nfsmount.conf
            chmod 755 /etc/nfsmount.conf
            echo 'extra_bins /etc/nfsmount.conf' >>/etc/kdump.conf
            systemctl restart kdump
            """);
        var console = Lab.Required("KDUMPNFS_LAB_NODE2_CONSOLE");
        var plan = DrillPlan.For(Lab.Storage, ExportPath, DumpPath) with { ReturnTimeout = TimeSpan.FromMinutes(12) };
        try
        {
            // It dies when the host has been found ready: the look just before the trigger mounts nothing.
            var front = Drill(plan, new DrillHooks { Console = async (_, _, token) => await File.ReadAllTextAsync(console, token) }, Trigger(plan), null,
                () => ShellAsync(Lab.Storage, "systemctl stop nfs-server").GetAwaiter().GetResult(), Lab.Node2);
            var drill = Assert.IsType<KdumpDrill>(Assert.Single(front.Outputs));
            Tell(drill);
            Assert.Equal((DrillVerdict.NotCaptured, DrillWordsSource.Console), (drill.Verdict, drill.SaidBy));
            Assert.Contains("refused", drill.Said, StringComparison.OrdinalIgnoreCase);
            Assert.Null(drill.Vmcore);
            Assert.Equal(ErrorIds.DrillNotProven, Assert.Single(front.Errors).ErrorId);
            Assert.False(DrillRecord.Parse(await ShellAsync(Lab.Node2, $"cat {DrillRecord.Path}"))!.Captured);
        }
        finally
        {
            await ShellAsync(Lab.Storage, "systemctl start nfs-server");
        }

        // Its kdump may have found the export missing at boot, too.
        await ShellAsync(Lab.Node2, "rm /etc/nfsmount.conf; mv /root/kdump.conf.kept /etc/kdump.conf; touch /etc/kdump.conf; systemctl restart kdump");
        Assert.NotEqual(KdumpState.NotReady, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
    }
}

/// <summary>Drills for which both nodes, or the consoles of both, are needed.</summary>
[Collection("8 Drills of several"), Trait(Lane.Name, Lane.After)]
public sealed class FleetDrillTests(LabFixture lab, BothConsoles consoles, ITestOutputHelper output) : DrillScenarios(lab, consoles, output), IClassFixture<LabFixture>, IClassFixture<BothConsoles>
{
    [SkippableFact, Step(14), Trait("Category", "Long")]
    public async Task A_drill_over_another_hosts_console_crashes_nobody_and_puts_sysrq_back()
    {
        NeedConsoles();
        await PrepareAsync(Lab.Node2);
        var plan = DrillPlan.For(Lab.Storage, ExportPath, DumpPath) with { RaiseSysrq = true };
        var configured = await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/sysrq; echo 438 >/proc/sys/kernel/sysrq");
        var boot = await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/random/boot_id");
        var traces = await ShellAsync(Lab.Node2, "cat /etc/sysctl.d/kernel_debug.conf 2>/dev/null | od -An -tx1; ls -A /var/lib/kdumpnfs 2>/dev/null; exit 0");
        try
        {
            // Without leave to raise the mask the host is not ready, and nothing was sent.
            var masked = Run(async (host, context, token) => context.Output(await KdumpDrillOperation.LookAsync(ConsoleTrigger(plan with { RaiseSysrq = false }), new DrillLook(host, Consoles.Console("node2")), context, token)), true, Lab.Node2);
            Assert.Equal(ErrorIds.SysrqDisabled, Assert.Single(masked.Errors).ErrorId);
            Assert.Equal(DrillVerdict.NotReady, Assert.IsType<KdumpDrill>(Assert.Single(masked.Outputs)).Verdict);

            var front = Drill(plan, new DrillHooks(), ConsoleTrigger(plan), Consoles.Console("node1"), () => { }, Lab.Node2);
            var drill = Assert.IsType<KdumpDrill>(Assert.Single(front.Outputs));
            Tell(drill);
            Assert.Equal((DrillVerdict.NotCrashed, new DrillSysrq(438, 446, DrillSysrqState.PutBack, 438, drill.RaisedSysrq?.Configured)), (drill.Verdict, drill.RaisedSysrq));
            Assert.Equal(ErrorIds.CrashDidNotHappen, Assert.Single(front.Errors).ErrorId);
            Assert.Equal("438", await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/sysrq"));
            Assert.Equal(boot, await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/random/boot_id"));
            Assert.Equal(traces, await ShellAsync(Lab.Node2, "cat /etc/sysctl.d/kernel_debug.conf 2>/dev/null | od -An -tx1; ls -A /var/lib/kdumpnfs 2>/dev/null; exit 0"));
        }
        finally
        {
            await ShellAsync(Lab.Node2, $"echo {configured} >/proc/sys/kernel/sysrq");
        }
    }

    /// <summary>Two controllers begin at once; the one that pulls its trigger first is lost and resumed, and the other one waits for its host all the time.</summary>
    [SkippableFact, Step(30), Trait("Category", "Long")]
    public async Task Two_controllers_with_one_down_never_have_two_and_a_lost_one_is_resumed_and_ends_with_the_true_verdict()
    {
        NeedLab();
        await PrepareAsync(Lab.Node1, Lab.Node2);
        var before = await CountAsync();
        string[] journals = [Path.Combine(Folder, "one.jsonl"), Path.Combine(Folder, "two.jsonl")];
        Process Controller(SshHost node, string journal) => Start("drill", node.HostName, "--store", Lab.Storage.HostName, "--export", ExportPath, "--dump-path", DumpPath,
            "--max-down", "1", "--journal", journal, "--yes", "--json");
        using var one = Controller(Lab.Node1, journals[0]);
        using var two = Controller(Lab.Node2, journals[1]);
        Process[] controllers = [one, two];
        var said = controllers.Select(c => (Output: c.StandardOutput.ReadToEndAsync(), Error: c.StandardError.ReadToEndAsync())).ToArray();
        await UntilAsync(() => journals.Any(HasTriggered), "the trigger", controllers);
        var lost = Array.FindIndex(journals, HasTriggered);
        controllers[lost].Kill(entireProcessTree: true);
        await controllers[lost].WaitForExitAsync();
        Assert.False(HasTriggered(journals[1 - lost]));

        using var resumed = Start("drill-resume", journals[lost], "--yes", "--json");
        var words = await Task.WhenAll(resumed.StandardOutput.ReadToEndAsync(), resumed.StandardError.ReadToEndAsync());
        await Task.WhenAll(resumed.WaitForExitAsync(), controllers[1 - lost].WaitForExitAsync());
        var other = (Output: await said[1 - lost].Output, Error: await said[1 - lost].Error);
        Out.WriteLine(string.Join('\n', [.. words, other.Output, other.Error]));
        Assert.Equal((0, 0), (resumed.ExitCode, controllers[1 - lost].ExitCode));
        foreach (var (text, again) in new[] { (words[0], true), (other.Output, false) })
        {
            using var drill = JsonDocument.Parse(text);
            Assert.Equal(("Proven", again, true),
                (drill.RootElement.GetProperty("Verdict").GetString(), drill.RootElement.GetProperty("Resumed").GetBoolean(), drill.RootElement.GetProperty("KeptOnHost").GetBoolean()));
        }

        // Each crashed once, and from its trigger until it was back it was down; the journals tell when.
        Assert.Equal(before.Select(count => count + 1), await CountAsync());
        var down = journals.Select(path =>
        {
            using var journal = DrillJournal.Resume(path);
            return (From: journal.Events.Single(e => e.Step == DrillStep.Triggering).At, To: journal.Events.Single(e => e.Step == DrillStep.Returned).At);
        }).OrderBy(d => d.From).ToList();
        Assert.True(down[0].To <= down[1].From, $"{down[0]} {down[1]}");
    }
}
