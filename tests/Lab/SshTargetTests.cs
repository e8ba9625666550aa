using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Crash;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>What the scenarios of ssh targets share.</summary>
public abstract class SshTargetScenarios(LabFixture lab, ITestOutputHelper output) : TargetScenarios(lab, output)
{
    protected Func<SshHost, Fleet.HostContext, CancellationToken, Task> Ssh(string user, string directory, bool create = true, bool passPlan = false) => async (host, context, token) =>
    {
        var request = SshTargetRequest.Create(Lab.StoreAddress, user, directory, null, null, DumpKeyLimit.Commands, create, create, CaptureOptions.None);
        await using var operation = new SetSshTargetOperation(Lab.Access, request, Lab.Storage) { PassPlan = passPlan };
        await operation.RunAsync(host, null, context, token);
    };
}

/// <summary>node2's stand-in refuses ssh targets, so that one goes back. Starts from and leaves a node that dumps to the store's export, armed.</summary>
[Collection("5 Refused ssh target"), Trait(Lane.Name, Lane.Node2)]
public sealed class RefusedSshTargetTests(LabFixture lab, ITestOutputHelper output) : SshTargetScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(41), Trait("Category", "Long")]
    public async Task A_tool_that_refuses_an_ssh_target_is_left_with_its_old_one()
    {
        NeedLab();
        var before = await ShellAsync(Lab.Node2, "sha256sum </etc/kdump.conf");
        var error = Failure(Ssh("refused", "/data/refused_dumps"), Lab.Node2);
        Assert.Equal(ErrorIds.ChangeRolledBack, error.ErrorId);
        Assert.Equal(before, await ShellAsync(Lab.Node2, "sha256sum </etc/kdump.conf"));
        Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, Lab.Node2).State);
        Assert.Equal("1", await ShellAsync(Lab.Storage, "grep -c kdumpnfs:node2: ~refused/.ssh/authorized_keys"));
    }
}

/// <summary>Dumps over ssh of node1, which is Debian with its own kdump-tools. Leaves it with that target; <see cref="AfterTheLanes"/> gives it the old one.</summary>
[Collection("5 Ssh targets"), Trait(Lane.Name, Lane.Node1)]
public sealed class SshTargetTests(LabFixture lab, Node1Console consoles, ITestOutputHelper output) : SshTargetScenarios(lab, output), IClassFixture<LabFixture>, IClassFixture<Node1Console>
{
    private const string SshDumps = "/data/ssh_dumps";

    private Func<SshHost, Fleet.HostContext, CancellationToken, Task> Ssh(bool create = true, bool passPlan = false) => Ssh("kdump", SshDumps, create, passPlan);

