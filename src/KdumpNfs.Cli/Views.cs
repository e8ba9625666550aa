using System.Globalization;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Vmcores;
using KdumpNfs.Readiness;
using KdumpNfs.Setup;
using KdumpNfs.Storms;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KdumpNfs.Cli;

/// <summary>The columns in which results are shown; everything else is in the JSON.</summary>
internal static class Views
{
    private static readonly Dictionary<Type, (string Header, Func<object, object?> Value)[]> Columns = new()
    {
        [typeof(KdumpStatus)] = View<KdumpStatus>(
            ("Host", s => s.HostName), ("State", s => s.State), ("Family", s => s.Family), ("Reserved", s => s.ReservedBytes == 0 ? "none" : Size(s.ReservedBytes)), ("Target", s => s.Target),
            ("Level", s => s.DumpLevel), ("Compression", s => s.Compression), ("Reasons", s => s.ErrorId ?? string.Join(", ", s.NotReadyReason))),
        [typeof(KdumpTargetChange)] = View<KdumpTargetChange>(
            ("Host", c => c.HostName), ("Changed", c => c.Changed), ("Family", c => c.Family), ("Target", c => c.Target), ("Before", c => c.PreviousTarget),
            ("Level", c => c.DumpLevel), ("Compression", c => c.Compression), ("Image built", c => Time(c.ImageTime))),
        [typeof(KdumpPlan)] = View<KdumpPlan>(
            ("Host", p => p.HostName), ("Family", p => p.Family), ("Kind", p => p.Kind), ("Writes file", p => p.WritesFile), ("Path", p => p.Path), ("Target", p => p.Target), ("Before", p => p.PreviousTarget)),
        [typeof(KdumpBackup)] = View<KdumpBackup>(
            ("Host", b => b.HostName), ("Backup", b => b.Path), ("Time", b => Time(b.Time)), ("Current", b => b.Current), ("Target", b => b.Target)),
        [typeof(NfsExport)] = View<NfsExport>(
            ("Host", e => e.HostName), ("Export", e => e.ExportPath), ("Client", e => e.Client), ("Live", e => e.Live), ("Own mount", e => e.OwnMount),
            ("Options", e => string.Join(',', e.Option))),
        [typeof(NfsExportRemoval)] = View<NfsExportRemoval>(
            ("Host", r => r.HostName), ("Changed", r => r.Changed), ("Export", r => r.ExportPath), ("Client", r => r.Client), ("Files", r => string.Join(", ", r.File)),
            ("Was live", r => r.WasLive)),
        [typeof(NfsExportChange)] = View<NfsExportChange>(
            ("Host", c => c.HostName), ("Changed", c => c.Changed), ("Export", c => c.ExportPath), ("Dump path", c => c.DumpPath), ("Client", c => c.Client),
            ("Options", c => string.Join(',', c.Option))),
        [typeof(HostVmcoreEstimate)] = View<HostVmcoreEstimate>(
            ("Host", e => e.HostName), ("Memory", e => Size(e.MemoryBytes)), ("Level", e => e.DumpLevel), ("Kept", e => Size(e.KeptBytes)), ("Compression", e => e.Compression),
            ("Dump", e => $"{Size(e.CompressedLowBytes)} to {Size(e.CompressedHighBytes)}"), ("Coarse", e => e.Coarse)),
        [typeof(KdumpStorm)] = View<KdumpStorm>(
            ("Crashes", s => s.CrashCount), ("Captured", s => s.CapturedCount), ("Lost", s => s.LostCount), ("Median down", s => ProgressClock.Text(s.MedianDown)),
            ("95 %", s => ProgressClock.Text(s.Percentile95Down)), ("Longest down", s => ProgressClock.Text(s.LongestDown)), ("Down at once", s => s.PeakDown),
            ("Writing at once", s => s.PeakWriting), ("Over after", s => ProgressClock.Text(s.Duration)), ("Store needs", s => Size(s.StoreBytes)),
            ("Full after", s => s.FullAfter is { } full ? ProgressClock.Text(full) : "")),
        [typeof(SysrqChange)] = View<SysrqChange>(
            ("Host", c => c.HostName), ("Changed", c => c.Changed), ("Mask", c => c.Mask), ("Before", c => c.PreviousMask), ("Scope", c => c.Scope), ("Overridden by", c => c.OverriddenBy)),
        [typeof(KernelPanicPolicy)] = View<KernelPanicPolicy>(
            ("Host", p => p.HostName), ("Panics on", p => string.Join(", ", p.Settings.Where(s => s.Setting is not (PanicSetting.PanicTimeout or PanicSetting.NmiWatchdog) && s.Value > 0).Select(s => s.Key["kernel.".Length..]))),
            ("Reboot after", p => p.PanicTimeout switch { null => "", 0 => "never", < 0 => "0 s", var s => $"{s} s" }), ("NMI watchdog", p => p.NmiWatchdog), ("Changed since", p => Time(p.ChangedSince))),
        [typeof(KernelPanicPolicyChange)] = View<KernelPanicPolicyChange>(
            ("Host", c => c.HostName), ("Changed", c => c.Changed), ("Scope", c => c.Scope), ("Values", c => string.Join(", ", c.Values)), ("Unknown", c => string.Join(", ", c.Unknown)),
            ("Left", c => string.Join(", ", c.Foreign)), ("Overridden by", c => string.Join(", ", c.OverriddenBy.Select(w => w.Path).Distinct()))),
        [typeof(SysrqAnswer)] = View<SysrqAnswer>(
            ("Host", a => a.HostName), ("Console", a => a.Console), ("Key", a => a.Key), ("State", a => a.State), ("Proven", a => a.Proven), ("Action", a => a.Action),
            ("Said", a => $"{a.Text.Length} characters")),
        [typeof(UncleanBoot)] = View<UncleanBoot>(
            ("Host", b => b.HostName), ("Ended", b => Time(b.EndedAt)), ("Next boot", b => Time(b.NextBootAt)), ("Verdict", b => b.Verdict), ("Panic", b => b.PanicReason),
            ("Evidence", b => string.Join(' ', b.Evidence))),
        [typeof(HostReadiness)] = View<HostReadiness>(
            ("Host", r => r.HostName), ("Passed", r => r.Passed), ("State", r => r.State), ("Failed", r => r.ErrorId ?? string.Join(", ", r.Failed)), ("Warned", r => string.Join(", ", r.Warned)),
            ("Why", r => r.Message ?? string.Join(" ", r.Checks.Where(c => c.Outcome == CheckOutcome.Fail).Select(c => c.Evidence)))),
        [typeof(StoreReadiness)] = View<StoreReadiness>(
            ("Store", s => s.Store), ("Hosts", s => s.Hosts.Count), ("Passed", s => s.Passed), ("Free", s => Size(s.FreeBytes)), ("Needed by all", s => Size(s.NeededBytes)),
            ("Not estimated", s => s.NotEstimated), ("Crashes at once", s => s.SimultaneousCrashes)),
        [typeof(SysrqCrash)] = View<SysrqCrash>(
            ("Crashed host", c => c.CrashedHost), ("Source address", c => c.SourceAddress), ("Triggered at", c => Time(c.TriggeredAt)), ("Synced", c => c.Synced),
            ("Away", c => c.Away is { } away ? ProgressClock.Text(away) : ""), ("Target", c => c.Target)),
        [typeof(VmcoreDump)] = View<VmcoreDump>(
            ("Crashed host", d => d.CrashedHost), ("Crash time", d => Time(d.CrashTime)), ("State", d => d.State), ("Size", d => Size(d.Bytes)), ("Format", d => d.Format),
            ("Kernel", d => d.KernelRelease), ("Panic or reason", d => d.State == VmcoreState.Complete ? d.PanicReason : d.Reason), ("Path", d => d.Path)),
        [typeof(CrashKernelReservation)] = View<CrashKernelReservation>(
            ("Host", r => r.HostName), ("Reserved", r => r.ReservedBytes == 0 ? "none" : Size(r.ReservedBytes)), ("Now", r => string.Join(' ', r.CommandLine)),
            ("Next boot", r => r.NextBoot is { } next ? string.Join(' ', next) : r.BootSource.ToString()), ("Default", r => r.Default), ("Reboot", r => r.RebootRequired),
            ("Findings", r => string.Join(' ', r.Findings))),
        [typeof(CrashKernelChange)] = View<CrashKernelChange>(
            ("Host", c => c.HostName), ("Changed", c => c.Changed), ("Next boot", c => string.Join(' ', c.CrashKernel)), ("Before", c => string.Join(' ', c.Previous)),
            ("Reserves", c => Size(c.ExpectedBytes)), ("Reboot required", c => c.RebootRequired), ("Tool", c => c.Tool)),
        [typeof(ReceivedVmcore)] = View<ReceivedVmcore>(
            ("Crashed host", r => r.CrashedHost), ("Changed", r => r.Changed), ("Files", r => r.Files.Count), ("Size", r => Size(r.Files.Sum(f => f.Bytes))),
            ("Received", r => Size(r.BytesReceived)), ("Took", r => ProgressClock.Text(r.Duration)), ("Local path", r => r.LocalPath)),
        [typeof(VmcoreRemoval)] = View<VmcoreRemoval>(
            ("Crashed host", r => r.CrashedHost), ("Outcome", r => r.Outcome), ("Size", r => Size(r.Bytes)), ("Last change", r => Time(r.AgedBy)), ("State", r => r.State),
            ("Reason", r => r.Reason), ("Path", r => r.Path)),
        [typeof(VmcoreHold)] = View<VmcoreHold>(("Path", h => h.Path), ("Held", h => h.Held), ("Changed", h => h.Changed)),
        [typeof(KdumpDrill)] = View<KdumpDrill>(
            ("Host", d => d.HostName), ("Verdict", d => d.Verdict), ("Capture", d => d.CaptureTime is { } capture ? ProgressClock.Text(capture) : ""),
            ("Away", d => d.Away is { } away ? ProgressClock.Text(away) : ""), ("Rearmed", d => d.Rearmed), ("Vmcore", d => d.Vmcore?.Path), ("Reason", d => d.Reason), ("Said", d => d.Said)),
        [typeof(VmcoreTest)] = View<VmcoreTest>(
            ("Passed", t => t.Passed), ("Full", t => t.Full), ("Format", t => t.Format), ("Pages", t => t.Pages), ("Path", t => t.Path), ("Problem", t => string.Join(' ', t.Problem))),
        [typeof(VmcoreBundle)] = View<VmcoreBundle>(
            ("Crashed host", b => b.CrashedHost), ("Crash time", b => Time(b.CrashTime)), ("Kind", b => b.Kind), ("Files", b => b.Entries.Count), ("Size", b => Size(b.Bytes)),
            ("Dump", b => b.DumpIncluded), ("Archive", b => b.Archive)),
        [typeof(VmcoreConversion)] = View<VmcoreConversion>(("Dump", c => c.Destination), ("Size", c => Size(c.Bytes)), ("Records", c => c.Records), ("Damage", c => c.Damage)),
        [typeof(KdumpInstallation)] = View<KdumpInstallation>(
            ("Host", i => i.HostName), ("Changed", i => i.Changed), ("Installed", i => string.Join(", ", i.Installed)), ("Service", i => i.Service), ("Loaded", i => i.Loaded),
            ("Reserved", i => i.ReservedBytes == 0 ? "none" : Size(i.ReservedBytes)), ("Reboot required", i => i.RebootRequired)),
        [typeof(KdumpDisabling)] = View<KdumpDisabling>(
            ("Host", d => d.HostName), ("Changed", d => d.Changed), ("Service", d => d.Service), ("Was enabled", d => d.WasEnabled), ("Was loaded", d => d.WasLoaded),
            ("Still reserved", d => Size(d.ReservedBytes))),
        [typeof(KdumpInitramfsChange)] = View<KdumpInitramfsChange>(
            ("Host", c => c.HostName), ("Image", c => c.Image), ("Built", c => Time(c.ImageTime)), ("Before", c => Time(c.PreviousTime)), ("Size", c => Size(c.Bytes))),
        [typeof(FailedHost)] = View<FailedHost>(("Host", f => f.HostName), ("State", f => f.State), ("Error", f => f.ErrorId), ("Message", f => f.Message)),
    };

