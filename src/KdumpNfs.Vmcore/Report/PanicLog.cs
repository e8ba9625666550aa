using System.Globalization;
using System.Text.RegularExpressions;

namespace KdumpNfs.Vmcore.Report;

/// <summary>What a kernel's log says about how it went down.</summary>
public sealed record PanicEvent
{
    /// <summary>The kind.</summary>
    public required PanicKind Kind { get; init; }

    /// <summary>The kernel's own words, one line; null where the log has none.</summary>
    public string? Reason { get; init; }

    /// <summary>The function in which it happened; null where the log does not tell.</summary>
    public string? FaultingFunction { get; init; }

    /// <summary>The place in it, "0x4c/0x180".</summary>
    public string? FaultingOffset { get; init; }

    /// <summary>The module of the function; null for the kernel itself.</summary>
    public string? FaultingModule { get; init; }

    /// <summary>The CPU that panicked.</summary>
    public int? Cpu { get; init; }

    /// <summary>Name of the task it was running (or of the task that hung).</summary>
    public string? TaskName { get; init; }

    /// <summary>Process id of that task.</summary>
    public int? TaskPid { get; init; }

    /// <summary>Taint letters as the log has them; empty when it says "Not tainted".</summary>
    public string? Taint { get; init; }

    /// <summary>Release that the log names.</summary>
    public string? Release { get; init; }

    /// <summary>Machine model that the log names.</summary>
    public string? MachineModel { get; init; }

    /// <summary>The call trace, innermost first.</summary>
    public IReadOnlyList<CallTraceFrame> CallTrace { get; init; } = [];

    /// <summary>Loaded modules, without their flags.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];

    /// <summary>Seconds since boot of the line that gave the reason.</summary>
    public double? Seconds { get; init; }
}

/// <summary>Reads why a kernel went down out of its log: from a dump, a saved dmesg or a console's text.</summary>
/// <remarks>
/// Sources: kernel/panic.c, kernel/watchdog.c, kernel/hung_task.c, mm/oom_kill.c, arch/x86/mm/fault.c, arch/x86/kernel/dumpstack.c, arch/arm64/mm/fault.c,
/// arch/arm64/kernel/traps.c, drivers/tty/sysrq.c, lib/bug.c of kernels 2.6.32 to 6.17.
/// </remarks>
public static class PanicLog
{
    // Enough for the event; what a machine wrote days before is not looked at twice.
    private const int MaximumLines = 200_000;

    /// <summary>Reads a log's text.</summary>
    public static PanicEvent Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(LogLine.Split(text));
    }

    internal static PanicEvent Read(List<LogLine> lines)
    {
        if (lines.Count > MaximumLines)
        {
            lines = lines[^MaximumLines..];
        }

        var panic = LastPanic(lines);
        var (headline, kind) = PanicHeadline.Find(lines, panic);
        var block = PanicBlock.Read(lines, headline, panic, kind);
        var reason = headline >= 0 ? lines[headline].Text.Trim() : null;
        var panicText = panic >= 0 ? lines[panic].Text.Trim() : null;
        if (panicText is not null && reason is not null && panicText != reason)
        {
            reason = PanicHeadline.IsGeneric(panicText) ? $"{reason} ({panicText})" : kind is PanicKind.SoftLockup or PanicKind.HungTask or PanicKind.Sysrq or PanicKind.Warning ? $"{panicText} ({reason})" : panicText;
        }

        if (kind is PanicKind.NullDereference or PanicKind.Oops && block.Function == "sysrq_handle_crash")
        {
            // Until 5.5 sysrq crashed through a null pointer.
            kind = PanicKind.Sysrq;
        }

        return new PanicEvent
        {
            Kind = kind,
            Reason = (reason ?? panicText) is { } said ? SafeText.Of(said) : null,
            FaultingFunction = block.Function,
            FaultingOffset = block.Offset,
            FaultingModule = block.Module,
            Cpu = block.Cpu,
            TaskName = block.Comm is { } comm ? SafeText.Of(comm, 64) : null,
            TaskPid = block.Pid,
            Taint = block.Taint,
            Release = block.Release is { } release ? SafeText.Of(release, 128) : Banner(lines),
            MachineModel = (block.Hardware ?? Dmi(lines)) is { } model ? SafeText.Of(model, 200) : null,
            CallTrace = block.Trace,
            Modules = ModuleList.Find(lines, headline >= 0 ? headline : panic),
            Seconds = headline >= 0 ? lines[headline].Seconds : panic >= 0 ? lines[panic].Seconds : null,
        };
    }

    private static int LastPanic(List<LogLine> lines) => lines.FindLastIndex(l => l.Text.AsSpan().TrimStart().StartsWith("Kernel panic - not syncing", StringComparison.Ordinal));

    private static string? Banner(List<LogLine> lines)
    {
        var line = lines.Find(l => l.Text.StartsWith("Linux version ", StringComparison.Ordinal)).Text;
        return line?.Split(' ', 4) is { Length: > 3 } words ? SafeText.Of(words[2], 128) : null;
    }

    private static string? Dmi(List<LogLine> lines) =>
        lines.Find(l => l.Text.StartsWith("DMI: ", StringComparison.Ordinal)).Text is { } text ? text["DMI: ".Length..].Trim() : null;
}

/// <summary>The list of modules.</summary>
internal static partial class ModuleList
{
    private const int MaximumModules = 4096;

    [GeneratedRegex(@"^ ?[a-z0-9_]+(\([A-Z+\-]+\))?( [A-Za-z0-9_]+(\([A-Z+\-]+\))?)*( \[last unloaded: [^\]]*\])?\s*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Continued();

    /// <summary>The last list before the end of the event; sorted as the kernel has it, the module loaded last first.</summary>
    public static IReadOnlyList<string> Find(List<LogLine> lines, int near)
    {
        const string Head = "Modules linked in:";
        var at = near < 0 ? -1 : lines.FindIndex(near, l => l.Text.StartsWith(Head, StringComparison.Ordinal));
        at = at >= 0 ? at : lines.FindLastIndex(l => l.Text.StartsWith(Head, StringComparison.Ordinal));
        if (at < 0)
        {
            return [];
        }

        var text = lines[at].Text[Head.Length..];

        // A record has room for about a thousand characters, then the list goes on in the next.
        for (var next = at + 1; next < lines.Count && text.Length < 64 << 10 && lines[next].Text.Length > 0 && Continued().IsMatch(lines[next].Text); next++)
        {
            text += " " + lines[next].Text.Trim();
        }

        var unloaded = text.IndexOf("[last unloaded", StringComparison.Ordinal);
        text = unloaded < 0 ? text : text[..unloaded];
        return [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(m => m.IndexOf('(') is > 0 and var flag ? m[..flag] : m)
            .Where(m => m.Length <= 64 && m.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')).Take(MaximumModules)];
    }
}

/// <summary>Numbers of a log.</summary>
internal static class LogNumber
{
    /// <summary>A number as a group of a match; null when it is none or too large.</summary>
    public static int? Of(Group group) =>
        group.Success && int.TryParse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
