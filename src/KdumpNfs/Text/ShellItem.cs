namespace KdumpNfs.Text;

/// <summary>What a line (with its continuations) of a file of shell variables is.</summary>
internal enum ShellItemKind
{
    /// <summary>Blank, a comment, or <c>export NAME</c>: nothing that sets a value.</summary>
    Nothing,

    /// <summary>One or more assignments and nothing else.</summary>
    Assignments,

    /// <summary>Anything else; what it does is not known.</summary>
    Code,
}

/// <summary>One assignment.</summary>
/// <param name="Name">The variable.</param>
/// <param name="ValueStart">Where its value begins in the text.</param>
/// <param name="ValueEnd">Where it ends.</param>
/// <param name="Value">What sh reads, in document text; null where only a running shell could tell.</param>
internal sealed record ShellAssignment(string Name, int ValueStart, int ValueEnd, string? Value);

/// <summary>One line of the file, or several that a quote or a backslash joins.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="End">Where it ends, before its line feed.</param>
internal sealed record ShellItem(ShellItemKind Kind, int Start, int End)
{
    private static readonly string[] Compound = ["if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}", "function"];
    private static readonly string[] Openers = ["if", "case", "do", "{"];
    private static readonly string[] Closers = ["fi", "esac", "done", "}"];

    /// <summary>The assignments of the line.</summary>
    public IReadOnlyList<ShellAssignment> Assignments { get; init; } = [];

    /// <summary>Whether they are exported.</summary>
    public bool Exported { get; init; }

    /// <summary>Where the comment behind them begins; <see cref="End"/> without one.</summary>
    public int CommentStart { get; init; } = End;

    /// <summary>The words of code, roughly: enough to see keywords and names in it.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Whether the line can be part of a condition, a loop or a function.</summary>
    public bool IsCompound => Words.Any(w => Compound.Contains(w)) || Words.Contains("(");

    /// <summary>Compound commands begun minus ended.</summary>
    public int Depth => Words.Count(w => Openers.Contains(w)) - Words.Count(w => Closers.Contains(w));

    /// <summary>Whether the line reads other code, which may set anything.</summary>
    public bool Reads => Words.Any(w => w is "." or "source" or "eval" or "read" or "getopts" or "alias");

    /// <summary>Whether what follows the line may never run.</summary>
    public bool Leaves => Words.Any(w => w is "exit" or "return" or "exec" or "readonly" or "set" or "break" or "continue");

    /// <summary>Reads the item that begins at a place; null when it does not end.</summary>
    public static ShellItem? Read(string text, int start)
    {
        var at = SkipBlanks(text, start);
        if (at == text.Length || text[at] is '\n' or '#')
        {
            var lineEnd = text.IndexOf('\n', at) is var feed and >= 0 ? feed : text.Length;
            return new ShellItem(ShellItemKind.Nothing, start, lineEnd);
        }

        var first = at;
        var exported = string.CompareOrdinal(text, at, "export", 0, 6) == 0 && at + 6 < text.Length && text[at + 6] is ' ' or '\t';
        at = exported ? SkipBlanks(text, at + 6) : at;
        var assignments = new List<ShellAssignment>();
        while (at < text.Length && text[at] is not ('\n' or '#'))
        {
            var name = NameAt(text, at);
            var isAssignment = name.Length > 0 && at + name.Length < text.Length && text[at + name.Length] == '=';
            if (!isAssignment && !(exported && name.Length > 0 && EndsWord(text, at + name.Length)))
            {
                return Code(text, start, first);
            }

            at += name.Length;
            if (isAssignment)
            {
                var valueStart = ++at;
                if (!ShellLexer.Word(text, ref at, exported, out var literal))
                {
                    return null;
                }

                if (!EndsWord(text, at))
                {
                    return Code(text, start, first);
                }

                assignments.Add(new ShellAssignment(name, valueStart, at, literal));
            }

            at = SkipBlanks(text, at);
        }

        var comment = at;
        var end = text.IndexOf('\n', at) is var next and >= 0 ? next : text.Length;
        return new ShellItem(assignments.Count == 0 ? ShellItemKind.Nothing : ShellItemKind.Assignments, start, end)
        {
            Assignments = assignments,
            Exported = exported,
            CommentStart = comment,
        };
    }

    private static ShellItem? Code(string text, int start, int at)
    {
        if (!ShellLexer.ToLineEnd(text, ref at))
        {
            return null;
        }

        var line = text[start..at];
        var words = line.Split([' ', '\t', '\n', '\r', ';', '&', '|', '<', '>', '"', '\'', '`', '$', '=', ':', '+', '\\', ',', '['], StringSplitOptions.RemoveEmptyEntries);
        var list = words.SelectMany(w => w.Contains('(', StringComparison.Ordinal) ? w.Split('(', ')').Append("(") : [w, w.Trim('{', '}', ')', ']')]).ToList();
        // A here-document has lines of its own that only a full parser could tell from code.
        return line.Contains("<<", StringComparison.Ordinal) ? null : new ShellItem(ShellItemKind.Code, start, at) { Words = list };
    }

    private static string NameAt(string text, int at)
    {
        var end = at;
        while (end < text.Length && (char.IsAsciiLetter(text[end]) || text[end] == '_' || (end > at && char.IsAsciiDigit(text[end]))))
        {
            end++;
        }

        return text[at..end];
    }

    private static bool EndsWord(string text, int at) => at >= text.Length || text[at] is ' ' or '\t' or '\n';

    private static int SkipBlanks(string text, int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t')
        {
            at++;
        }

        return at;
    }
}
