using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Crash;
using KdumpNfs.Tests.Integration.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>A console server on this machine: a real conmand that holds the guests' serial ports, behind a real sshd.</summary>
/// <remarks>A serial port serves one client: scenarios that run beside each other hold only the ports that they use.</remarks>
/// <param name="guests">Whose ports.</param>
public abstract class ConsoleFixture(params string[] guests) : IDisposable
{
    private readonly Lazy<(SshServer Ssh, ConsoleServer Conman)> _servers = new(() => (SshServer.Start(), ConsoleServer.Start(
        [.. guests.Select(guest => (guest, Device(guest.ToUpperInvariant())))])));

    public HostAccess Access => new(new Ssh.OpenSsh.OpenSshConnector(), new SshOptions { KnownHostsFiles = [_servers.Value.Ssh.KnownHosts], ConfigFile = "/dev/null" });

    public SerialConsole Console(string name) => new(new SshHost(SshServer.Address, "root", _servers.Value.Ssh.Port, _servers.Value.Ssh.UserKey), ConsoleKind.Conman, name)
    {
        Daemon = _servers.Value.Conman.Daemon,
    };

    public void Dispose()
    {
        if (_servers.IsValueCreated)
        {
            _servers.Value.Conman.Dispose();
            _servers.Value.Ssh.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    private static string Device(string guest) => $"{Environment.GetEnvironmentVariable($"KDUMPNFS_LAB_{guest}_HOST")}:2301";
}

/// <summary>The serial ports of both nodes.</summary>
public sealed class BothConsoles() : ConsoleFixture("node1", "node2");

/// <summary>The serial port of node1.</summary>
public sealed class Node1Console() : ConsoleFixture("node1");

/// <summary>The serial port of node2.</summary>
public sealed class Node2Console() : ConsoleFixture("node2");

/// <summary>Panic policy on real kernels, and their serial consoles through a real conmand.</summary>
[Collection("3 Console")]
public sealed class ConsoleTests(LabFixture lab, BothConsoles consoles, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>, IClassFixture<BothConsoles>
{
    private SshHost Node(string name) => name == "node1" ? Lab.Node1 : Lab.Node2;

    private void NeedConsoles()
    {
        NeedLab();
        Skip.IfNot(ConsoleServer.NotRunnable is null, ConsoleServer.NotRunnable);
    }

    private RecordingFront Send(string node, string console, params string[] keys) => Run(
        (host, context, token) => new SendSysrqOperation(Lab.Access, consoles.Access, keys).RunAsync(host, consoles.Console(console), context, token), true, Node(node));

    private static Func<SshHost, HostContext, CancellationToken, Task> Set(HostAccess access, SettingScope scope, params (PanicSetting Setting, int Value)[] settings) =>
        new SetKernelPanicPolicyOperation(access, settings.ToDictionary(s => s.Setting, s => s.Value)) { Scope = scope }.RunAsync;

    private async Task<string> TracesAsync(SshHost host) => await ShellAsync(host, """
        cat /etc/sysctl.d/kernel_debug.conf 2>/dev/null | od -An -tx1; ls -la --time-style=full-iso /etc/sysctl.d/kernel_debug.conf 2>/dev/null
        cd /proc/sys/kernel; for f in sysrq panic panic_on_* softlockup_panic hardlockup_panic hung_task_panic unknown_nmi_panic nmi_watchdog; do echo $f $(cat $f 2>/dev/null); done
        ls -A /var/lib/kdumpnfs 2>/dev/null; exit 0
        """);

    [SkippableFact, Step(10)]
    public async Task A_panic_policy_is_set_seen_and_restored_on_real_kernels()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            await ShellAsync(host, "cd /etc/sysctl.d; [ ! -f kernel_debug.conf ] || mv kernel_debug.conf /root/kept; printf '# theirs\\nkernel.panic=11' >kernel_debug.conf");
            var before = await ShellAsync(host, "od -An -tx1 /etc/sysctl.d/kernel_debug.conf; cd /proc/sys/kernel; cat panic softlockup_panic panic_on_oops panic_on_warn");
            var traces = await TracesAsync(host);
            var asked = Set(Lab.Access, SettingScope.Persistent, (PanicSetting.SoftlockupPanic, 1), (PanicSetting.PanicOnOops, 1), (PanicSetting.PanicTimeout, 30), (PanicSetting.PanicOnWarn, 1));
            var refused = Run(asked, false, host);
            Assert.Equal(PanicSettings.PanicOnWarnDanger, Assert.Single(refused.Questions).Danger);
            Assert.Equal(traces, await TracesAsync(host));

            var change = One<KernelPanicPolicyChange>(asked, host);
            Assert.True(change.Changed);
            Assert.Equal("30 1 1 1", await ShellAsync(host, "cd /proc/sys/kernel; echo $(cat panic softlockup_panic panic_on_oops panic_on_warn)"));
            Assert.Contains("kernel.panic=30", await ShellAsync(host, "cat /etc/sysctl.d/kernel_debug.conf"), StringComparison.Ordinal);
            traces = await TracesAsync(host);
            Assert.False(One<KernelPanicPolicyChange>(asked, host).Changed);
            Assert.Equal(traces, await TracesAsync(host));

            var policy = One<KernelPanicPolicy>(async (h, context, token) => context.Output(await new KernelPanicPolicyOperation(Lab.Access).RunAsync(h, context, token)), host);
            Assert.Equal((true, true, 30), (policy.SoftlockupPanic, policy.PanicOnWarn, policy.PanicTimeout));
            Assert.NotNull(policy.ChangedSince);

            Assert.True(One<KernelPanicPolicyChange>(new RestoreKernelPanicPolicyOperation(Lab.Access).RunAsync, host).Changed);
            Assert.Equal(before, await ShellAsync(host, "od -An -tx1 /etc/sysctl.d/kernel_debug.conf; cd /proc/sys/kernel; cat panic softlockup_panic panic_on_oops panic_on_warn"));
            Assert.False(One<KernelPanicPolicyChange>(new RestoreKernelPanicPolicyOperation(Lab.Access).RunAsync, host).Changed);
            await ShellAsync(host, "cd /etc/sysctl.d; rm kernel_debug.conf*; [ ! -f /root/kept ] || mv /root/kept kernel_debug.conf; [ ! -e /var/lib/kdumpnfs/panic.before ]");
        });
    }

