using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Crash;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Drills of real hosts. Starts from and leaves nodes that dump to the store's export, armed.</summary>
[Collection("4 Drills")]
public sealed class DrillScenarios(LabFixture lab, ConsoleFixture consoles, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>, IClassFixture<ConsoleFixture>, IDisposable
{
    private const string ExportPath = "/data/nfs_share";
    private const string DumpPath = "/var/crash";

    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-drills-").FullName;

    private string JournalPath => Path.Combine(_folder, "drill.jsonl");

    public void Dispose() => Directory.Delete(_folder, true);

    private async Task StatusAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new KdumpStatusOperation(Lab.Access).RunAsync(host, context, token));

    // Where this class is run alone nobody has exported anything yet; else this changes nothing.
    private async Task PrepareAsync(params SshHost[] nodes)
    {
        await ShellAsync(Lab.Storage, "mkdir -p /data/nfs_share");
        One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create(ExportPath, Lab.Subnet, null, DumpPath, true, requireMount: false)).RunAsync(host, context, token), Lab.Storage);
        var request = NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, null, false);
        await Task.WhenAll(nodes.Select(node => Task.Run(() => One<KdumpTargetChange>((host, context, token) => new SetNfsTargetOperation(Lab.Access, request).RunAsync(host, null, context, token), node))));
    }

    private SysrqDrillTrigger Trigger(DrillPlan plan) => SysrqDrillTrigger.For(Lab.FreshAccess, plan, allowNotReady: false);

    private RecordingFront Drill(DrillPlan plan, DrillHooks hooks, params SshHost[] nodes) => Drill(plan, hooks, Trigger(plan), null, () => { }, nodes);

    // Looks, as it is done before anybody is asked, then crashes.
    private RecordingFront Drill(DrillPlan plan, DrillHooks hooks, SysrqDrillTrigger trigger, SerialConsole? console, Action before, params SshHost[] nodes)
    {
        var candidates = Run(async (host, context, token) => context.Output(await KdumpDrillOperation.LookAsync(trigger, new DrillLook(host, console), context, token)), true, nodes)
            .Outputs.Cast<CrashCandidate>().ToList();
        Assert.Equal(nodes.Length, candidates.Count);
        before();
        var front = new RecordingFront(Out);
        DrillEntry[] entries = [.. candidates.Select(c => new DrillEntry(c.Host, null, c))];
        using var journal = DrillJournal.Create(JournalPath, plan, entries.Select(DrillHost.Of));
        var operation = new KdumpDrillOperation(Lab.FreshAccess, plan, journal) { Trigger = trigger, Hooks = hooks };
        using (var campaign = new DrillCampaign(operation, entries))
        {
            campaign.Run(front);
        }

        operation.DisposeAsync().AsTask().Wait();
        return front;
    }

    private SysrqDrillTrigger ConsoleTrigger(DrillPlan plan) => new(new SysrqCrashOperation(Lab.FreshAccess)
    {
        ReturnTimeout = plan.ReturnTimeout,
        ConsoleAccess = consoles.Access,
        ConsoleListen = SysrqDrillTrigger.Listen(plan.ReturnTimeout),
    })
    {
        RaiseSysrq = plan.RaiseSysrq,
    };

    private void NeedConsoles()
    {
        NeedLab();
        Skip.IfNot(ConsoleServer.NotRunnable is null, ConsoleServer.NotRunnable);
    }

    private void Tell(KdumpDrill drill) =>
        Out.WriteLine($"{drill.HostName} {drill.Verdict}: {string.Join(", ", drill.Phases.Select(p => $"{p.Phase} {p.Duration.TotalSeconds:0.0} s{(p.Succeeded ? "" : " failed")}"))}");

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
            var masked = Run(async (host, context, token) => context.Output(await KdumpDrillOperation.LookAsync(ConsoleTrigger(plan with { RaiseSysrq = false }), new DrillLook(host, consoles.Console("node2")), context, token)), true, Lab.Node2);
            Assert.Equal(ErrorIds.SysrqDisabled, Assert.Single(masked.Errors).ErrorId);
            Assert.Equal(DrillVerdict.NotReady, Assert.IsType<KdumpDrill>(Assert.Single(masked.Outputs)).Verdict);

            var front = Drill(plan, new DrillHooks(), ConsoleTrigger(plan), consoles.Console("node1"), () => { }, Lab.Node2);
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

    [SkippableFact, Step(15), Trait("Category", "Long")]
    public async Task A_drill_over_the_console_proves_a_host_and_tells_what_its_console_said()
    {
        NeedConsoles();
        await PrepareAsync(Lab.Node2);
        var plan = DrillPlan.For(Lab.Storage, ExportPath, DumpPath) with { RaiseSysrq = true };
        await ShellAsync(Lab.Node2, "echo 438 >/proc/sys/kernel/sysrq");
        var front = Drill(plan, new DrillHooks(), ConsoleTrigger(plan), consoles.Console("node2"), () => { }, Lab.Node2);
        var drill = Assert.IsType<KdumpDrill>(Assert.Single(front.Outputs));
        Tell(drill);
        Out.WriteLine(drill.ConsoleText ?? "(nothing)");
        Assert.Empty(front.Errors.Select(e => e.Message));
        Assert.Equal((DrillVerdict.Proven, true, true), (drill.Verdict, drill.Rearmed, drill.KeptOnHost));
        Assert.Equal((VmcoreState.Complete, drill.KernelRelease), (drill.Vmcore!.State, drill.Vmcore.KernelRelease));
        Assert.Contains("sysrq triggered crash", drill.ConsoleText, StringComparison.Ordinal);
        // It was listened to through the capture, while the store and the host were looked at.
        Assert.Contains("Linux version", drill.ConsoleText, StringComparison.Ordinal);
        Assert.All(drill.Phases, phase => Assert.True(phase.Succeeded, phase.ToString()));
        Assert.InRange(drill.Phases.Single(p => p.Phase == DrillPhaseKind.Crash).Duration, TimeSpan.Zero, TimeSpan.FromSeconds(60));

        // The crash forgot the raised mask.
        Assert.Equal((438, 446, DrillSysrqState.AsConfigured), (drill.RaisedSysrq!.Before, drill.RaisedSysrq.Raised, drill.RaisedSysrq.State));
        Assert.Equal(drill.RaisedSysrq.After?.ToString(CultureInfo.InvariantCulture), await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/sysrq"));
        Assert.Empty(drill.FailedChecks);
        Assert.Contains(drill.WarnedChecks, check => check.Name == ReadinessCheckNames.Sysrq);
        Assert.Equal(KdumpState.Proven, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
    }

    [SkippableFact, Step(20), Trait("Category", "Long")]
    public async Task A_drill_that_loses_its_controller_is_resumed_and_ends_with_the_true_verdict()
    {
        NeedLab();
        await PrepareAsync(Lab.Node2);
        var before = await CountAsync();
        using (var controller = Start("drill", Lab.Node2.HostName, "--store", Lab.Storage.HostName, "--export", ExportPath, "--dump-path", DumpPath, "--journal", JournalPath, "--yes", "--json"))
        {
            await UntilAsync(() => File.Exists(JournalPath) && ReadJournal().Contains("\"Step\":\"Triggered\"", StringComparison.Ordinal), "the trigger", controller);
            controller.Kill(entireProcessTree: true);
            await controller.WaitForExitAsync();
        }

        using var second = Start("drill-resume", JournalPath, "--yes", "--json");
        var said = await second.StandardOutput.ReadToEndAsync();
        Out.WriteLine(said + await second.StandardError.ReadToEndAsync());
        await second.WaitForExitAsync();
        Assert.Equal(0, second.ExitCode);
        using var drill = JsonDocument.Parse(said);
        Assert.Equal(("Proven", true, true), (drill.RootElement.GetProperty("Verdict").GetString(), drill.RootElement.GetProperty("Resumed").GetBoolean(), drill.RootElement.GetProperty("KeptOnHost").GetBoolean()));
        Assert.Equal(before + 1, await CountAsync());
        using var journal = DrillJournal.Resume(JournalPath);
        Assert.Single(journal.Events, e => e.Step == DrillStep.Triggering);
    }

    [SkippableFact, Step(30), Trait("Category", "Long")]
    public async Task Two_controllers_with_one_down_never_have_two()
    {
        NeedLab();
        await PrepareAsync(Lab.Node1, Lab.Node2);
        string[] common = ["--store", Lab.Storage.HostName, "--export", ExportPath, "--dump-path", DumpPath, "--max-down", "1", "--yes", "--json"];
        using var one = Start(["drill", Lab.Node1.HostName, .. common, "--journal", Path.Combine(_folder, "one.jsonl")]);
        using var two = Start(["drill", Lab.Node2.HostName, .. common, "--journal", Path.Combine(_folder, "two.jsonl")]);
        var outputs = await Task.WhenAll(one.StandardOutput.ReadToEndAsync(), two.StandardOutput.ReadToEndAsync());
        var errors = await Task.WhenAll(one.StandardError.ReadToEndAsync(), two.StandardError.ReadToEndAsync());
        await Task.WhenAll(one.WaitForExitAsync(), two.WaitForExitAsync());
        Out.WriteLine(string.Join('\n', outputs.Concat(errors)));
        Assert.Equal((0, 0), (one.ExitCode, two.ExitCode));

        // From its trigger until it was back each was down; the journals tell when.
        var down = new[] { "one.jsonl", "two.jsonl" }.Select(name =>
        {
            using var journal = DrillJournal.Resume(Path.Combine(_folder, name));
            return (From: journal.Events.Single(e => e.Step == DrillStep.Triggering).At, To: journal.Events.Single(e => e.Step == DrillStep.Returned).At);
        }).OrderBy(d => d.From).ToList();
        Assert.True(down[0].To <= down[1].From, $"{down[0]} {down[1]}");
    }

    [SkippableFact, Step(40), Trait("Category", "Long")]
    public async Task An_nfs_server_that_dies_during_the_capture_is_told_by_the_console()
    {
        NeedLab();
        await PrepareAsync(Lab.Node2);
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

        // Its kdump may have found the export missing at boot.
        await ShellAsync(Lab.Node2, "kdumpctl status >/dev/null 2>&1 || systemctl restart kdump");
        Assert.NotEqual(KdumpState.NotReady, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
    }

    // Another process writes it.
    private string ReadJournal()
    {
        using var reader = new StreamReader(new FileStream(JournalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    // Crash directories of the node: each crash makes one.
    private async Task<int> CountAsync() => int.Parse(
        await ShellAsync(Lab.Storage, $"ls -d {ExportPath}{DumpPath}/{Lab.Required("KDUMPNFS_LAB_NODE2_PRIVATE")}-* 2>/dev/null | wc -l"), CultureInfo.InvariantCulture);

    private Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("dotnet",
    [
        Path.Combine(AppContext.BaseDirectory, "KdumpNfs.Cli.dll"), .. arguments, "--user", Lab.Storage.UserName!, "--port", Lab.Storage.Port!.Value.ToString(CultureInfo.InvariantCulture),
        "--key", Lab.Storage.KeyFilePath!, "--known-hosts", Lab.Required("KDUMPNFS_LAB_KNOWN_HOSTS"), "--transport", "OpenSsh", "--connect-timeout", "60",
    ]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task UntilAsync(Func<bool> condition, string what, Process process)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.False(process.HasExited && !condition(), $"The controller ended before {what}: {(process.HasExited ? process.StandardError.ReadToEnd() : "")}");
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(4), $"Waited in vain for {what}.");
            await Task.Delay(100);
        }
    }
}
