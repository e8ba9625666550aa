using System.Text.RegularExpressions;

namespace KdumpNfs.Vmcore.Report;

/// <summary>A line of a call trace.</summary>
/// <param name="Function">The function as the kernel names it, clones with their suffix.</param>
/// <param name="Offset">Place in it and its size as the kernel writes them, "0x4c/0x180"; null where it does not.</param>
/// <param name="Module">The module it is in; null for the kernel itself.</param>
/// <param name="Reliable">False for a "?" line: an address that lay on the stack and need not belong to the trace.</param>
/// <param name="Context">The stack it is on, "IRQ", "NMI"; null for a task's.</param>
public sealed record CallTraceFrame(string Function, string? Offset, string? Module, bool Reliable, string? Context)
{
    /// <summary>
    /// A return address behind the last instruction of the function before: what called was a function that never returns (panic). The name is then of
    /// whatever lies there, and says nothing.
    /// </summary>
    internal bool IsBehindCaller => Offset?.StartsWith("0x0/", StringComparison.Ordinal) == true;

    /// <summary>As the kernel writes it.</summary>
    public override string ToString() => $"{(Reliable ? "" : "? ")}{Function}{(Offset is null ? "" : "+" + Offset)}{(Module is null ? "" : $" [{Module}]")}";
}

/// <summary>Reads call traces of all forms that kernels have printed since 2.6.32.</summary>
/// <remarks>Sources: the kernel's arch/x86/kernel/dumpstack.c, arch/arm64/kernel/stacktrace.c, arch/arm/kernel/traps.c and their older versions.</remarks>
internal static partial class CallTrace
{
    private const int MaximumFrames = 256;

    // "func+0x1/0x2", "func.cold+0x1/0x2 [mod]", "[<ffffffff81>] ? func+0x1/0x2", and 32-bit arm's "(func) from [<c01>] (caller+0x1/0x2)".
    [GeneratedRegex(@"^\s*(\[<[0-9a-f ()nul]+>\] *)?(?<maybe>\? )?(?<name>[A-Za-z_][\w.$]*)\+(?<offset>0x[0-9a-f]+/0x[0-9a-f]+)( \[(?<module>\w+)[^\]]*\])?( [\w./-]+\.[chS]:[\d?]+)?( \(.*\))?\s*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Frame();

    [GeneratedRegex(@"^\s*(\[<[0-9a-f]+>\] *)?\(?(?<name>[A-Za-z_][\w.$]*)(\+0x[0-9a-f]+/0x[0-9a-f]+)?( \[(?<module>\w+)\])?\)? from ", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ArmFrame();

    [GeneratedRegex(@"^\s*\[[0-9a-fcx]{16}\] \[[0-9a-f]{16}\] (?<name>[A-Za-z_.][\w.$]*)\+(?<offset>0x[0-9a-f]+/0x[0-9a-f]+)( \[(?<module>\w+)\])?(?<maybe> \(unreliable\))?", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PowerFrame();

    [GeneratedRegex(@"^\s*</?(?<name>IRQ|NMI|EOI|EOE|TASK|SOFTIRQ|#DF|#DB|#MC|#VC|ENTRY_TRAMPOLINE)>\s*", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Marker();

    // Registers and code of an exception that the trace runs through.
    [GeneratedRegex(@"^\s*(RIP|RSP|RAX|RDX|RBP|RBX|R08|R10|R13|R\d\d|RDI|RSI|FS|CS|CR2|DR\d|PKRU|Code|EFLAGS|ORIG_RAX|Exception stack|[0-9a-f]{4}: )[ :(]|^\s*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Between();

    /// <summary>Whether a trace begins with this line.</summary>
    public static bool IsHead(string text)
    {
        var trimmed = text.AsSpan().Trim();
        return trimmed.StartsWith("Call Trace:", StringComparison.OrdinalIgnoreCase) || trimmed.StartsWith("Backtrace:", StringComparison.Ordinal) || IsArmTop(trimmed);
    }

    // 32-bit arm may have no head: its first frame is always the unwinder's.
    private static bool IsArmTop(ReadOnlySpan<char> text) => text.Contains("unwind_backtrace", StringComparison.Ordinal) && text.Contains(" from ", StringComparison.Ordinal);

    /// <summary>Reads the trace behind its head.</summary>
    public static List<CallTraceFrame> Read(List<LogLine> lines, int head)
    {
        var frames = new List<CallTraceFrame>();
        string? context = null;
        var text = lines[head].Text;
        var colon = IsArmTop(text) ? -1 : text.IndexOf(':');
        var strange = 0;
        for (var i = head; i < lines.Count && frames.Count < MaximumFrames && strange < 2; i++)
        {
            // Old kernels begin the trace on the line of its head.
            var line = i == head ? text[(colon + 1)..] : lines[i].Text;
            while (Marker().Match(line) is { Success: true } marker)
            {
                var name = marker.Groups["name"].Value;
                context = name is "TASK" or "EOI" or "EOE" || marker.Value.Contains('/') ? null : name;
                line = line[marker.Length..];
                line = Stamp(line);
            }

            if (Parse(line, context) is { } frame)
            {
                frames.Add(frame);
                strange = 0;
            }
            else if (i > head && !Between().IsMatch(line))
            {
                // A line of another CPU may come between; two are the end.
                strange += line.StartsWith("Modules linked in", StringComparison.Ordinal) || line.StartsWith("---[", StringComparison.Ordinal) ||
                    IsHead(line) || line.StartsWith("Kernel panic", StringComparison.Ordinal) || line.StartsWith("CPU:", StringComparison.Ordinal) ? 2 : 1;
            }
        }

        return frames;
    }

    /// <summary>Reads one frame; null when the line is none.</summary>
    public static CallTraceFrame? Parse(string line, string? context)
    {
        if (Frame().Match(line) is { Success: true } frame)
        {
            return Make(frame, context);
        }

        if (ArmFrame().Match(line) is { Success: true } arm)
        {
            return Make(arm, context);
        }

        return PowerFrame().Match(line) is { Success: true } power ? Make(power, context) : null;
    }

    private static CallTraceFrame Make(Match match, string? context) => new(
        match.Groups["name"].Value, match.Groups["offset"] is { Success: true } offset ? offset.Value : null,
        match.Groups["module"] is { Success: true } module ? module.Value : null, !match.Groups["maybe"].Success, context);

    // A record that was continued on a console has a second time stamp behind the marker.
    private static string Stamp(string line) => line.StartsWith('[') && !line.StartsWith("[<", StringComparison.Ordinal) && line.IndexOf(']') is > 0 and < 20 and var end
        ? line[(end + 1)..].TrimStart() : line;
}