    [SkippableFact, Step(40), Trait("Category", "Long")]
    public async Task A_host_gets_a_dump_key_that_can_do_no_more_than_dump()
    {
        NeedLab();
        await PrepareAsync(Lab.Node1);
        Assert.Equal(ErrorIds.DumpUserMissing, Failure(Ssh(create: false), Lab.Node1).ErrorId);
        var traces = await TracesAsync(Lab.Node1);
        var asked = Run(Ssh(), answer: false, Lab.Node1);
        Assert.Empty(asked.Errors);
        var question = Assert.Single(asked.Questions).Description!;
        Assert.Contains("Make the account kdump", question, StringComparison.Ordinal);
        Assert.Contains($"+{Lab.StoreAddress} ssh-ed25519 ", question, StringComparison.Ordinal);
        Assert.Contains($"+SSH=\"kdump@{Lab.StoreAddress}\"", question, StringComparison.Ordinal);
        Assert.Equal(traces, await TracesAsync(Lab.Node1));
        Assert.Equal("", await ShellAsync(Lab.Storage, "getent passwd kdump; ls -d /data/ssh_dumps 2>/dev/null; exit 0"));

        // By a plan that was kept, looked at and applied later.
        var made = One<KdumpPlan>(Ssh(passPlan: true), Lab.Node1);
        Assert.Contains("Make the account kdump", made.AlsoChanges, StringComparison.Ordinal);
        Assert.Equal(traces, await TracesAsync(Lab.Node1));
        var plan = Assert.Single(KdumpPlanReader.ReadJson(System.Text.Json.JsonSerializer.Serialize(made)));
        await using var later = new ApplyPlanOperation(Lab.Access);
        var change = One<KdumpTargetChange>((host, context, token) => later.RunAsync(plan, host, context, token), Lab.Node1);
        Assert.Equal((true, $"kdump@{Lab.StoreAddress}:{SshDumps}"), (change.Changed, change.Target!.Location));
        Assert.Equal(6, change.AlsoChanged.Count);
        Assert.Equal("600 root", await ShellAsync(Lab.Node1, "stat -c '%a %U' /root/.ssh/kdump_id_rsa"));
        Assert.Contains("ssh-ed25519", await ShellAsync(Lab.Node1, "cat /root/.ssh/kdump_id_rsa.pub"), StringComparison.Ordinal);
        Assert.Equal("700 kdump", await ShellAsync(Lab.Storage, $"stat -c '%a %U' {SshDumps}"));
        Assert.Matches("^restrict,from=\"192\\.168\\.122\\.101\",command=\"/usr/local/sbin/kdumpnfs-receive /data/ssh_dumps\" ssh-ed25519 \\S+ kdumpnfs:node1:\\w+$",
            await ShellAsync(Lab.Storage, "cat ~kdump/.ssh/authorized_keys"));
        Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, Lab.Node1).State);
        Assert.Equal("", await ShellAsync(Lab.Storage, $"ls -A {SshDumps}"));

        traces = await TracesAsync(Lab.Node1);
        var store = await ShellAsync(Lab.Storage, "sha256sum ~kdump/.ssh/authorized_keys /usr/local/sbin/kdumpnfs-receive; stat -c '%i %Y' ~kdump/.ssh/authorized_keys");
        Assert.False(One<KdumpTargetChange>(Ssh(), Lab.Node1).Changed);
        Assert.Equal(traces, await TracesAsync(Lab.Node1));
        Assert.Equal(store, await ShellAsync(Lab.Storage, "sha256sum ~kdump/.ssh/authorized_keys /usr/local/sbin/kdumpnfs-receive; stat -c '%i %Y' ~kdump/.ssh/authorized_keys"));

        // What the key opens, and what not.
        var login = $"ssh -i /root/.ssh/kdump_id_rsa -o BatchMode=yes kdump@{Lab.StoreAddress}";
        Assert.Equal("126 126 126", await ShellAsync(Lab.Node1,
            $"for c in id 'cat /etc/passwd' 'rm -rf {SshDumps}'; do {login} \"$c\" >/dev/null 2>&1; printf '%s ' $?; done | sed 's/ $//'"));
        await ShellAsync(Lab.Node1, $"echo words >/tmp/words; {login} mkdir -p {SshDumps}/t && scp -q -i /root/.ssh/kdump_id_rsa -o BatchMode=yes /tmp/words kdump@{Lab.StoreAddress}:{SshDumps}/t/dmesg.1");
        Assert.Equal("words", await ShellAsync(Lab.Storage, $"cat {SshDumps}/t/dmesg.1; rm -r {SshDumps}/t"));
        Assert.NotEqual("0", await ShellAsync(Lab.Node1, $"scp -q -i /root/.ssh/kdump_id_rsa -o BatchMode=yes kdump@{Lab.StoreAddress}:/etc/passwd /tmp/stolen >/dev/null 2>&1; echo $?"));

        // A key that somebody took away is let in again; the host's file stays, and so does its service.
        await ShellAsync(Lab.Storage, "sed -i d ~kdump/.ssh/authorized_keys");
        var again = One<KdumpTargetChange>(Ssh(), Lab.Node1);
        Assert.Equal((true, "", 1), (again.Changed, again.Diff, again.AlsoChanged.Count));
        Assert.Equal(traces, await TracesAsync(Lab.Node1));
    }

    /// <summary>Two proofs of one crash: over the serial console, where there is a conmand to reach it, and dumped over ssh.</summary>
    [SkippableFact, Step(42), Trait("Category", "Long")]
    public async Task A_crash_over_the_console_tells_the_panic_and_its_dump_arrives_over_ssh_and_is_readable()
    {
        NeedLab();
        One<SysrqChange>(new EnableSysrqOperation(Lab.Access).RunAsync, Lab.Node1);
        var hasConsole = ConsoleServer.NotRunnable is null;
        Out.WriteLine(hasConsole ? "over the console" : $"over SSH: {ConsoleServer.NotRunnable}");
        var (crash, dump) = await CrashAsync(Lab.Node1, new RemoteVmcores(Lab.Access, Lab.Storage, SshDumps), hasConsole ? (consoles.Console("node1"), consoles.Access) : null);
        Assert.StartsWith(SshDumps + "/192.168.122.101-", dump.Path, StringComparison.Ordinal);
        Assert.Equal("600 kdump", await ShellAsync(Lab.Storage, $"stat -c '%a %U' {dump.DumpFile}"));
        if (hasConsole)
        {
            Assert.Contains("Kernel panic - not syncing: sysrq triggered crash", crash.ConsoleText, StringComparison.Ordinal);
            Assert.True(crash is { ConsoleProven: true, Synced: true });
        }
    }
}
