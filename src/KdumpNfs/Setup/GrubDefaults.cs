using KdumpNfs.Text;

namespace KdumpNfs.Setup;

/// <summary>/etc/default/grub and the files beside it: the <c>crashkernel=</c> words in the kernel command lines that they make are replaced,
/// every other byte stays.</summary>
/// <remarks>Source: grub-mkconfig sources /etc/default/grub and, on Debian, /etc/default/grub.d/*.cfg in the order of their names; 10_linux gives
/// kernels GRUB_CMDLINE_LINUX and then GRUB_CMDLINE_LINUX_DEFAULT.</remarks>
internal static class GrubDefaults
{
    private static readonly string[] Variables = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"];

    /// <summary>A <c>crashkernel=</c> word in a file.</summary>
    /// <param name="Start">Where it begins.</param>
    /// <param name="End">Where it ends.</param>
    /// <param name="Quoted">It stands between quotes, so that more words may follow.</param>
    private sealed record Token(int Start, int End, bool Quoted);

    /// <summary>The words that the files set, in their order.</summary>
    public static IReadOnlyList<string> Words(IEnumerable<byte[]> files) =>
        [.. files.Select(f => ByteText.FromBytes(f)).SelectMany(text => Scan(text, out _).Select(t => text[t.Start..t.End]))];

    /// <summary>The files with these words and no others: the last word that was there makes room for them, others go.</summary>
    /// <param name="files">Path and content, in the order in which they are read.</param>
    /// <param name="words">What is wanted; none to have none.</param>
    /// <param name="addTo">The file that gets a line where no file has a word yet. It need not exist.</param>
    /// <returns>The files whose content changes.</returns>
    /// <exception cref="HostException">NotExpressible: a file sets it with shell code.</exception>
    public static IReadOnlyList<(string Path, byte[] Content)> With(IReadOnlyList<(string Path, byte[] Content)> files, IReadOnlyList<string> words, string addTo)
    {
        var texts = files.Select(f => (f.Path, Text: ByteText.FromBytes(f.Content))).ToList();
        if (texts.FindIndex(t => t.Text.Contains('\0', StringComparison.Ordinal)) is var odd and >= 0)
        {
            throw NotExpressible(texts[odd].Path, "it has a NUL byte");
        }

        var tokens = texts.Select(t =>
        {
            var found = Scan(t.Text, out var elsewhere);
            return elsewhere is { } line ? throw NotExpressible(t.Path, $"line {line} is no plain assignment") : found;
        }).ToList();

        var last = tokens.FindLastIndex(t => t.Count > 0);
        var result = new List<(string Path, byte[] Content)>();
        for (var i = 0; i < texts.Count; i++)
        {
            var text = texts[i].Text;
            // From the end, so that the places before stay where they are.
            for (var k = tokens[i].Count - 1; k >= 0; k--)
            {
                text = i == last && k == tokens[i].Count - 1 ? Replaced(text, tokens[i][k], words, texts[i].Path) : Removed(text, tokens[i][k]);
            }

            if (last < 0 && texts[i].Path == addTo && words.Count > 0)
            {
                text = Added(text, words);
            }

            if (text != texts[i].Text)
            {
                result.Add((texts[i].Path, ByteText.ToBytes(text)));
            }
        }

        if (last < 0 && words.Count > 0 && !files.Any(f => f.Path == addTo))
        {
            result.Add((addTo, ByteText.ToBytes(Added("", words))));
        }

        var after = files.Select(f => result.Find(r => r.Path == f.Path) is { Path: not null } changed ? changed.Content : f.Content)
            .Concat(result.Where(r => !files.Any(f => f.Path == r.Path)).Select(r => r.Content));
        return Words(after).SequenceEqual(words) ? result : throw NotExpressible(addTo, "the words cannot be written so that they are read back");
    }

    private static string Added(string text, IEnumerable<string> words) =>
        text + (text.Length == 0 || text.EndsWith('\n') ? "" : "\n") + $"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT {string.Join(' ', words)}\"\n";

    private static string Replaced(string text, Token token, IReadOnlyList<string> words, string path)
    {
        if (words.Count == 0)
        {
            return Removed(text, token);
        }

        return words.Count == 1 || token.Quoted
            ? text[..token.Start] + string.Join(' ', words) + text[token.End..]
            : throw NotExpressible(path, "the value is one word without quotes");
    }

    private static string Removed(string text, Token token)
    {
        var blankBefore = text[token.Start - 1] is ' ' or '\t';
        var blankAfter = token.End < text.Length && text[token.End] is ' ' or '\t';
        return blankBefore ? text[..(token.Start - 1)] + text[token.End..]
            : text[..token.Start] + text[(token.End + (blankAfter && token.Quoted ? 1 : 0))..];
    }

    /// <summary>Words inside assignments of the two variables; <paramref name="elsewhere"/> is the line of one in other code, or of a quote that does not end, from 1.</summary>
    private static List<Token> Scan(string text, out int? elsewhere)
    {
        var found = new List<Token>();
        elsewhere = null;
        for (var at = 0; at < text.Length;)
        {
            var start = at;
            while (at < text.Length && text[at] is ' ' or '\t')
            {
                at++;
            }

            if (text.AsSpan(at).StartsWith("export ", StringComparison.Ordinal))
            {
                at += "export ".Length;
            }

            if (Array.Find(Variables, v => Assigns(text, at, v)) is { } name)
            {
                at = Value(text, at + name.Length + (text[at + name.Length] == '+' ? 2 : 1), found, out var ended);
                elsewhere ??= ended ? null : text.AsSpan(0, start).Count('\n') + 1;
                start = at;
            }

            var end = text.IndexOf('\n', at) is var feed and >= 0 ? feed : text.Length;
            var rest = text[start..end];
            if (!rest.TrimStart().StartsWith('#') && rest.Split(" #")[0].Contains("crashkernel=", StringComparison.Ordinal))
            {
                elsewhere ??= text.AsSpan(0, start).Count('\n') + 1;
            }

            at = end + 1;
        }

        return found;
    }

    private static bool Assigns(string text, int at, string name) => string.CompareOrdinal(text, at, name, 0, name.Length) == 0 &&
        at + name.Length < text.Length && (text[at + name.Length] == '=' || string.CompareOrdinal(text, at + name.Length, "+=", 0, 2) == 0);

    // Reads one shell word and gives where it ends.
    private static int Value(string text, int at, List<Token> found, out bool ended)
    {
        var quote = '\0';
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '\\' && quote != '\'')
            {
                at++;
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
            }
            else if (c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                break;
            }
            else if (string.CompareOrdinal(text, at, "crashkernel=", 0, 12) == 0 && text[at - 1] is ' ' or '\t' or '"' or '\'' or '=')
            {
                var end = at;
                while (end < text.Length && !char.IsWhiteSpace(text[end]) && text[end] is not ('"' or '\'' or '\\' or '$' or '`'))
                {
                    end++;
                }

                found.Add(new Token(at, end, quote != '\0'));
                at = end - 1;
            }
        }

        ended = quote == '\0';
        return Math.Min(at, text.Length);
    }

    private static HostException NotExpressible(string path, string why) =>
        new(ErrorIds.NotExpressible, "", $"{path} cannot be edited safely: {why}.") { Remedy = "Make it plain assignments of GRUB_CMDLINE_LINUX_DEFAULT on the host, then run the command again." };
}