    [SkippableFact, Step(11)]
    public async Task What_Enable_Sysrq_did_Disable_Sysrq_takes_back_on_real_kernels()
    {
        NeedLab();
        await EachNodeAsync(async host =>
        {
            // What earlier scenarios have left waits: a record of theirs would say what was there before them.
            await ShellAsync(host, """
                cd /etc/sysctl.d
                cat /proc/sys/kernel/sysrq >/root/kept-mask
                [ ! -f kernel_debug.conf ] || mv kernel_debug.conf /root/kept
                [ ! -f /var/lib/kdumpnfs/sysrq.before ] || mv /var/lib/kdumpnfs/sysrq.before /root/kept-record
                printf '# theirs\nkernel.sysrq=438' >kernel_debug.conf
                echo 438 >/proc/sys/kernel/sysrq
                """);
            const string Look = "od -An -tx1 /etc/sysctl.d/kernel_debug.conf; cat /proc/sys/kernel/sysrq";
            var before = await ShellAsync(host, Look);
            var enable = new EnableSysrqOperation(Lab.Access).RunAsync;
            var disable = new DisableSysrqOperation(Lab.Access).RunAsync;

            var on = One<SysrqChange>(enable, host);
            Assert.Equal((true, 1, 438), (on.Changed, on.Mask, on.PreviousMask));
            Assert.Equal("kernel.sysrq=1 1", await ShellAsync(host, "echo $(grep sysrq /etc/sysctl.d/kernel_debug.conf; cat /proc/sys/kernel/sysrq)"));
            var traces = await TracesAsync(host);
            Assert.Single(Run(disable, false, host).Questions);
            Assert.Equal(traces, await TracesAsync(host));

            var off = One<SysrqChange>(disable, host);
            Assert.Equal((true, 438, 1), (off.Changed, off.Mask, off.PreviousMask));
            Assert.Equal(before, await ShellAsync(host, Look));
            traces = await TracesAsync(host);
            Assert.DoesNotContain("sysrq.before", traces, StringComparison.Ordinal);
            Assert.False(One<SysrqChange>(disable, host).Changed);
            Assert.Equal(traces, await TracesAsync(host));

            // For this boot alone the drop-in stays, until the whole is taken back.
            One<SysrqChange>(enable, host);
            Assert.True(One<SysrqChange>(new DisableSysrqOperation(Lab.Access) { Scope = SettingScope.Boot }.RunAsync, host).Changed);
            Assert.Equal("kernel.sysrq=1 438", await ShellAsync(host, "echo $(grep sysrq /etc/sysctl.d/kernel_debug.conf; cat /proc/sys/kernel/sysrq)"));
            Assert.True(One<SysrqChange>(disable, host).Changed);
            Assert.Equal(before, await ShellAsync(host, Look));
            await ShellAsync(host, """
                cd /etc/sysctl.d
                rm kernel_debug.conf*
                [ ! -f /root/kept ] || mv /root/kept kernel_debug.conf
                [ ! -f /root/kept-record ] || { mkdir -p -m 700 /var/lib/kdumpnfs && mv /root/kept-record /var/lib/kdumpnfs/sysrq.before; }
                cat /root/kept-mask >/proc/sys/kernel/sysrq
                rm /root/kept-mask
                """);
        });
    }

