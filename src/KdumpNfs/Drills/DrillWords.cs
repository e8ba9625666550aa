using KdumpNfs.Collection;

namespace KdumpNfs.Drills;

/// <summary>Finds in what a console or a persistent store kept why there is no dump.</summary>
internal static class DrillWords
{
    private const int MaximumText = 256 << 10;

    // What the kernel says first of a crash on purpose, and of any other.
    private static readonly string[] Beginnings = ["Trigger a crash", "Kernel panic - not syncing", "BUG: ", "Oops"];

    /// <summary>The most telling line of the last crash on a console; null where there is none.</summary>
    public static string? FromConsole(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        var end = text.Length > MaximumText ? text[^MaximumText..] : text;

        // Of several beginnings the last trigger counts: the panic comes behind it, and so does the capture kernel.
        var from = Beginnings.Select(b => end.LastIndexOf(b, StringComparison.Ordinal)).FirstOrDefault(at => at >= 0, -1);
        return from < 0 ? null : CaptureFailure.FromLog(Telling(end[from..]));
    }

    /// <summary>Why the kernel panicked, by what it kept in persistent memory; null where it tells nothing.</summary>
    public static string? FromPstore(string? text) => string.IsNullOrWhiteSpace(text) ? null : PanicReason.Find(text);

    // Its colours and cursor movements, and the carriage returns of a serial line, are no words.
    private static string Telling(string text) =>
        System.Text.RegularExpressions.Regex.Replace(text.Replace('\r', '\n'), "\u001b(\\[[0-9;?]*[A-Za-z]|[()][A-Z0-9])", "", System.Text.RegularExpressions.RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
}
