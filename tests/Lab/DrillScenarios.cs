using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Crash;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>What the scenarios of drills share.</summary>
public abstract class DrillScenarios(LabFixture lab, ConsoleFixture consoles, ITestOutputHelper output) : TargetScenarios(lab, output), IDisposable
{
    protected ConsoleFixture Consoles => consoles;

    protected string Folder { get; } = Directory.CreateTempSubdirectory("kdumpnfs-drills-").FullName;

    protected string JournalPath => Path.Combine(Folder, "drill.jsonl");

    public void Dispose()
    {
        Directory.Delete(Folder, true);
        GC.SuppressFinalize(this);
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
    protected static bool HasTriggered(string journalPath)
    {
        if (!File.Exists(journalPath))
        {
            return false;
        }

        using var reader = new StreamReader(new FileStream(journalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Contains("\"Step\":\"Triggered\"", StringComparison.Ordinal);
    }

    // Crash directories of both nodes: each crash makes one.
    protected async Task<int[]> CountAsync() => [.. (await ShellAsync(Lab.Storage, string.Join(';', new[] { "NODE1", "NODE2" }
        .Select(guest => $"ls -d {ExportPath}{DumpPath}/{Lab.Required($"KDUMPNFS_LAB_{guest}_PRIVATE")}-* 2>/dev/null | wc -l"))))
        .Split('\n').Select(count => int.Parse(count, CultureInfo.InvariantCulture))];

    protected Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo("env",
    [
        .. CommandRunner.KdumpNfs, .. arguments, "--user", Lab.Storage.UserName!, "--port", Lab.Storage.Port!.Value.ToString(CultureInfo.InvariantCulture),
        "--key", Lab.Storage.KeyFilePath!, "--known-hosts", Lab.Required("KDUMPNFS_LAB_KNOWN_HOSTS"), "--transport", "OpenSsh", "--connect-timeout", "60",
    ]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    protected static async Task UntilAsync(Func<bool> condition, string what, params Process[] processes)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            var ended = Array.Find(processes, process => process.HasExited);
            Assert.False(ended is not null && !condition(), $"A controller ended before {what}: {ended?.ExitCode}");
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(4), $"Waited in vain for {what}.");
            await Task.Delay(100);
        }
    }
}
