using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Crash;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>What the scenarios of drills share.</summary>
public abstract class DrillScenarios(LabFixture lab, ConsoleFixture consoles, ITestOutputHelper output) : LabScenarios(lab, output), IDisposable
{
    protected ConsoleFixture Consoles => consoles;

    protected const string ExportPath = "/data/nfs_share";
    protected const string DumpPath = "/var/crash";

    protected string Folder { get; } = Directory.CreateTempSubdirectory("kdumpnfs-drills-").FullName;

    protected string JournalPath => Path.Combine(Folder, "drill.jsonl");

    public void Dispose()
    {
        Directory.Delete(Folder, true);
        GC.SuppressFinalize(this);
    }

    protected async Task StatusAsync(SshHost host, Fleet.HostContext context, CancellationToken token) =>
        context.Output(await new KdumpStatusOperation(Lab.Access).RunAsync(host, context, token));

    // Where this class is run alone nobody has exported anything yet; else this changes nothing.
    protected async Task PrepareAsync(params SshHost[] nodes)
    {
        await ShellAsync(Lab.Storage, "mkdir -p /data/nfs_share");
        One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create(ExportPath, Lab.Subnet, null, DumpPath, true, requireMount: false)).RunAsync(host, context, token), Lab.Storage);
        var request = NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, null, false);
        await Task.WhenAll(nodes.Select(node => Task.Run(() => One<KdumpTargetChange>((host, context, token) => new SetNfsTargetOperation(Lab.Access, request).RunAsync(host, null, context, token), node))));
    }

    protected SysrqDrillTrigger Trigger(DrillPlan plan) => SysrqDrillTrigger.For(Lab.FreshAccess, plan, allowNotReady: false);

    protected RecordingFront Drill(DrillPlan plan, DrillHooks hooks, params SshHost[] nodes) => Drill(plan, hooks, Trigger(plan), null, () => { }, nodes);

    // Looks, as it is done before anybody is asked, then crashes.
    protected RecordingFront Drill(DrillPlan plan, DrillHooks hooks, SysrqDrillTrigger trigger, SerialConsole? console, Action before, params SshHost[] nodes)
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

    protected SysrqDrillTrigger ConsoleTrigger(DrillPlan plan) => new(new SysrqCrashOperation(Lab.FreshAccess)
    {
        ReturnTimeout = plan.ReturnTimeout,
        ConsoleAccess = consoles.Access,
        ConsoleListen = SysrqDrillTrigger.Listen(plan.ReturnTimeout),
    })
    {
        RaiseSysrq = plan.RaiseSysrq,
    };

    protected void NeedConsoles()
    {
        NeedLab();
        Skip.IfNot(ConsoleServer.NotRunnable is null, ConsoleServer.NotRunnable);
    }

    protected void Tell(KdumpDrill drill) =>
        Out.WriteLine($"{drill.HostName} {drill.Verdict}: {string.Join(", ", drill.Phases.Select(p => $"{p.Phase} {p.Duration.TotalSeconds:0.0} s{(p.Succeeded ? "" : " failed")}"))}");

    // Another process writes it.
    protected string ReadJournal()
    {
        using var reader = new StreamReader(new FileStream(JournalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    // Crash directories of the node: each crash makes one.
    protected async Task<int> CountAsync() => int.Parse(
        await ShellAsync(Lab.Storage, $"ls -d {ExportPath}{DumpPath}/{Lab.Required("KDUMPNFS_LAB_NODE2_PRIVATE")}-* 2>/dev/null | wc -l"), CultureInfo.InvariantCulture);

    protected Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("env",
    [
        .. CommandRunner.KdumpNfs, .. arguments, "--user", Lab.Storage.UserName!, "--port", Lab.Storage.Port!.Value.ToString(CultureInfo.InvariantCulture),
        "--key", Lab.Storage.KeyFilePath!, "--known-hosts", Lab.Required("KDUMPNFS_LAB_KNOWN_HOSTS"), "--transport", "OpenSsh", "--connect-timeout", "60",
    ]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    protected static async Task UntilAsync(Func<bool> condition, string what, Process process)
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