    /// <summary>The types of results that there is a table for.</summary>
    public static IReadOnlyCollection<Type> Types => Columns.Keys;

    // In these a person can do without; a file and a wide terminal have them.
    private const int Narrow = 160;
    private static readonly HashSet<string> OnlyWide = ["Format", "Kernel"];

    // Names, times and sizes stay in one line: sentences make room for them, and need so much themselves.
    private const int Short = 20;

    // Between the texts of two columns.
    private const int Gap = 3;

    /// <summary>Objects of one type: a table, or where that would squeeze its sentences into a few letters, a record for each.</summary>
    /// <param name="rows">The objects.</param>
    /// <param name="width">How wide it may be.</param>
    public static IRenderable Of(IReadOnlyList<object> rows, int width)
    {
        (string Header, Func<object, object?> Value)[] columns = [.. Columns[rows[0].GetType()].Where(c => width >= Narrow || rows[0] is not VmcoreDump || !OnlyWide.Contains(c.Header))];
        int[] widths = [.. columns.Select(c => rows.Max(row => Show(c.Value(row)).Length))];
        return columns.Zip(widths, (c, longest) => Math.Min(Short, Math.Max(c.Header.Length, longest)) + Gap).Sum() + 1 > width ? Records(rows, columns) : Table(rows, columns, widths);
    }

