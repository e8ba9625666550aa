using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace KdumpNfs.PowerShell;

/// <summary>Words with an explanation each. Enumerations need none of these: PowerShell completes their names before it asks a completer.</summary>
public abstract class WordCompleter : IArgumentCompleter
{
    /// <summary>The words, as pairs with what they mean.</summary>
    protected abstract (string Word, string Meaning)[] Words { get; }

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(wordToComplete, Words.Where(word => word.Word.StartsWith((wordToComplete ?? "").Trim('\'', '"'), StringComparison.OrdinalIgnoreCase))
            .Select(word => new Completions.Choice(word.Word, word.Meaning)));
}

/// <summary>What makedumpfile prints (makedumpfile(8), --message-level).</summary>
public sealed class MessageLevelCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("7", "Progress, common messages and errors: the default of kdump"),
        ("4", "Errors alone"),
        ("1", "Progress alone"),
        ("31", "All, with debug messages and the report: to find out why a dump fails"),
        ("0", "Nothing"),
    ];
}

/// <summary>Seconds until a panicked kernel reboots (kernel.panic).</summary>
public sealed class PanicTimeoutCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("10", "Reboots after ten seconds, if no crash kernel takes over"),
        ("0", "Never: the host waits at its panic for somebody"),
        ("-1", "Reboots at once"),
    ];
}

/// <summary>Keys of sysrq that Send-Sysrq sends (Documentation/admin-guide/sysrq.rst).</summary>
public sealed class SysrqKeyCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("h", "Help: the kernel's list of keys; harmless, shows that the way works"),
        ("w", "Tasks that wait uninterruptibly"),
        ("t", "All tasks; long"),
        ("l", "Back traces of all processors"),
        ("m", "Memory"),
        ("s", "Syncs file systems"),
        ("u", "Makes all file systems read-only"),
        ("b", "Reboots at once, without sync and without a dump"),
    ];
}

/// <summary>Masks of kernel.sysrq (Documentation/admin-guide/sysrq.rst).</summary>
public sealed class SysrqMaskCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("1", "All keys"),
        ("8", "Crash, and lists of tasks and memory: what a drill over the console needs"),
        ("24", "Those, and sync"),
        ("184", "Those, remounting read-only, and reboot"),
        ("16", "Sync alone"),
        ("0", "No key; /proc/sysrq-trigger works for root all the same"),
    ];
}

/// <summary>What may stand after crashkernel= (Documentation/admin-guide/kdump/kdump.rst).</summary>
public sealed class CrashKernelSizeCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("256M", "Enough for most hosts below 64 GiB"),
        ("512M", "For hosts with much memory or many devices"),
        ("1G-4G:192M,4G-64G:256M,64G-:512M", "By the host's memory: one value for a fleet of different hosts, and the default of RHEL 9"),
        ("2G-64G:256M,64G-:512M", "By the host's memory: the default of kdump-utils"),
        ("512M,high", "Above 4 GiB; some below is reserved besides (128M,low)"),
    ];
}

/// <summary>Options of an export for dumps (exports(5)).</summary>
public sealed class ExportOptionCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("rw", "Hosts may write"),
        ("sync", "What a host was told is written is on the disk"),
        ("no_root_squash", "Root of a host is root here: dumps are written by root. Any host of the client's network can read and delete all dumps"),
        ("no_subtree_check", "No check whether a file still lies in the exported directory"),
        ("root_squash", "Root of a host is nobody here: the directory has to be writable for nobody"),
        ("mountpoint", "Exported only while it is a mount point: a data disk that is not mounted does not fill the root disk"),
        ("sec=sys", "Users by their numbers, without Kerberos: what a capture kernel can do"),
        ("secure", "Only from ports below 1024"),
        ("crossmnt", "File systems that are mounted below can be seen, too"),
    ];
}

/// <summary>Sizes of batches for a change of many hosts.</summary>
public sealed class BatchSizeCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("1", "One host: the first batch of a careful change"),
        ("5", "Five hosts"),
        ("25%", "A quarter of all; the last size is that of all further batches"),
        ("100%", "All that are left"),
    ];
}

/// <summary>File systems that kdump dumps to.</summary>
public sealed class FileSystemCompleter : WordCompleter
{
    /// <inheritdoc/>
    protected override (string Word, string Meaning)[] Words { get; } =
    [
        ("xfs", "The default of the RHEL family"),
        ("ext4", "The default of the Debian family"),
        ("btrfs", "The default of SUSE"),
        ("ext3", "On older hosts"),
    ];
}
