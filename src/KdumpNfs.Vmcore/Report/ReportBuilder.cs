using KdumpNfs.Vmcore.Formats;
using KdumpNfs.Vmcore.Log;

namespace KdumpNfs.Vmcore.Report;

/// <summary>Makes reports.</summary>
public static class ReportBuilder
{
    /// <summary>Lines of the log that a report has when nothing else is asked for.</summary>
    public const int DefaultLogLines = 50;

    private const int MaximumLogLines = 100_000;

    /// <summary>Reports on a dump. What cannot be read is named in <see cref="VmcoreReport.Missing"/>.</summary>
    /// <param name="image">The dump.</param>
    /// <param name="path">Its path, for the report and the commands in it.</param>
    /// <param name="logLines">How many of the last lines of the log to give.</param>
    public static VmcoreReport FromDump(VmcoreImage image, string path, int logLines = DefaultLogLines)
    {
        ArgumentNullException.ThrowIfNull(image);
        var missing = new List<string>();
        if (image.Damage is { } damage)
        {
            missing.Add(damage);
        }

        if (image.Header.MarkedIncomplete)
        {
            missing.Add("makedumpfile marked the dump as incomplete: the target was full.");
        }

        KernelLog? log = null;
        try
        {
            log = image.ReadLog();
            if (log.MissingBytes > 0)
            {
                missing.Add($"{log.MissingBytes} bytes of the kernel log are not in the dump.");
            }

            if (log.Damage is { } broken)
            {
                missing.Add(broken);
            }
        }
        catch (VmcoreFormatException e)
        {
            missing.Add("The kernel log could not be read: " + e.Message);
        }

        var lines = log is null ? [] : Lines(log);
        var report = FromLines(lines, path, logLines);
        var uts = Uts(image);
        var release = image.Info.Release ?? image.Header.Release ?? report.Release;
        var version = image.Header.KernelVersion ?? uts.Version;
        var symbols = DebugSymbols.For(release, version ?? Banner(lines));
        return report with
        {
            Format = image.Header.Format,
            CrashedHost = image.Header.NodeName ?? uts.Node,
            Machine = image.Header.Machine,
            Release = release,
            KernelVersion = version,
            BuildId = image.Info.BuildId,
            CrashTime = image.Info.CrashTime ?? image.Header.CrashTime,
            Uptime = log?.LastTime ?? report.Uptime,
            CpuCount = image.CpuCount > 0 ? image.CpuCount : null,
            CpuPosition = Positions(image),
            DebugPackage = symbols.Package,
            CrashCommand = symbols.CrashCommand(path),
            DrgnCommand = symbols.DrgnCommand(path),
            Missing = missing,
        };
    }

    /// <summary>Reports on a saved log: dmesg's or vmcore-dmesg.txt, a console's, the journal's.</summary>
    public static VmcoreReport FromLog(string text, string path, int logLines = DefaultLogLines)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = LogLine.Split(text);
        var report = FromLines(lines, path, logLines);
        var symbols = DebugSymbols.For(report.Release, Banner(lines));
        return report with
        {
            DebugPackage = symbols.Package,
            Missing = report.Kind == PanicKind.Unknown ? ["The log has no panic, oops or sysrq crash."] : [],
        };
    }

    private static VmcoreReport FromLines(List<LogLine> lines, string path, int logLines)
    {
        var panic = PanicLog.Read(lines);
        return new VmcoreReport
        {
            Path = path,
            MachineModel = panic.MachineModel,
            Release = panic.Release,
            Uptime = panic.Seconds is { } seconds and < 1e10 ? TimeSpan.FromSeconds(seconds) : null,
            PanicCpu = panic.Cpu,
            TaskName = panic.TaskName,
            TaskPid = panic.TaskPid,
            Taint = panic.Taint,
            TaintFlags = TaintFlag.Parse(panic.Taint),
            Kind = panic.Kind,
            Reason = panic.Reason,
            FaultingFunction = panic.FaultingFunction,
            FaultingModule = panic.FaultingModule,
            Signature = PanicSignature.Of(panic),
            CallTrace = panic.CallTrace,
            Module = panic.Modules,
            LogTail = [.. lines.Skip(Math.Max(0, lines.Count - Math.Clamp(logLines, 0, MaximumLogLines))).Select(l => SafeText.Of(l.Text, 1000))],
        };
    }

    // Records that hold several lines are several lines.
    private static List<LogLine> Lines(KernelLog log)
    {
        var lines = new List<LogLine>(log.Count);
        foreach (var record in log.Records)
        {
            var first = true;
            foreach (var part in record.Text.Split('\n'))
            {
                if (first || part.Length > 0)
                {
                    lines.Add(new LogLine(part.Length > 4096 ? part[..4096] : part.TrimEnd('\r'), record.Time?.TotalSeconds));
                }

                first = false;
            }
        }

        return lines;
    }

    private static string? Banner(List<LogLine> lines) => lines.Find(l => l.Text.StartsWith("Linux version ", StringComparison.Ordinal)).Text;

    // An ELF core has no names in its header; the kernel's own are at init_uts_ns.
    private static (string? Node, string? Version) Uts(VmcoreImage image)
    {
        const int Field = 65;
        if (image.Info.Symbol("init_uts_ns") is not { } address || image.Info.Offset("uts_namespace.name") is not { } offset)
        {
            return default;
        }

        try
        {
            var names = new byte[6 * Field];
            return image.TryReadVirtual(address + (ulong)offset, names)
                ? (HeaderText.Read(names.AsSpan(Field, Field)), HeaderText.Read(names.AsSpan(3 * Field, Field))) : default;
        }
        catch (VmcoreFormatException)
        {
            // No page tables that are known; the header has to do.
            return default;
        }
    }

    // Sources: the kernel's include/linux/elfcore.h (elf_prstatus) and the registers in arch/x86/include/asm/user_64.h and arch/arm64/include/uapi/asm/ptrace.h.
    private static List<CpuPosition> Positions(VmcoreImage image)
    {
        var positions = new List<CpuPosition>(image.CpuCount);
        var place = image.Header.Machine switch { "x86_64" => 112 + (16 * 8), "aarch64" => 112 + (32 * 8), _ => 0 };
        if (place == 0)
        {
            return positions;
        }

        var order = new ByteOrder(false, true);
        foreach (var note in image.Notes.PrStatus)
        {
            if (note.Length < place + 16)
            {
                continue;
            }

            var instruction = order.UInt64(note.AsSpan(place));
            var user = instruction < 0x8000_0000_0000_0000;
            positions.Add(new CpuPosition(positions.Count, (int)order.UInt32(note.AsSpan(32)), instruction, user ? null : image.SymbolAt(instruction), user && instruction != 0));
        }

        return positions;
    }
}