    [SkippableFact, Step(20)]
    public async Task The_console_answers_the_harmless_key_and_shows_what_a_quiet_console_hides()
    {
        NeedConsoles();
        await EachNodeAsync(async host =>
        {
            Assert.Equal(1, One<SysrqChange>(new EnableSysrqOperation(Lab.Access).RunAsync, host).Mask);
            var name = host.HostName == Lab.Node1.HostName ? "node1" : "node2";
            var level = await ShellAsync(host, "cut -f1 /proc/sys/kernel/printk");
            var front = Send(name, name, "h", "m");
            Assert.Empty(front.Errors.Select(e => e.Message));
            var answers = front.Outputs.Cast<SysrqAnswer>().ToList();
            Assert.Equal([('h', SysrqAnswerState.Answered, true), ('m', SysrqAnswerState.Answered, true)], answers.Select(a => (a.Key, a.State, a.Proven)));
            Assert.StartsWith("HELP :", answers[0].Action, StringComparison.Ordinal);
            Assert.Contains("crash(c)", answers[0].Action, StringComparison.Ordinal);
            Assert.Equal("Show Memory", answers[1].Action);
            Assert.Contains("Mem-Info:", answers[1].Text, StringComparison.Ordinal);
            Assert.Equal(level, await ShellAsync(host, "cut -f1 /proc/sys/kernel/printk"));
        });
    }

    [SkippableFact, Step(21)]
    public async Task What_the_mask_does_not_allow_is_said_in_the_kernels_words()
    {
        NeedConsoles();
        await ShellAsync(Lab.Node2, "echo 438 >/proc/sys/kernel/sysrq");
        var masked = Send("node2", "node2", "h", "m");
        Assert.Equal([SysrqAnswerState.Answered, SysrqAnswerState.Disabled], masked.Outputs.Cast<SysrqAnswer>().Select(a => a.State));
        var disabled = Assert.Single(masked.Errors);
        Assert.Equal(ErrorIds.SysrqDisabled, disabled.ErrorId);
        Assert.Contains("This sysrq operation is disabled", disabled.HostSaid, StringComparison.Ordinal);

        await ShellAsync(Lab.Node2, "echo 0 >/proc/sys/kernel/sysrq");
        var silent = Assert.Single(Send("node2", "node2", "h").Errors);
        Assert.Equal(ErrorIds.SysrqNoAnswer, silent.ErrorId);
        Assert.Contains("kernel.sysrq is 0", silent.Message, StringComparison.Ordinal);

        var crash = Failure(async (host, context, token) => context.Output(await new SysrqCrashOperation(Lab.Access) { AllowNotReady = true, ConsoleAccess = consoles.Access }
            .ProbeAsync(host, consoles.Console("node2"), null, context, token)), Lab.Node2);
        Assert.Equal(ErrorIds.SysrqDisabled, crash.ErrorId);
        await ShellAsync(Lab.Node2, "echo 1 >/proc/sys/kernel/sysrq");
    }

    [SkippableFact, Step(22)]
    public void Another_hosts_console_gets_nothing()
    {
        NeedConsoles();
        var error = Assert.Single(Send("node1", "node2", "h").Errors);
        Assert.Equal(ErrorIds.ConsoleMismatch, error.ErrorId);
    }
}
