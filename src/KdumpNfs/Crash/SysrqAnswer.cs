using System.Text.RegularExpressions;

namespace KdumpNfs.Crash;

/// <summary>How a kernel took a sysrq key.</summary>
public enum SysrqAnswerState
{
    /// <summary>It did what the key asks for (or listed its keys).</summary>
    Answered,

    /// <summary>It said that the key is not allowed: kernel.sysrq masks it.</summary>
    Disabled,

    /// <summary>It said nothing of sysrq: kernel.sysrq is 0, or the console is not the kernel's.</summary>
    NoAnswer,
}

/// <summary>What a host said on its serial console to one sysrq key.</summary>
public sealed partial record SysrqAnswer
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>The console and its server.</summary>
    public required string Console { get; init; }

    /// <summary>The key.</summary>
    public required char Key { get; init; }

    /// <summary>How the kernel took it.</summary>
    public required SysrqAnswerState State { get; init; }

    /// <summary>What the kernel calls the function; the list of keys after <c>h</c>; null where it said nothing.</summary>
    public string? Action { get; init; }

    /// <summary>All that was said from the break on, as it came: escape control characters before showing it (<see cref="Printable.EscapeLines"/>).</summary>
    public required string Text { get; init; }

    /// <summary>When the break was sent, by the controller's clock.</summary>
    public DateTimeOffset SentAt { get; init; }

    /// <summary>How long was listened.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Why the listening ended; after Limit, Full and Lost there may be more.</summary>
    public ConsoleEnd End { get; init; }

    /// <summary>Whether it was proved that the console is this host's: it showed a word that was given to the host over SSH.</summary>
    public bool Proven { get; init; }

    /// <summary>Reads what a console said.</summary>
    /// <remarks>Source: drivers/tty/sysrq.c. "sysrq: ACTION" today, "SysRq : ACTION" before Linux 4.20; the header is printed at any console level.</remarks>
    internal static (SysrqAnswerState State, string? Action) Read(string text)
    {
        var match = Header().Match(text);
        if (!match.Success)
        {
            return (SysrqAnswerState.NoAnswer, null);
        }

        var action = Printable.Escape(match.Groups["action"].Value.Trim());
        return (action.StartsWith("This sysrq operation is disabled", StringComparison.Ordinal) ? SysrqAnswerState.Disabled : SysrqAnswerState.Answered, action);
    }

    [GeneratedRegex(@"^[^\r\n]{0,80}?(sysrq: |SysRq : )(?<action>[^\r\n]*)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Header();
}
