using System.Text.RegularExpressions;

namespace KdumpNfs.Vmcore.Report;

/// <summary>Finds the line that says what went wrong.</summary>
internal static partial class PanicHeadline
{
    /// <summary>How far before its "Oops" line a fault's first line can be.</summary>
    private const int BlockHead = 16;

    // Ordered: the first that fits is the kind.
    private static readonly (Regex Pattern, PanicKind Kind)[] Causes =
    [
        (NullPattern(), PanicKind.NullDereference),
        (PagingPattern(), PanicKind.PageFault),
        (BugAtPattern(), PanicKind.Bug),
        (StackPattern(), PanicKind.StackOverflow),
        (ProtectionPattern(), PanicKind.GeneralProtection),
        (DividePattern(), PanicKind.DivideError),
        (DoubleFaultPattern(), PanicKind.DoubleFault),
        (OpcodePattern(), PanicKind.InvalidOpcode),
        (OopsPattern(), PanicKind.Oops),
    ];

    private static readonly (string Text, PanicKind Kind)[] Panics =
    [
        ("sysrq triggered crash", PanicKind.Sysrq),
        ("softlockup", PanicKind.SoftLockup),
        ("hung_task", PanicKind.HungTask),
        ("hard LOCKUP", PanicKind.HardLockup),
        ("Hard LOCKUP", PanicKind.HardLockup),
        ("out of memory", PanicKind.OutOfMemory),
        ("Out of memory", PanicKind.OutOfMemory),
        ("deadlocked on memory", PanicKind.OutOfMemory),
        ("panic_on_warn", PanicKind.Warning),
        ("kernel: panic_on_warn", PanicKind.Warning),
        ("machine check", PanicKind.MachineCheck),
        ("Machine check", PanicKind.MachineCheck),
        ("hardware error", PanicKind.MachineCheck),
        ("Asynchronous SError", PanicKind.MachineCheck),
        ("stack-protector", PanicKind.StackCorruption),
        ("corrupted stack end", PanicKind.StackCorruption),
        ("kernel stack overflow", PanicKind.StackOverflow),
        ("RCU Stall", PanicKind.RcuStall),
        ("NMI", PanicKind.Nmi),
        ("Attempted to kill init", PanicKind.InitKilled),
        ("Unable to mount root fs", PanicKind.BootFailure),
        ("No working init", PanicKind.BootFailure),
        ("No init found", PanicKind.BootFailure),
        ("Requested init", PanicKind.BootFailure),
    ];

    /// <summary>The line and the kind; -1 when the log has none.</summary>
    public static (int Line, PanicKind Kind) Find(List<LogLine> lines, int panic)
    {
        if (panic < 0)
        {
            return Cause(lines, lines.Count);
        }

        var text = lines[panic].Text;
        if (IsGeneric(text))
        {
            var cause = Cause(lines, panic);
            return cause.Line >= 0 ? cause : (panic, text.Contains("hardware", StringComparison.Ordinal) ? PanicKind.MachineCheck : PanicKind.Oops);
        }

        var kind = Panics.FirstOrDefault(p => text.Contains(p.Text, StringComparison.Ordinal)).Kind;
        var headline = kind switch
        {
            PanicKind.SoftLockup => Before(lines, panic, SoftLockupPattern()),
            PanicKind.HardLockup => Before(lines, panic, HardLockupPattern()),
            PanicKind.HungTask => FirstHung(lines, panic),
            PanicKind.Warning => Before(lines, panic, WarningPattern()),
            PanicKind.Sysrq => Before(lines, panic, SysrqPattern()),
            _ => -1,
        };
        return (headline >= 0 ? headline : panic, kind == PanicKind.Unknown ? PanicKind.Panic : kind);
    }

    /// <summary>A panic line that only says that a fault before it was fatal.</summary>
    public static bool IsGeneric(string panic) => GenericPattern().IsMatch(panic);

    // The last fault: where a kernel lives on after an oops, the last one is the one that it died of.
    private static (int Line, PanicKind Kind) Cause(List<LogLine> lines, int end)
    {
        for (var i = end - 1; i >= 0; i--)
        {
            if (KindOf(lines[i].Text) is not { } kind)
            {
                if (SysrqPattern().IsMatch(lines[i].Text))
                {
                    return (i, PanicKind.Sysrq);
                }

                if (SoftLockupPattern().IsMatch(lines[i].Text))
                {
                    return (i, PanicKind.SoftLockup);
                }

                if (HardLockupPattern().IsMatch(lines[i].Text))
                {
                    return (i, PanicKind.HardLockup);
                }

                continue;
            }

            // Its first line says most: "BUG: …, address: …", then "Oops: 0002 [#1]".
            var first = i;
            for (var j = i - 1; j >= 0 && j >= i - BlockHead && !lines[j].Text.StartsWith("---[ end", StringComparison.Ordinal) && !CallTrace.IsHead(lines[j].Text); j--)
            {
                if (KindOf(lines[j].Text) is { } earlier)
                {
                    (first, kind) = (j, earlier);
                }
            }

            return (first, kind);
        }

        return (-1, PanicKind.Unknown);
    }

