namespace KdumpNfs.Text;

/// <summary>How a variable is read.</summary>
public enum ShellReadingKind
{
    /// <summary>Neither sh nor systemd sees an assignment.</summary>
    Unset,

    /// <summary>A value that both read alike, or that sh reads and systemd does not see (<c>export</c>).</summary>
    Literal,

    /// <summary>Only a shell that runs the file could tell: an expansion, a condition, code that may change it.</summary>
    NotLiteral,

    /// <summary>sh and systemd read different values. <see cref="ShellReading.Value"/> is that of sh.</summary>
    Disagree,
}

/// <summary>What a variable of the file is.</summary>
/// <param name="Kind">How it is read.</param>
/// <param name="Value">The value that sh reads; null where there is none or it is not known.</param>
/// <param name="SystemdValue">The value that systemd reads; null where it sees none.</param>
/// <param name="Line">The line of the assignment in force, from 1; 0 where there is none.</param>
public sealed record ShellReading(ShellReadingKind Kind, string? Value, string? SystemdValue, int Line);

/// <summary>A file of shell variables that sh sources and systemd reads as an EnvironmentFile=. Byte for byte the same where nothing is edited. Immutable.</summary>
/// <remarks>Sources: POSIX.1-2017, Shell Command Language; systemd.exec(5). The model of sh is a careful one: what it does not understand is
/// <see cref="ShellReadingKind.NotLiteral"/>, never guessed. Every edit is read back with both models before it is given out.</remarks>
public sealed partial class ShellVariables
{
    private static readonly Recent<ShellVariables> Known = new(text => new ShellVariables(ByteText.FromBytes(text)));

    private readonly string text;
    private readonly List<ShellItem> items = [];
    private readonly bool[] conditional;
    private readonly Dictionary<string, int> lastOf = new(StringComparer.Ordinal);
    private readonly List<int> code = [];
    private readonly int leaving;
    private readonly Dictionary<string, string> systemd;
    private readonly Dictionary<string, string> oldSystemd;

    private ShellVariables(string text)
    {
        this.text = text;
        for (var at = 0; at < text.Length;)
        {
            var item = ShellItem.Read(text, at);
            if (item is null)
            {
                Unreadable = "a quote, an expansion or a here-document does not end, or ends where it cannot be told";
                break;
            }

            items.Add(item);
            at = item.End + 1;
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            Unreadable = "the file has a NUL byte";
        }

        conditional = Conditional();
        leaving = items.FindIndex(i => i.Leaves);
        for (var i = 0; i < items.Count; i++)
        {
            foreach (var assignment in items[i].Assignments)
            {
                lastOf[assignment.Name] = i;
            }

            if (items[i].Kind == ShellItemKind.Code)
            {
                code.Add(i);
            }
        }

        // Without a backslash at the end of a line there is nothing that the two read differently.
        systemd = SystemdEnvironment.Read(text, commentsContinue: false, out var refused);
        var oldRefused = refused;
        oldSystemd = text.Contains("\\\n", StringComparison.Ordinal) || text.Contains("\\\r", StringComparison.Ordinal)
            ? SystemdEnvironment.Read(text, commentsContinue: true, out oldRefused) : systemd;
        if (Unreadable is null && (refused || oldRefused))
        {
            Unreadable = "a variable is not UTF-8, and systemd then refuses the whole file";
        }
    }

    /// <summary>Why nothing can be known of the file or written to it; null as a rule.</summary>
    public string? Unreadable { get; }

    /// <summary>Reads the file; any bytes are accepted.</summary>
    public static ShellVariables Parse(ReadOnlySpan<byte> content) => Known.Of(content);

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes() => ByteText.ToBytes(text);

    /// <summary>Reads one variable as both programs do.</summary>
    public ShellReading Read(string name)
    {
        var fromSystemd = systemd.GetValueOrDefault(name);
        var sh = ReadSh(name, out var item);
        var line = item is null ? 0 : text.AsSpan(0, item.Start).Count('\n') + 1;
        var shown = sh is null ? null : ByteText.ToValue(sh);
        var systemdShown = fromSystemd is null ? null : ByteText.ToValue(fromSystemd);
        var kind = Unreadable is not null || (sh is null && item is not null) || (sh is null && MayBeSet(name, -1)) ? ShellReadingKind.NotLiteral
            : sh == fromSystemd && fromSystemd == oldSystemd.GetValueOrDefault(name) ? sh is null ? ShellReadingKind.Unset : ShellReadingKind.Literal
            : sh is not null && item!.Exported && fromSystemd is null ? ShellReadingKind.Literal
            : ShellReadingKind.Disagree;
        return new ShellReading(kind, kind == ShellReadingKind.NotLiteral ? null : shown, systemdShown, line);
    }

    // The value of the last assignment when it is certain; item is the line that makes or spoils it.
    private string? ReadSh(string name, out ShellItem? item)
    {
        item = null;
        if (!lastOf.TryGetValue(name, out var at))
        {
            return null;
        }

        item = items[at];
        return conditional[at] || MayBeSet(name, at) || (leaving >= 0 && leaving < at) ? null : item.Assignments.Last(a => a.Name == name).Value;
    }

    private bool MayBeSet(string name, int after) =>
        code.Exists(i => i > after && (items[i].Reads || items[i].Words.Contains(name)));

    // Lines between the first and the last word of a compound command may or may not run; one that does not end reaches to the end of the file.
    private bool[] Conditional()
    {
        var result = new bool[items.Count];
        var first = items.FindIndex(i => i.IsCompound);
        if (first >= 0)
        {
            var last = items.Sum(i => i.Depth) == 0 ? items.FindLastIndex(i => i.IsCompound) : items.Count - 1;
            Array.Fill(result, true, first, last - first + 1);
        }

        return result;
    }
}