    private static Table Table(IReadOnlyList<object> rows, (string Header, Func<object, object?> Value)[] columns, int[] widths)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var ((header, _), longest) in columns.Zip(widths))
        {
            var column = new TableColumn(new Spectre.Console.Text(header));
            table.AddColumn(longest <= Short ? column.NoWrap() : column);
        }

        foreach (var row in rows)
        {
            table.AddRow([.. columns.Select(c => Cell(c.Header, c.Value(row)))]);
        }

        return table;
    }

    // What says nothing is left out.
    private static Grid Records(IReadOnlyList<object> rows, (string Header, Func<object, object?> Value)[] columns)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var row in rows)
        {
            grid.AddRow(Spectre.Console.Text.Empty, Spectre.Console.Text.Empty);
            foreach (var (header, value) in columns.Where(c => Show(c.Value(row)).Length > 0))
            {
                grid.AddRow(new Spectre.Console.Text(header), Cell(header, value(row)));
            }
        }

        return grid;
    }

    /// <summary>Settings, a line each, with those that say nothing.</summary>
    public static string List(KdumpPreference settings)
    {
        (string Name, object? Value)[] lines =
        [
            ("UserName", settings.UserName), ("KeyFilePath", settings.KeyFilePath), ("CredentialName", settings.CredentialName), ("Transport", settings.Transport),
            ("HostKeyPolicy", settings.HostKeyPolicy), ("KnownHostsFile", string.Join(", ", settings.KnownHostsFile ?? [])), ("SshConfigFile", settings.SshConfigFile),
            ("Sudo", settings.Sudo), ("ThrottleLimit", settings.ThrottleLimit), ("ConnectingTimeout", settings.ConnectingTimeout), ("OperationTimeout", settings.OperationTimeout),
            ("StoreHost", settings.StoreHost), ("ExportPath", settings.ExportPath), ("DumpPath", settings.DumpPath), ("Source", settings.Source),
        ];
        return string.Concat(lines.Select(line => $"{line.Name,-17} : {Printable.Escape(Show(line.Value))}".TrimEnd() + Environment.NewLine));
    }

    private static (string Header, Func<object, object?> Value)[] View<T>(params (string Header, Func<T, object?> Value)[] columns) =>
        [.. columns.Select(c => (c.Header, (Func<object, object?>)(o => c.Value((T)o))))];

    private static Spectre.Console.Text Cell(string header, object? value) =>
        new(Printable.Escape(Show(value)), new Style(value switch
        {
            KdumpState.Configured or KdumpState.Probed or KdumpState.Proven or VmcoreState.Complete or DrillVerdict.Proven or CaptureVerdict.Captured or SysrqAnswerState.Answered => Color.Green,
            KdumpState.NotReady or KdumpState.Unknown or VmcoreState.Incomplete or CaptureVerdict.Uncaptured => Color.Red,
            VmcoreState.Writing or VmcoreState.NotChecked or KdumpState.NotSupported or CaptureVerdict.Unknown or DrillVerdict.NotStarted or SysrqAnswerState.Disabled or SysrqAnswerState.NoAnswer => Color.Olive,
            DrillVerdict => Color.Red,
            bool passed when header == "Passed" => passed ? Color.Green : Color.Red,
            _ => null,
        }));

    private static string Show(object? value) => value switch
    {
        null => "",
        bool yes => yes ? "yes" : "no",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Size(long? bytes) => bytes switch
    {
        null => "",
        >= 1000L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1099511627776.0:0.0} TiB"),
        >= 1000L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB"),
        >= 1000L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
    };

    private static string Time(DateTimeOffset? time) => time?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";
}
