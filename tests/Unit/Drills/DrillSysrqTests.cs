using System.Diagnostics;
using System.Globalization;
using System.Text;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;

namespace KdumpNfs.Tests.Unit.Drills;

/// <summary>kernel.sysrq raised for a drill, on a tree that looks like a host, with the real job run by this machine's sh.</summary>
public sealed class DrillSysrqTests : IDisposable
{
    private static readonly SysrqRaise Raise = SysrqRaise.From(438);
    private readonly string _root = Directory.CreateTempSubdirectory("kdumpnfs-drillsysrq-").FullName;
    private readonly string _boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    public DrillSysrqTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "etc/sysctl.d"));
        Directory.CreateDirectory(Path.Combine(_root, "proc/sys/kernel"));
        File.WriteAllText(Path.Combine(_root, "etc/sysctl.d/10-sysrq.conf"), "kernel.sysrq = 438\n");
        Mask = 438;
    }

    private int Mask
    {
        get => int.Parse(File.ReadAllText(Path.Combine(_root, "proc/sys/kernel/sysrq")), CultureInfo.InvariantCulture);
        set => File.WriteAllText(Path.Combine(_root, "proc/sys/kernel/sysrq"), string.Create(CultureInfo.InvariantCulture, $"{value}\n"));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Task<SysctlFacts> FactsAsync() => SysctlFacts.ReadAsync(new ShellConnection(), [SysrqMask.Key], SysrqMask.Record, default, _root);

    private void Apply(SysctlPlan plan)
    {
        var work = Directory.CreateDirectory(Path.Combine(_root, "job")).FullName;
        File.WriteAllText(work + "/script", SysctlJob.Compose(plan, SysrqMask.Record, _root).Replace("job=/run/kdumpnfs/job", $"job={work}", StringComparison.Ordinal));
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"sh {work}/script 3>{work}/result >{work}/log 2>&1"]))!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, File.ReadAllText(work + "/log"));
    }

    // A plan touches nothing but the value in force.
    private string[] Files() => [.. Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories).Where(f => !f.StartsWith(Path.Combine(_root, "job"), StringComparison.Ordinal)).Order()];

    [Theory]
    [InlineData(438, 446)]
    [InlineData(0, 8)]
    [InlineData(2, 10)]
    public void The_mask_gets_the_bit_of_the_crash_key_and_keeps_the_others(int before, int raised) => Assert.Equal(new SysrqRaise(before, raised), SysrqRaise.From(before));

    [Fact]
    public async Task What_is_raised_is_put_back_on_the_same_boot_and_leaves_no_trace()
    {
        var files = Files();
        Apply(DrillSysrqMask.RaisePlan(await FactsAsync(), Raise, _boot));
        Assert.Equal(446, Mask);
        Assert.Equal(files, Files());
        var (settled, plan) = DrillSysrqMask.SettlePlan(await FactsAsync(), Raise, _boot);
        Assert.Equal(new DrillSysrq(438, 446, DrillSysrqState.PutBack, 438, 438), settled);
        Apply(plan!);
        Assert.Equal(438, Mask);
        Assert.Equal(files, Files());

        // Again, as a controller that was lost in between would find it.
        var (again, nothing) = DrillSysrqMask.SettlePlan(await FactsAsync(), Raise, _boot);
        Assert.Equal(DrillSysrqState.PutBack, again.State);
        Assert.Null(nothing);
    }

    [Fact]
    public async Task What_somebody_else_set_meanwhile_is_left()
    {
        Mask = 1;
        var (settled, plan) = DrillSysrqMask.SettlePlan(await FactsAsync(), Raise, _boot);
        Assert.Equal((DrillSysrqState.LeftToOthers, 1), (settled.State, settled.After!.Value));
        Assert.Null(plan);
        Assert.Equal(ErrorIds.SysrqFailed, Assert.Throws<HostException>(() => DrillSysrqMask.RaisePlan(FactsAsync().Result, Raise, _boot)).ErrorId);
    }

    [Fact]
    public async Task A_host_that_rebooted_is_not_raised()
    {
        var facts = await FactsAsync();
        var refused = Assert.Throws<HostException>(() => DrillSysrqMask.RaisePlan(facts, Raise, "another-boot"));
        Assert.Equal(ErrorIds.SysrqFailed, refused.ErrorId);
        Assert.Equal(438, Mask);
    }

    [Theory]
    [InlineData(438, "438", DrillSysrqState.AsConfigured)]
    [InlineData(446, "438", DrillSysrqState.NotAsConfigured)]
    [InlineData(16, "438", DrillSysrqState.NotAsConfigured)]
    [InlineData(16, null, DrillSysrqState.AsConfigured)]
    [InlineData(446, null, DrillSysrqState.NotAsConfigured)]
    [InlineData(446, "446", DrillSysrqState.AsConfigured)]
    public async Task After_the_crash_the_mask_has_to_be_what_the_configuration_says(int now, string? configured, DrillSysrqState state)
    {
        Mask = now;
        File.WriteAllText(Path.Combine(_root, "etc/sysctl.d/10-sysrq.conf"), configured is null ? "# nothing\n" : $"kernel.sysrq = {configured}\n");
        var (settled, plan) = DrillSysrqMask.SettlePlan(await FactsAsync(), Raise, "the-boot-before");
        Assert.Equal((state, now), (settled.State, settled.After!.Value));
        Assert.Null(plan);
    }

    [Fact]
    public async Task A_machine_that_captures_nothing_is_refused_with_its_checks()
    {
        var access = ShellConnector.Access(new ShellConnector { Connection = new ShellConnection { Host = new SshHost("here") } });
        var trigger = new SysrqDrillTrigger(new SysrqCrashOperation(access));
        var refused = await Assert.ThrowsAsync<HostException>(() => trigger.LookAsync(new DrillLook(new SshHost("here")) { Quick = true }, new HostContext("here", _ => { }), default));
        Assert.Equal(ErrorIds.NotReady, refused.ErrorId);
        var readiness = Assert.IsType<HostReadiness>(refused.Details);
        Assert.False(readiness.Probe);
        Assert.All(DrillChecks.Failed(readiness.Checks), check => Assert.Contains(check.Name, refused.What, StringComparison.Ordinal));
        Assert.Contains(DrillChecks.Failed(readiness.Checks)[0].Remedy!, refused.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_drill_before_holds_up_no_drill()
    {
        ReadinessCheck[] checks = [.. ReadinessCheckNames.All.Select(name => new ReadinessCheck(name, name == ReadinessCheckNames.LastDrill ? CheckOutcome.Fail : CheckOutcome.Warn, "", null))];
        Assert.Empty(DrillChecks.Failed(checks));
        Assert.Equal(ReadinessCheckNames.All.Count - 1, DrillChecks.Warned(checks).Count);
    }

    [Fact]
    public void The_question_says_what_is_raised_and_what_fails()
    {
        var candidate = new CrashCandidate(new SshHost("node1"), new KdumpStatus { HostName = "node1", State = KdumpState.Configured, NodeName = "n" }, null)
        {
            Console = new SerialConsole(new SshHost("con"), ConsoleKind.Conman, "node1"),
            SysrqRaise = Raise,
            Checks = [new ReadinessCheck("FreeSpace", CheckOutcome.Fail, "", null), new ReadinessCheck("Clock", CheckOutcome.Warn, "", null)],
        };
        var list = new CrashList();
        Assert.True(list.TryAdd(candidate, out _));
        var question = list.Question(1);
        Assert.Contains("over conman node1 at con", question, StringComparison.Ordinal);
        Assert.Contains("kernel.sysrq is raised from 438 to 446 for this boot", question, StringComparison.Ordinal);
        Assert.Contains("fails FreeSpace", question, StringComparison.Ordinal);
        Assert.DoesNotContain("Clock", question, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sysrq: Trigger a crash\r\nKernel panic", true, false)]
    [InlineData("sysrq: Trigger a", false, false)]
    [InlineData("sysrq: This sysrq operation is disabled.\r\n", false, true)]
    [InlineData("login: \r\n", false, false)]
    public async Task Who_listens_goes_on_when_the_kernel_took_the_key_and_stops_when_it_did_not(string said, bool crashed, bool stopped)
    {
        using var listening = new CrashListening();
        using var enough = new CancellationTokenSource();
        var transcript = new ConsoleTranscript();
        var tell = SysrqCrashOperation.Tell(listening, enough, at => new SysrqCrash { CrashedHost = "node1", BootIdBefore = "b", TriggeredAt = at });
        void Say(string key, string value)
        {
            transcript.Add(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key} {value.Length}\n{value}\n")));
            tell(transcript);
        }

        Say("text", "sysrq: Trigger a crash\r\n");
        Assert.Null(listening.Text);
        Say("key", "c");
        foreach (var piece in said.Chunk(5))
        {
            Say("text", new string(piece));
        }

        await Task.Delay(200);
        Assert.Equal((crashed, stopped, said), (listening.Triggered.IsCompletedSuccessfully, enough.IsCancellationRequested, listening.Text));
    }
}