    private static PanicKind? KindOf(string text)
    {
        // Cheap first: all of them have one of these words.
        if (text.Length < 6 || text.StartsWith("---[", StringComparison.Ordinal) ||
            !(text.Contains("BUG", StringComparison.Ordinal) || text.Contains("Oops", StringComparison.Ordinal) || text.Contains("nable to handle", StringComparison.Ordinal) ||
            text.Contains("fault", StringComparison.Ordinal) || text.Contains("[#", StringComparison.Ordinal)))
        {
            return null;
        }

        foreach (var (pattern, kind) in Causes)
        {
            if (pattern.IsMatch(text))
            {
                return kind;
            }
        }

        return null;
    }

    private static int Before(List<LogLine> lines, int panic, Regex pattern)
    {
        for (var i = panic - 1; i >= 0 && i > panic - 2000; i--)
        {
            if (pattern.IsMatch(lines[i].Text))
            {
                return i;
            }
        }

        return -1;
    }

    // One check of the watchdog can name many tasks; the first is the one that the others may wait for.
    private static int FirstHung(List<LogLine> lines, int panic)
    {
        var found = Before(lines, panic, HungPattern());
        for (var earlier = found; earlier >= 0;)
        {
            earlier = Before(lines, earlier, HungPattern());
            if (earlier < 0 || (lines[found].Seconds is { } late && lines[earlier].Seconds is { } early && late - early > 5))
            {
                break;
            }

            found = earlier;
        }

        return found;
    }

    [GeneratedRegex(@"^Kernel panic - not syncing: (Fatal exception|Fatal hardware error!?$|Oops|Fatal trap|Exception in interrupt|BUG!|Aiee, killing interrupt handler|Unhandled exception|kernel: Fatal)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex GenericPattern();

    [GeneratedRegex(@"(BUG: )?([Uu]nable to handle kernel NULL pointer dereference|kernel NULL pointer dereference)|NULL pointer dereference", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NullPattern();

    [GeneratedRegex(@"^(BUG: )?[Uu]nable to handle (kernel |page |user-space )?(paging request|page fault|access|read|write|execute|data|instruction fetch)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex PagingPattern();

    [GeneratedRegex(@"^kernel BUG (at|in) ", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BugAtPattern();

    [GeneratedRegex(@"^BUG: (TASK |IRQ |NMI |)stack guard page was hit|^Insufficient stack space to handle exception", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex StackPattern();

    [GeneratedRegex(@"^(Oops: )?general protection fault", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ProtectionPattern();

    [GeneratedRegex(@"^(Oops: )?divide error", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex DividePattern();

    [GeneratedRegex(@"^(Oops: |traps: )?(PANIC: )?double fault", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex DoubleFaultPattern();

    [GeneratedRegex(@"^(Oops: )?invalid opcode: ", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex OpcodePattern();

    [GeneratedRegex(@"^(Internal error: |Oops(:| -| \[)|BUG: (?!soft lockup|workqueue|sleeping|scheduling|using|KASAN|KFENCE|Bad ))|\[#\d+\]", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex OopsPattern();

    [GeneratedRegex(@"BUG: soft lockup - CPU#", RegexOptions.CultureInvariant, 1000)]
    internal static partial Regex SoftLockupPattern();

    [GeneratedRegex(@"(Watchdog detected hard LOCKUP on cpu|CPU:? ?\d+ Hard LOCKUP|hard LOCKUP on cpu)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    internal static partial Regex HardLockupPattern();

    [GeneratedRegex(@"^INFO: task (?<comm>.{1,64}):(?<pid>\d{1,10}) (is )?blocked (for|on|in)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    internal static partial Regex HungPattern();

    [GeneratedRegex(@"^WARNING: ", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex WarningPattern();

    [GeneratedRegex(@"^(sysrq: |SysRq ?: )Trigger a crash", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex SysrqPattern();
}
