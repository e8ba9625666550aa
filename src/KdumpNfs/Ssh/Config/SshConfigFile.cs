using System.Text;

namespace KdumpNfs.Ssh.Config;

/// <summary>One line of ssh_config.</summary>
/// <param name="Keyword">In lower case.</param>
/// <param name="Arguments">Words, quotes removed.</param>
/// <param name="Included">The files of an Include.</param>
internal sealed record SshConfigLine(string Keyword, IReadOnlyList<string> Arguments, IReadOnlyList<SshConfigFile> Included);

/// <summary>A parsed ssh_config with its Includes. ssh_config(5).</summary>
internal sealed class SshConfigFile
{
    private const int DeepestInclude = 16;

    private SshConfigFile(List<SshConfigLine> lines) => Lines = lines;

    public IReadOnlyList<SshConfigLine> Lines { get; }

    /// <summary>Reads a file; one that does not exist is empty.</summary>
    /// <param name="path">The file.</param>
    /// <param name="includeBase">Where relative Includes are: ~/.ssh or /etc/ssh.</param>
    public static SshConfigFile Load(string path, string includeBase) => Load(path, includeBase, 0);

    /// <summary>Splits the rest of a line into words: double and single quotes, backslash before a quote, blank or backslash; # ends it.</summary>
    internal static List<string> Words(ReadOnlySpan<char> text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        var open = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && i + 1 < text.Length && (text[i + 1] is '"' or '\'' or '\\' || (quote == '\0' && text[i + 1] == ' ')))
            {
                word.Append(text[++i]);
                open = true;
            }
            else if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                open = true;
            }
            else if (quote == '\0' && c is ' ' or '\t')
            {
                Flush();
            }
            else if (quote == '\0' && c == '#' && !open)
            {
                break;
            }
            else
            {
                word.Append(c);
                open = true;
            }
        }

        Flush();
        return words;

        void Flush()
        {
            if (open)
            {
                words.Add(word.ToString());
            }

            word.Clear();
            open = false;
        }
    }

    private static SshConfigFile Load(string path, string includeBase, int depth)
    {
        var lines = new List<SshConfigLine>();
        string[] texts;
        try
        {
            texts = File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            texts = [];
        }

        foreach (var text in texts)
        {
            var rest = text.AsSpan().Trim(" \t\r\f");
            if (rest.IsEmpty || rest[0] == '#')
            {
                continue;
            }

            var end = rest.IndexOfAny(" \t=");
#pragma warning disable CA1308 // Keywords are written in lower case here.
            var keyword = (end < 0 ? rest : rest[..end]).Trim('"').ToString().ToLowerInvariant();
#pragma warning restore CA1308
            rest = end < 0 ? [] : rest[end..].TrimStart(" \t");
            rest = rest.StartsWith("=") ? rest[1..].TrimStart(" \t") : rest;
            var words = Words(rest);
            var included = keyword == "include" && depth < DeepestInclude
                ? words.SelectMany(word => Expand(word, includeBase)).Select(file => Load(file, includeBase, depth + 1)).ToList()
                : [];
            lines.Add(new SshConfigLine(keyword, words, included));
        }

        return new SshConfigFile(lines);
    }

    private static IEnumerable<string> Expand(string pattern, string includeBase)
    {
        var path = SshConfig.ExpandHome(pattern);
        path = Path.IsPathRooted(path) ? path : Path.Combine(includeBase, path);
        if (path.AsSpan().IndexOfAny("*?[") < 0)
        {
            return [path];
        }

        // Wildcards in the last part, which is where everybody has them; in a directory's name they match nothing.
        var directory = Path.GetDirectoryName(path)!;
        return Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory).Where(f => HostPattern.MatchOne(Path.GetFileName(path), Path.GetFileName(f))).Order(StringComparer.Ordinal)
            : [];
    }
}
