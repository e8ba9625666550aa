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
