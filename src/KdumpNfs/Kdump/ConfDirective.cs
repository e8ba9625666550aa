namespace KdumpNfs.Kdump;

/// <summary>One directive of kdump.conf and where its parts stand in the line. Texts are document text (a character a byte).</summary>
/// <remarks>The reading is that of kdump_read_conf (kdump-lib-initramfs.sh): grep drops blank and comment lines, <c>read -r</c> takes off
/// blanks at both ends and splits at the first ones, the first '#' of the value cuts it, also within quotes, and a value that begins and ends
/// with a double quote loses both.</remarks>
internal sealed record ConfDirective(int Line, string Name, string Value)
{
    private string Text { get; init; } = "";

    private int NameStart { get; init; }

    private int ValueStart { get; init; }

    private int ValueEnd { get; init; }

    private bool Quoted { get; init; }

    /// <summary>From the '#' on; empty without a comment.</summary>
    public string Comment { get; private init; } = "";

    /// <summary>Reads a line; null for a blank one and for a comment.</summary>
    public static ConfDirective? Read(int line, string text)
    {
        // grep's \s knows more blanks than read's splitting does.
        var trimmed = text.TrimStart(' ', '\t', '\r', '\v', '\f');
        if (trimmed.Length == 0 || trimmed[0] == '#')
        {
            return null;
        }

        var nameStart = Skip(text, 0);
        var nameEnd = nameStart;
        while (nameEnd < text.Length && !IsBlank(text[nameEnd]))
        {
            nameEnd++;
        }

        var valueStart = Skip(text, nameEnd);
        var valueEnd = text.TrimEnd(' ', '\t').Length;
        var hash = text.IndexOf('#', valueStart);
        if (hash >= 0)
        {
            valueEnd = valueStart + text[valueStart..hash].TrimEnd(' ', '\t', '\r', '\v', '\f').Length;
        }

        valueEnd = Math.Max(valueEnd, valueStart);
        var raw = text[valueStart..valueEnd];
        var quoted = raw.Length >= 2 && raw[0] == '"' && raw[^1] == '"';
        // The tools read the cleaned lines once more with read, which takes the blanks off again.
        return new ConfDirective(line, text[nameStart..nameEnd], (quoted ? raw[1..^1] : raw).Trim(' ', '\t'))
        {
            Text = text,
            NameStart = nameStart,
            ValueStart = valueStart,
            ValueEnd = valueEnd,
            Quoted = quoted,
            Comment = hash < 0 ? "" : text[hash..],
        };
    }

    /// <summary>The line with another name and value; indentation, quotes and comment stay.</summary>
    public string With(string name, string value)
    {
        var gap = Text[(NameStart + Name.Length)..ValueStart];
        var head = Text[..NameStart] + name + (gap.Length == 0 ? " " : gap);
        // What follows the value is blanks and a comment; a value that would lose quotes of its own gets a pair around it.
        var tail = Comment.Length > 0 && ValueEnd == ValueStart ? " " + Text[ValueEnd..] : Text[ValueEnd..];
        var result = head + (Quoted ? $"\"{value}\"" : value) + tail;
        return Read(Line, result)?.Value == value ? result : head + $"\"{value}\"" + tail;
    }

    private static int Skip(string text, int at)
    {
        while (at < text.Length && IsBlank(text[at]))
        {
            at++;
        }

        return at;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t';
}
