using System.Text.RegularExpressions;

namespace KdumpNfs.Collection;

/// <summary>Finds in a kernel log why the kernel panicked.</summary>
/// <remarks>
/// The last "Kernel panic - not syncing: …" is the reason, unless it only says that an exception was fatal: then the exception is
/// (BUG, Oops, a fault). A kernel with panic_on_oops goes to kdump before it prints a panic line at all; a crash through sysrq of an older kernel
/// shows as its BUG or its "SysRq : Trigger a crash". Sources: the kernel's kernel/panic.c, arch/*/mm/fault.c, lib/bug.c, drivers/tty/sysrq.c.
/// </remarks>
internal static partial class PanicReason
{
    private const int MaximumLength = 300;

    /// <summary>The reason, without the time stamp, made safe to show; null when the log has none.</summary>
    public static string? Find(string? log)
    {
        if (log is null)
        {
            return null;
        }

        string? panic = null, cause = null, sysrq = null;
        foreach (var line in log.Split('\n'))
        {
            var text = Prefix().Replace(line, "", 1).Trim();
            if (text.StartsWith("Kernel panic - not syncing", StringComparison.Ordinal))
            {
                panic = text;
            }
            else if (Sysrq().IsMatch(text))
            {
                sysrq = text;

                // What happened before somebody pressed the key is not why the kernel went down.
                cause = null;
            }
            else if (Cause().IsMatch(text))
            {
                // Of one oops the first line says most ("BUG: kernel NULL pointer dereference, address: …"), its "Oops: 0002 [#1]" little.
                cause = text.Contains("Oops", StringComparison.Ordinal) && cause is not null ? cause : text;
            }
        }

        var generic = panic is not null && Generic().IsMatch(panic);
        var reason = panic is null || generic ? cause ?? panic ?? sysrq : panic;
        if (generic && cause is not null)
        {
            reason = $"{cause} ({panic})";
        }

        return reason is null ? null : Printable.Escape(reason.Length > MaximumLength ? reason[..MaximumLength] : reason);
    }

    // "[   95.192939] ", with a log level before it ("<0>") or a caller behind it ("[    T453] ", newer makedumpfile); dmesg -T's dates.
    [GeneratedRegex(@"^\s*(<\d+>)?\s*(\[[^\]]{1,40}\]\s?){0,2}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Prefix();

    [GeneratedRegex(@"^(sysrq: |SysRq ?: )?Trigger a crash", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Sysrq();

    [GeneratedRegex(@"^((watchdog: )?BUG: |kernel BUG at |(Internal error: )?Oops|Unable to handle kernel|general protection fault|divide error|invalid opcode|(NMI )?watchdog: .*lockup|Watchdog detected hard LOCKUP)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Cause();

    [GeneratedRegex(@"^Kernel panic - not syncing: (Fatal exception|Fatal hardware error!$|Oops)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Generic();
}
