using System.Collections.Concurrent;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Collection;
using KdumpNfs.Tests.Unit.Vmcore;

namespace KdumpNfs.Tests.Unit.Drills;

/// <summary>Whole drills on a made-up store; the hosts' crashes and returns are played, their scripts run in this machine's shell.</summary>
public sealed class DrillTests : IDisposable
{
    private const string Kernel = "6.1.0-56-cloud-amd64";
    private readonly StoreFolder _store = new();
    private readonly string _journalPath;
    private readonly Trigger _trigger = new();
    private readonly Front _front = new();
    private readonly DrillPlan _plan;

    public DrillTests()
    {
        _journalPath = Path.Combine(_store.Root, "journal", "drill.jsonl");
        _plan = JournalTests.Plan(_store.Root) with
        {
            MaxDown = 1,
            RearmTimeout = TimeSpan.Zero,
            CaptureTimeout = TimeSpan.FromSeconds(60),
        };
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_host_that_leaves_a_whole_dump_and_comes_back_is_proven()
    {
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:05:50"), "vmcore"));
        await RunAsync(["10.0.0.1"]);

        var drill = _front.One();
        Assert.Equal((DrillVerdict.Proven, null, "boot-after", VmcoreState.Complete), (drill.Verdict, drill.Reason, drill.BootIdAfter, drill.Vmcore!.State));
        Assert.NotNull(drill.CaptureTime);
        Assert.NotNull(drill.Away);
        Assert.Equal([DrillPhaseKind.Turn, DrillPhaseKind.Readiness, DrillPhaseKind.Crash], drill.Phases.OrderBy(p => p.StartedAt).Select(p => p.Phase).Where(p => p <= DrillPhaseKind.Crash));
        Assert.Contains(drill.Phases, p => p is { Phase: DrillPhaseKind.Capture, Succeeded: true });
        Assert.Contains(drill.Phases, p => p is { Phase: DrillPhaseKind.Return, Succeeded: true });
        Assert.Empty(_front.Errors.Where(e => e.ErrorId != ErrorIds.Unexpected).Select(e => e.Message));
        using var journal = DrillJournal.Resume(_journalPath);
        Assert.Contains(journal.Events, e => e.Step == DrillStep.Captured);
        Assert.Equal(DrillVerdict.Proven, Assert.Single(DrillResumption.From(journal).Finished).Verdict);
    }

    [Fact]
    public async Task No_dump_is_not_captured_with_the_words_of_the_console()
    {
        await RunAsync(["10.0.0.1"], new DrillHooks
        {
            Console = (_, _, _) => Task.FromResult<string?>("sysrq: Trigger a crash\nkdump: mount.nfs: Connection refused\nrebooting\n"),
        });
        var drill = _front.One();
        Assert.Equal((DrillVerdict.NotCaptured, "kdump: mount.nfs: Connection refused", DrillWordsSource.Console), (drill.Verdict, drill.Said, drill.SaidBy));
        var error = Assert.Single(_front.Errors);
        Assert.Equal((ErrorIds.DrillNotProven, drill), (error.ErrorId, error.Details));
        Assert.Contains("Connection refused", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cut_dump_is_not_captured_with_the_words_of_the_capture()
    {
        _trigger.OnCrash = host =>
        {
            Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:05:50"), "vmcore-incomplete"), 500_000);
            _store.Put($"{host}-2026-11-22-10:05:50", "kexec-dmesg.log", "kdump.sh[1]: Can't write the dump file. No space left on device\nkdump[1]: saving vmcore failed, exitcode:1\n");
        };
        await RunAsync(["10.0.0.1"]);
        var drill = _front.One();
        Assert.Equal((DrillVerdict.NotCaptured, DrillWordsSource.Store), (drill.Verdict, drill.SaidBy));
        Assert.Contains("No space left", drill.Said, StringComparison.Ordinal);
        Assert.Equal(VmcoreState.Incomplete, drill.Vmcore!.State);
    }

    [Fact]
    public async Task A_dump_that_was_there_before_proves_nothing()
    {
        Samples.Lzo.Write(Path.Combine(_store.Make("10.0.0.1-2026-11-22-10:05:50"), "vmcore"));
        await RunAsync(["10.0.0.1"]);
        Assert.Equal(DrillVerdict.NotCaptured, _front.One().Verdict);
    }

    [Fact]
    public async Task A_host_that_does_not_come_back_gets_a_power_cycle()
    {
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:05:50"), "vmcore"));
        _trigger.Return = _ => throw new HostException(ErrorIds.HostDidNotReturn, "10.0.0.1", "The host did not come back.");
        await RunAsync(["10.0.0.1"]);
        var away = _front.One();
        Assert.Equal((DrillVerdict.HostNotBack, VmcoreState.Complete, null), (away.Verdict, away.Vmcore!.State, away.BootIdAfter));
        Assert.Equal(ErrorIds.HostDidNotReturn, Assert.Single(_front.Errors).ErrorId);

        // A host that may still be down keeps its lease until it expires; here somebody has seen to it.
        Directory.Delete(_plan.LeasePath!, true);
        var cycled = 0;
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:06:50"), "vmcore"));
        _trigger.Return = crash => cycled > 0 ? crash with { BootIdAfter = "boot-cycled" } : throw new HostException(ErrorIds.HostDidNotReturn, "10.0.0.1", "The host did not come back.");
        _front.Clear();
        File.Delete(_journalPath);
        await RunAsync(["10.0.0.1"], new DrillHooks { PowerCycle = (_, _, _) => Task.FromResult(cycled++) });
        Assert.Equal((1, DrillVerdict.Proven, "boot-cycled"), (cycled, _front.One().Verdict, _front.One().BootIdAfter));
        Assert.Contains(_front.One().Phases, p => p is { Phase: DrillPhaseKind.PowerCycle, Succeeded: true });
    }

    [Fact]
    public async Task A_kernel_that_does_not_crash_is_told_and_stops_the_rest()
    {
        _trigger.Pull = candidate => throw new HostException(ErrorIds.SysrqFailed, candidate.Host.HostName, "The kernel did not crash.") { HostSaid = "Lockdown" };
        await RunAsync(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        Assert.Equal([DrillVerdict.NotCrashed, DrillVerdict.NotStarted, DrillVerdict.NotStarted], _front.Drills.OrderBy(d => d.HostName).Select(d => d.Verdict).Order());
        Assert.Single(_trigger.Pulled);
        Assert.Equal("Lockdown", _front.Drills.Single(d => d.Verdict == DrillVerdict.NotCrashed).Said);
    }

    [Fact]
    public async Task A_controller_that_is_lost_after_the_trigger_is_followed_by_one_that_pulls_none()
    {
        using (var gone = new CancellationTokenSource())
        {
            _trigger.Pull = candidate =>
            {
                gone.Cancel();
                gone.Token.ThrowIfCancellationRequested();
                return null!;
            };
            await RunAsync(["10.0.0.1", "10.0.0.2"], cancelAt: gone.Token);
        }

        var lost = Assert.Single(_trigger.Pulled);

        // The lost host may be down: nobody else gets its lease, and the next controller goes on with it.
        await using (var stranger = new StoreLeases(_plan.LeasePath!, 1, (_, _) => Task.FromResult<IHostConnection>(new ShellConnection())))
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stranger.TakeAsync("elsewhere", null, _store.Context, limit.Token));
        }

        // The capture went on without the controller.
        Samples.Lzo.Write(Path.Combine(_store.Make($"{lost}-2026-11-22-10:05:50"), "vmcore"));
        _trigger.Pull = null;
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:06:50"), "vmcore"));
        _front.Clear();
        using (var journal = DrillJournal.Resume(_journalPath))
        {
            var left = DrillResumption.From(journal);
            Assert.Equal(lost, Assert.Single(left.InFlight).Host.HostName);
            var rest = Assert.Single(left.Untouched);
            await RunAsync(journal, [.. left.InFlight, new DrillEntry(rest.Host, null, Trigger.Candidate(rest.Host))], new DrillHooks(), default);
        }

        Assert.Equal([DrillVerdict.Proven, DrillVerdict.Proven], _front.Drills.Select(d => d.Verdict));
        Assert.True(_front.Drills.Single(d => d.HostName == lost).Resumed);
        Assert.Equal(2, _trigger.Pulled.Count);
        Assert.Equal(2, _trigger.Pulled.Distinct().Count());
        using var over = DrillJournal.Resume(_journalPath);
        Assert.Empty(DrillResumption.From(over).InFlight);
        Assert.Empty(DrillResumption.From(over).Untouched);
    }

    [Fact]
    public async Task A_trigger_that_never_reached_its_host_is_told_by_its_boot()
    {
        _trigger.Pull = candidate => throw new HostException(ErrorIds.ConnectionLost, candidate.Host.HostName, "lost");
        _trigger.Return = crash => throw new HostException(ErrorIds.CrashDidNotHappen, crash.CrashedHost, "The host still runs the boot that was to crash.");
        await RunAsync(["10.0.0.1"]);
        Assert.Equal(DrillVerdict.NotCrashed, _front.One().Verdict);
    }

    [Fact]
    public async Task A_pause_holds_the_next_host_and_two_drills_share_the_limit()
    {
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:05:50"), "vmcore"));
        Directory.CreateDirectory(Path.GetDirectoryName(_journalPath)!);
        await File.WriteAllTextAsync(_journalPath + ".pause", "");
        var first = RunAsync(["10.0.0.1"]);
        await Task.Delay(2000);
        Assert.Empty(_trigger.Pulled);
        File.Delete(_journalPath + ".pause");
        await first;
        Assert.Equal(DrillVerdict.Proven, _front.One().Verdict);

        // Another controller has the only lease until it is done.
        await using var other = new StoreLeases(_plan.LeasePath!, 1, (_, _) => Task.FromResult<IHostConnection>(new ShellConnection()));
        var lease = await other.TakeAsync("elsewhere", null, _store.Context, default);
        File.Delete(_journalPath);
        _front.Clear();
        var second = RunAsync(["10.0.0.2"]);
        await Task.Delay(3000);
        Assert.Single(_trigger.Pulled);
        await lease.DisposeAsync();
        await second;
        Assert.Equal(DrillVerdict.Proven, _front.One().Verdict);
    }

    [Fact]
    public async Task A_host_that_is_no_longer_ready_at_its_turn_stays_up()
    {
        _trigger.Look = look => throw DrillChecks.NotReady(new HostReadiness
        {
            HostName = look.Host.HostName, Passed = false, State = KdumpState.NotReady,
            Checks = [Check("ServiceActive", CheckOutcome.Fail), Check("Clock", CheckOutcome.Warn), Check("Target", CheckOutcome.Pass)],
        });
        await RunAsync(["10.0.0.1"]);
        var drill = _front.One();
        Assert.Equal(DrillVerdict.NotReady, drill.Verdict);
        Assert.Equal(["ServiceActive"], drill.FailedChecks.Select(c => c.Name));
        Assert.Equal(["Clock"], drill.WarnedChecks.Select(c => c.Name));
        Assert.Equal(("ServiceActive: seen ServiceActive", DrillWordsSource.Host), (drill.Said, drill.SaidBy));
        var error = Assert.Single(_front.Errors);
        Assert.Contains("mend ServiceActive", error.Remedy, StringComparison.Ordinal);
        Assert.Empty(_trigger.Pulled);
    }

    [Fact]
    public async Task Warnings_of_both_looks_are_on_the_result_and_the_second_look_is_the_quick_one()
    {
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:05:50"), "vmcore"));
        _trigger.Checks = [Check("FreeSpace", CheckOutcome.Warn), Check("Clock", CheckOutcome.Warn), Check("LastDrill", CheckOutcome.Warn)];
        _trigger.Look = look =>
        {
            Assert.True(look.Quick);
            return Trigger.Candidate(look.Host) with { Checks = [Check("FreeSpace", CheckOutcome.NotChecked), Check("Clock", CheckOutcome.Pass), Check("Watchdog", CheckOutcome.Warn), Check("LastDrill", CheckOutcome.Warn)] };
        };
        await RunAsync(["10.0.0.1"]);
        Assert.Equal(["FreeSpace", "Watchdog"], _front.One().WarnedChecks.Select(c => c.Name));
        Assert.Equal(DrillVerdict.Proven, _front.One().Verdict);
        using var journal = DrillJournal.Resume(_journalPath);
        Assert.Equal(["FreeSpace", "Watchdog"], journal.Events.Single(e => e.Step == DrillStep.Triggering).Subject!.Checks.Select(c => c.Name));
    }

    [Fact]
    public async Task A_crash_over_the_console_goes_on_while_it_is_listened_to_and_its_words_are_told()
    {
        var left = false;
        _trigger.Look = look => Trigger.Candidate(look.Host) with { Console = look.Console };
        _trigger.PullListening = async (candidate, listening, token) =>
        {
            var text = "sysrq: Trigger a crash\r\n";
            listening.Hear(() => text);
            var crash = new SysrqCrash { CrashedHost = candidate.Host.HostName, BootIdBefore = candidate.Status.BootId, TriggeredAt = DateTimeOffset.UtcNow };
            listening.Trigger(crash);
            text += "kdump: mount.nfs: Connection refused\r\nrebooting\r\n";
            await Task.Delay(Timeout.Infinite, listening.Stopped).ContinueWith(_ => left = true, token, TaskContinuationOptions.None, TaskScheduler.Default);
            return crash with { ConsoleText = text };
        };
        await RunAsync(["10.0.0.1"], console: new SerialConsole(new SshHost("con"), ConsoleKind.Conman, "node1"));
        var drill = _front.One();
        Assert.Equal((DrillVerdict.NotCaptured, DrillWordsSource.Console, "kdump: mount.nfs: Connection refused"), (drill.Verdict, drill.SaidBy, drill.Said));
        Assert.Equal("conman node1 at con", drill.SerialConsole);
        Assert.StartsWith("sysrq: Trigger a crash", drill.ConsoleText, StringComparison.Ordinal);
        Assert.True(left);
        using var journal = DrillJournal.Resume(_journalPath);
        Assert.Equal("node1", journal.Events.Single(e => e.Step == DrillStep.Listed).Host!.Console!.Name);
    }

    [Theory]
    [InlineData(ErrorIds.ConsoleMismatch)]
    [InlineData(ErrorIds.ConsoleNotAvailable)]
    [InlineData(ErrorIds.SysrqNoAnswer)]
    public async Task A_console_that_leads_nowhere_is_not_crashed_and_what_was_raised_is_put_back(string errorId)
    {
        _trigger.Look = look => Trigger.Candidate(look.Host) with { Console = look.Console, SysrqRaise = new SysrqRaise(438, 446) };
        _trigger.Pull = candidate => throw new HostException(errorId, candidate.Host.HostName, "no") { HostSaid = "words" };
        await RunAsync(["10.0.0.1"], console: new SerialConsole(new SshHost("con"), ConsoleKind.Conman, "node1"));
        var drill = _front.One();
        Assert.Equal((DrillVerdict.NotCrashed, "words", DrillWordsSource.Console), (drill.Verdict, drill.Said, drill.SaidBy));
        Assert.Equal(new DrillSysrq(438, 446, DrillSysrqState.PutBack, 438), drill.RaisedSysrq);
        Assert.Equal("boot-10.0.0.1", Assert.Single(_trigger.Settled));
    }

    [Fact]
    public async Task A_controller_that_is_lost_after_it_raised_sysrq_is_followed_by_one_that_puts_it_back()
    {
        _trigger.Look = look => Trigger.Candidate(look.Host) with { SysrqRaise = new SysrqRaise(0, 8) };
        using (var gone = new CancellationTokenSource())
        {
            _trigger.Pull = candidate =>
            {
                gone.Cancel();
                gone.Token.ThrowIfCancellationRequested();
                return null!;
            };
            await RunAsync(["10.0.0.1"], cancelAt: gone.Token);
        }

        Assert.Empty(_trigger.Settled);
        _trigger.Return = crash => throw new HostException(ErrorIds.CrashDidNotHappen, crash.CrashedHost, "The host still runs the boot that was to crash.");
        _front.Clear();
        using (var journal = DrillJournal.Resume(_journalPath))
        {
            await RunAsync(journal, [.. DrillResumption.From(journal).InFlight], new DrillHooks(), default);
        }

        Assert.Equal((DrillVerdict.NotCrashed, new DrillSysrq(0, 8, DrillSysrqState.PutBack, 0)), (_front.One().Verdict, _front.One().RaisedSysrq));
        Assert.Single(_trigger.Settled);
    }

    [Fact]
    public async Task A_mask_that_cannot_be_put_back_is_told_and_the_verdict_stands()
    {
        _trigger.Look = look => Trigger.Candidate(look.Host) with { SysrqRaise = new SysrqRaise(0, 8) };
        _trigger.Settle = _ => throw new HostException(ErrorIds.Unreachable, "10.0.0.1", "gone");
        _trigger.OnCrash = host => Samples.Lzo.Write(Path.Combine(_store.Make($"{host}-2026-11-22-10:05:50"), "vmcore"));
        await RunAsync(["10.0.0.1"]);
        Assert.Equal((DrillVerdict.Proven, DrillSysrqState.Unknown), (_front.One().Verdict, _front.One().RaisedSysrq!.State));
        Assert.Contains(_front.Warnings, w => w.Contains("whether it is 0 again", StringComparison.Ordinal));
    }

    private static ReadinessCheck Check(string name, CheckOutcome outcome) => new(name, outcome, "seen " + name, "mend " + name);

    private async Task RunAsync(string[] hosts, DrillHooks? hooks = null, SerialConsole? console = null, CancellationToken cancelAt = default)
    {
        DrillEntry[] entries = [.. hosts.Select(h => new DrillEntry(new SshHost(h), null, Trigger.Candidate(new SshHost(h)) with { Console = console, Checks = _trigger.Checks }))];
        using var journal = DrillJournal.Create(_journalPath, _plan, entries.Select(DrillHost.Of));
        await RunAsync(journal, entries, hooks ?? new DrillHooks(), cancelAt);
    }

    private async Task RunAsync(DrillJournal journal, DrillEntry[] entries, DrillHooks hooks, CancellationToken cancelAt)
    {
        // Nothing of these drills is kept on this machine.
        var connector = new ShellConnector { Connection = new ShellConnection { Before = script => { if (script.Contains("drill.json", StringComparison.Ordinal)) { throw new HostException(ErrorIds.ConnectionLost, "", "not here"); } } } };
        var access = ShellConnector.Access(connector);
        await using var leases = new StoreLeases(_plan.LeasePath!, _plan.MaxDown, (_, _) => Task.FromResult<IHostConnection>(new ShellConnection())) { Interval = TimeSpan.FromMilliseconds(200) };
        await using var operation = new KdumpDrillOperation(access, _plan, journal, _store.Remote(), leases) { Trigger = _trigger, Hooks = hooks, Grace = TimeSpan.FromSeconds(1) };
        using var campaign = new DrillCampaign(operation, entries);
        using var registration = cancelAt.Register(campaign.Cancel);
        await Task.Run(() => campaign.Run(_front), CancellationToken.None);
    }

    private sealed class Trigger : IDrillTrigger
    {
        public ConcurrentQueue<string> Pulled { get; } = new();

        public Action<string> OnCrash { get; set; } = _ => { };

        public Func<CrashCandidate, SysrqCrash>? Pull { get; set; }

        public Func<SysrqCrash, SysrqCrash> Return { get; set; } = crash => crash with { BootIdAfter = "boot-after" };

        public Func<DrillLook, CrashCandidate> Look { get; set; } = look => Candidate(look.Host);

        public IReadOnlyList<ReadinessCheck> Checks { get; set; } = [];

        public Func<CrashCandidate, CrashListening, CancellationToken, Task<SysrqCrash>>? PullListening { get; set; }

        public ConcurrentQueue<string> Settled { get; } = new();

        public Func<SysrqRaise, DrillSysrq> Settle { get; set; } = raise => new DrillSysrq(raise.Before, raise.Raised, DrillSysrqState.PutBack, raise.Before);

        public static CrashCandidate Candidate(SshHost host) => new(host, new KdumpStatus
        {
            HostName = host.HostName, State = KdumpState.Configured, BootId = "boot-" + host.HostName, KernelRelease = Kernel, NodeName = "n" + host.HostName, Identities = [host.HostName],
        }, host.HostName);

        public Task<CrashCandidate> LookAsync(DrillLook look, HostContext context, CancellationToken cancellationToken) => Task.FromResult(Look(look));

        public Task<DrillSysrq> SettleAsync(SysrqRaise raise, string bootId, SshHost host, HostContext context, CancellationToken cancellationToken)
        {
            Settled.Enqueue(bootId);
            return Task.FromResult(Settle(raise));
        }

        public async Task<SysrqCrash> PullAsync(CrashCandidate candidate, CrashListening listening, HostContext context, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Pulled.Enqueue(candidate.Host.HostName);
            OnCrash(candidate.Host.HostName);
            if (PullListening is { } pull)
            {
                return await pull(candidate, listening, cancellationToken);
            }

            return Pull?.Invoke(candidate) ?? new SysrqCrash { CrashedHost = candidate.Host.HostName, BootIdBefore = candidate.Status.BootId, TriggeredAt = DateTimeOffset.UtcNow };
        }

        public async Task<SysrqCrash> AwaitReturnAsync(SysrqCrash crash, SshHost host, HostContext context, CancellationToken cancellationToken)
        {
            await Task.Delay(200, cancellationToken);
            return Return(crash);
        }
    }

    private sealed class Front : IFleetFront
    {
        public List<KdumpDrill> Drills { get; } = [];

        public List<HostException> Errors { get; } = [];

        public List<string> Warnings { get; } = [];

        public KdumpDrill One() => Assert.Single(Drills);

        public void Clear()
        {
            Drills.Clear();
            Errors.Clear();
        }

        public void Output(object value) => Drills.Add((KdumpDrill)value);

        public void Failed(HostException failure) => Errors.Add(failure);

        public void Verbose(string hostName, string text)
        {
        }

        public void Warning(string hostName, string text) => Warnings.Add(text);

        public void Progress(HostProgress progress)
        {
        }

        public bool Confirm(ChangeQuestion question) => true;
    }
}
