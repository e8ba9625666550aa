using System.Text.Json;
using KdumpNfs.Collection;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Dumps of four kinds of crash, found on the store and read; then the same dumps in every format that makedumpfile writes.</summary>
[Collection("9 Vmcores"), Trait(Lane.Name, Lane.After)]
public sealed partial class VmcoreScenarios(LabFixture lab, VmcoreScenarios.KeptDumps kept, ITestOutputHelper output)
    : LabScenarios(lab, output), IClassFixture<LabFixture>, IClassFixture<VmcoreScenarios.KeptDumps>
{
    private const string ExportPath = "/data/nfs_share";
    private const string DumpPath = "/var/crash";

    [SkippableFact, Step(10), Trait("Category", "Long")]
    public async Task The_same_null_dereference_on_two_nodes_has_one_signature()
    {
        NeedLab();
        var module = await ModuleAsync();
        Prepare(Lab.Node1, Lab.Node2);
        var trigger = $"set -e\n{module}\nsysctl -q -w kernel.panic_on_oops=1\nsystemd-run -q --no-block sh -c 'sleep 1; echo null >/sys/kernel/debug/lab_crash'";
        var reports = await CrashAsync("null", (Lab.Node1, trigger), (Lab.Node2, trigger));
        Assert.All(reports, report =>
        {
            Assert.Equal((PanicKind.NullDereference, "lab_read_register", "lab_crash"), (report.Kind, report.FaultingFunction, report.FaultingModule));
            Assert.Contains("NULL pointer dereference, address: 0000000000000018", report.Reason, StringComparison.Ordinal);
            Assert.Equal("sh", report.TaskName);
            Assert.InRange(report.TaskPid!.Value, 2, int.MaxValue);
            Assert.Equal(["E", "O"], report.TaintFlags.Select(t => t.Letter.ToString()).Where(t => t is "O" or "E").Order(StringComparer.Ordinal));
            Assert.Contains(report.CallTrace, f => f is { Function: "lab_write", Module: "lab_crash", Reliable: true });
            Assert.Contains(report.CallTrace, f => f is { Function: "ksys_write", Module: null, Reliable: true });
            Assert.Contains("lab_crash", string.Join(' ', report.Module), StringComparison.Ordinal);
            Assert.Single(report.CpuPosition);
        });
        Assert.Equal(reports[0].Signature, reports[1].Signature);
        Assert.Equal(["node1", "node2"], reports.Select(r => r.CrashedHost).Order(StringComparer.Ordinal));
    }

    [SkippableFact, Step(20), Trait("Category", "Long")]
    public async Task A_soft_lockup_and_an_exhausted_memory_are_told_as_such_from_elf_dumps()
    {
        NeedLab();
        var module = await ModuleAsync();
        Prepare(Lab.Node1, Lab.Node2);
        await ElfAsync();
        try
        {
            var reports = await CrashAsync("",
                (Lab.Node1, $"set -e\n{module}\nsysctl -q -w kernel.watchdog=1 kernel.watchdog_thresh=3 kernel.softlockup_panic=1\nsystemd-run -q --no-block sh -c 'sleep 1; echo softlockup >/sys/kernel/debug/lab_crash'"),
                (Lab.Node2, "set -e\nsysctl -q -w vm.panic_on_oom=1\nsystemd-run -q --no-block sh -c 'sleep 1; exec tail /dev/zero'"));
            var lockup = reports[0];
            Assert.Equal((PanicKind.SoftLockup, "lab_wait_for_device", "lab_crash", "sh"), (lockup.Kind, lockup.FaultingFunction, lockup.FaultingModule, lockup.TaskName));
            Assert.Contains("soft lockup", lockup.Reason, StringComparison.Ordinal);
            Assert.Equal(["E", "O"], lockup.TaintFlags.Select(t => t.Letter.ToString()).Where(t => t is "O" or "E").Order(StringComparer.Ordinal));
            Assert.Contains(lockup.CallTrace, f => f is { Function: "lab_write", Reliable: true });
            var memory = reports[1];
            Assert.Equal(PanicKind.OutOfMemory, memory.Kind);
            Assert.Contains("Out of memory", memory.Reason, StringComparison.Ordinal);
            Assert.Contains(memory.CallTrace, f => f.Reliable && f.Function.StartsWith("out_of_memory", StringComparison.Ordinal));
            Assert.Equal(("", "node2"), (memory.Taint, memory.CrashedHost));
        }
        finally
        {
            await NoElfAsync();
        }

        // Each as it was written: node1's makedumpfile flattens, node2's does not.
        Assert.Equal([VmcoreFormat.Flattened, VmcoreFormat.Elf], kept.Dumps.Where(d => d.Fault.Length == 0).OrderBy(d => d.Report.CrashedHost, StringComparer.Ordinal).Select(d => d.Format));
    }

    [SkippableFact, Step(30), Trait("Category", "Long")]
    public async Task Different_faults_have_different_signatures()
    {
        NeedLab();
        // The chapters before this one crash by sysrq; where this class runs alone nobody has yet.
        await ShellAsync(Lab.Storage, $"mkdir -p {ExportPath}{DumpPath}");
        var listed = await FindAsync();
        if (listed.FirstOrDefault(d => d.State == VmcoreState.Complete && d.PanicReason?.Contains("sysrq triggered crash", StringComparison.Ordinal) == true) is { } old)
        {
            await KeepAsync("sysrq", old);
        }
        else
        {
            Prepare(Lab.Node2);
            await CrashAsync("sysrq", (Lab.Node2, "systemd-run -q --no-block sh -c 'sleep 1; echo c >/proc/sysrq-trigger'"));
        }

        var sysrq = kept.Dumps.Last().Report;
        Assert.Equal(PanicKind.Sysrq, sysrq.Kind);
        Assert.Contains("sysrq triggered crash", sysrq.Reason, StringComparison.Ordinal);
        Skip.If(kept.Dumps.Count < 5, "the crashes before this one left no dumps: their own outcome says why");
        Assert.Equal(4, kept.Dumps.Select(d => d.Report.Kind).Distinct().Count());
        Assert.Equal(4, kept.Dumps.Select(d => d.Report.Signature).Distinct(StringComparer.Ordinal).Count());
    }

    [SkippableFact, Step(40), Trait("Category", "Long")]
    public async Task Every_format_of_every_crash_gives_makedumpfiles_text_and_one_report()
    {
        NeedLab();
        Skip.IfNot(Makedumpfile.IsThere, "makedumpfile is not installed on this machine.");
        Skip.If(kept.Dumps.Count == 0, "there is no dump: the crashes' own outcome says why");
        foreach (var dump in kept.Dumps)
        {
            await FormatsAsync(dump);
        }

        // ELF comes from the nodes themselves and from what was rewritten of it; kdump-compressed dumps cannot be made into ELF.
        Out.WriteLine(string.Join('\n', kept.Seen.Order(StringComparer.Ordinal)));
    }

    private void Prepare(params SshHost[] nodes)
    {
        // Where this class is run alone nobody has exported anything yet; else this changes nothing.
        One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create(ExportPath, Lab.Subnet, [], DumpPath, true, requireMount: false)).RunAsync(host, context, token), Lab.Storage);
        var request = NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, null, false);
        var front = Run((host, context, token) => new SetNfsTargetOperation(Lab.Access, request).RunAsync(host, null, context, token), true, nodes);
        Assert.Empty(front.Errors.Select(e => e.Message));
    }

    private async Task<IReadOnlyList<VmcoreDump>> FindAsync()
    {
        IReadOnlyList<VmcoreDump> found = [];
        var front = Run(async (_, context, token) => found = await GetVmcoreOperation.RunAsync(new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath), new VmcoreFilter(), context, token), true, Lab.Storage);
        Assert.Empty(front.Errors.Select(e => e.Message));
        return await Task.FromResult(found);
    }

    // Fetches the dump and reads it here, and on the store through the session.
    private async Task<VmcoreReport> KeepAsync(string fault, VmcoreDump dump)
    {
        Assert.Equal(VmcoreState.Complete, dump.State);
        var path = Path.Combine(kept.Folder, $"{kept.Dumps.Count}.vmcore");
        await using (var file = File.Create(path))
        {
            var result = await Lab.RunAsync(Lab.Storage, new RemoteScript($"cat {ShellQuote.Word(dump.DumpFile!)}") { OnOutput = bytes => file.Write(bytes.Span) });
            Assert.Equal(0, result.ExitStatus);
        }

        var report = await ReportAsync(new DumpPlace(path));
        // Not the large ELF dumps: flattened, each of their thousands of records costs the emulated store a process.
        if (fault.Length > 0)
        {
            Assert.Equal(Comparable(report), Comparable(await ReportAsync(new DumpPlace(dump.DumpFile!, Lab.Storage))));
        }

        Assert.Empty(report.Missing);
        kept.Dumps.Add(new KeptDump(fault, path, dump.Format, report));
        return report;
    }

    private async Task<VmcoreReport> ReportAsync(DumpPlace place)
    {
        await using var access = new DumpAccess(Lab.Access);
        return One<VmcoreReport>(async (_, context, token) => context.Output(await VmcoreReportOperation.RunAsync(access, place, 200, context, token)), place.Store ?? Lab.Storage);
    }

    // All but the place and the form of the file.
    private static string Comparable(VmcoreReport report) =>
        JsonSerializer.Serialize(report with { Path = "", StoreHost = null, Format = default, CrashCommand = null, DrgnCommand = null });

    /// <summary>A dump that was fetched.</summary>
    internal sealed record KeptDump(string Fault, string Path, VmcoreFormat Format, VmcoreReport Report);

    /// <summary>The dumps of this class, for the scenarios that read them again.</summary>
    public sealed class KeptDumps : IDisposable
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("kdumpnfs-vmcores-").FullName;

        internal List<KeptDump> Dumps { get; } = [];

        internal SortedSet<string> Seen { get; } = new(StringComparer.Ordinal);

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
