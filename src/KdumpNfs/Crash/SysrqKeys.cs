using System.Globalization;

namespace KdumpNfs.Crash;

/// <summary>What the keys of sysrq do to a running system.</summary>
/// <remarks>Source: the kernel's Documentation/admin-guide/sysrq.rst and drivers/tty/sysrq.c.</remarks>
internal static class SysrqKeys
{
    /// <summary>Bit of kernel.sysrq that lets the dumps and the crash through.</summary>
    public const int DumpMask = 8;

    /// <summary>Bit of kernel.sysrq that lets the keys 0 to 9 through.</summary>
    public const int LogLevelMask = 2;

    /// <summary>The console level at which everything but debug messages is shown.</summary>
    public const int Talkative = 8;

    // They print and change nothing. Every letter without a function lists the others, h among them.
    private const string Harmless = "hlmpqtwdz";

    // Their output is informational: a quiet console shows its header alone.
    private const string Chatty = "lmpqtwdz";

    /// <summary>Whether a key changes nothing but what is printed.</summary>
    public static bool IsHarmless(char key) => Harmless.Contains(key, StringComparison.Ordinal) || char.IsAsciiDigit(key) || key == 's';

    /// <summary>Whether a key has output that a quiet console does not show.</summary>
    public static bool IsChatty(char key) => Chatty.Contains(key, StringComparison.Ordinal);

    /// <summary>Whether a mask lets functions of a bit through.</summary>
    public static bool Allows(int mask, int bit) => mask == 1 || (mask & bit) != 0;

    /// <summary>What a key does that is not harmless; null for harmless ones.</summary>
    public static string? Danger(char key) => key switch
    {
        _ when IsHarmless(key) => null,
        'b' => "b reboots at once, without sync and without a dump.",
        'o' => "o turns the machine off, without sync.",
        'e' => "e ends all processes but init with SIGTERM.",
        'i' => "i kills all processes but init.",
        'f' => "f kills a process as if memory had run out.",
        'u' => "u makes all file systems read-only.",
        'g' => "g stops the machine in the kernel's debugger, if it has one.",
        'k' => "k kills all that runs on the virtual console.",
        'j' => "j thaws frozen file systems.",
        'n' => "n makes real-time tasks ordinary ones.",
        _ => string.Create(CultureInfo.InvariantCulture, $"{key} is not known to be harmless."),
    };

    /// <summary>Checks what a command was given: single letters and digits, in words or separated by commas.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static IReadOnlyList<char> Parse(IEnumerable<string> words)
    {
        var keys = words.SelectMany(word => (word ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        if (keys.Count == 0 || keys.Find(key => key.Length != 1 || !char.IsAsciiLetterOrDigit(key[0])) is { } || keys.Count > 20)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(string.Join(',', keys))}' are not sysrq keys.") { Remedy = "Give up to 20 letters or digits: -Key h, or -Key t,m,w." };
        }

        return keys.Contains("c")
            ? throw new HostException(ErrorIds.InvalidInput, "", "The key c crashes the host.") { Remedy = "Invoke-SysrqCrash with -ConsoleHost does that, with the checks that belong to it." }
            : [.. keys.Select(key => key[0])];
    }
}
