using KdumpNfs.Text;

namespace KdumpNfs.Crash;

/// <summary>A file of kernel parameters (sysctl.d), of which only the keys asked for are touched. Byte for byte the same elsewhere. Immutable.</summary>
/// <remarks>Format: sysctl.d(5) and sysctl.conf(5). <c>key = value</c>, '.' or '/' between the parts, a '-' in front to ignore failures,
/// '#' and ';' begin comment lines. In one file the last assignment of a key counts.</remarks>
public sealed class SysctlDropIn
{
    private readonly LineDocument document;
    private readonly List<Setting> settings;

    private SysctlDropIn(LineDocument document)
    {
        this.document = document;
        settings = document.Lines.Select((line, i) => Setting.Read(i, line.Text)).OfType<Setting>().ToList();
    }

    /// <summary>Reads a file; any bytes are accepted.</summary>
    public static SysctlDropIn Parse(ReadOnlySpan<byte> content) => new(LineDocument.Parse(content));

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes() => document.ToBytes();

    /// <summary>The keys that the file sets, with dots, in the order of their last assignments.</summary>
    public IReadOnlyList<string> Keys => [.. settings.Select(s => s.Key).Reverse().Distinct().Reverse()];

    /// <summary>The value that the file gives a key; null where it does not.</summary>
    /// <param name="key">The key, in either spelling.</param>
    public string? Get(string key)
    {
        var normal = Normal(key);
        return settings.LastOrDefault(s => s.Key == normal) is { } found ? ByteText.ToValue(found.Value) : null;
    }

    /// <summary>Whether a key is set by name or by a glob (sysctl.d(5): a name wins over a glob, wherever either stands).</summary>
    internal (string? Value, bool ByName) Effective(string key)
    {
        var normal = Normal(key);
        if (settings.LastOrDefault(s => s.Key == normal) is { } named)
        {
            return (ByteText.ToValue(named.Value), true);
        }

        return settings.LastOrDefault(s => s.IsGlob && Matches(s.Key, normal)) is { } glob ? (ByteText.ToValue(glob.Value), false) : (null, false);
    }

    /// <summary>The file with a key set. Its last line is edited in place, others of the same key go; a new one comes at the end.
    /// A file that says so already is returned unchanged.</summary>
    /// <param name="key">A key such as <c>kernel.sysrq</c>.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="HostException">InvalidInput: a key or value that the format cannot hold.</exception>
    public SysctlDropIn With(string key, string value)
    {
        if (key.Length == 0 || key.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '.' or '/' or '_' or '-')) || key[0] is '-' or '.' or '/' || key.Contains("..", StringComparison.Ordinal))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(key)}' is not the name of a kernel parameter.") { Remedy = "write it like kernel.sysrq." };
        }

        if (value.Length == 0 || value.Any(char.IsControl) || value.Trim() != value || value.Length > 4096)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(value)}' cannot be the value of {key}.") { Remedy = "give a value on one line without blanks at its ends." };
        }

        var normal = Normal(key);
        var own = settings.Where(s => s.Key == normal).ToList();
        if (own is [var only] && ByteText.ToValue(only.Value) == value)
        {
            return this;
        }

        var text = ByteText.FromValue(value);
        if (own.Count == 0)
        {
            return new SysctlDropIn(LineDocument.Of([.. document.Lines, new TextLine($"{key} = {text}")]));
        }

        var lines = new List<TextLine>();
        for (var i = 0; i < document.Lines.Count; i++)
        {
            var line = document.Lines[i];
            if (own.Find(s => s.Line == i) is not { } setting)
            {
                lines.Add(line);
            }
            else if (setting == own[^1])
            {
                lines.Add(line with { Text = setting.With(text) });
            }
        }

        return new SysctlDropIn(LineDocument.Of(lines));
    }

    /// <summary>The file with the lines that another one has for a key, where this one has its last one; without the key if the other has none.</summary>
    internal SysctlDropIn WithLinesOf(string key, SysctlDropIn other)
    {
        var normal = Normal(key);
        var own = settings.Where(s => s.Key == normal).ToList();
        var theirs = other.settings.Where(s => s.Key == normal).Select(s => other.document.Lines[s.Line]).ToList();
        var lines = new List<TextLine>();
        for (var i = 0; i < document.Lines.Count; i++)
        {
            if (own.Find(s => s.Line == i) is not { } setting)
            {
                lines.Add(document.Lines[i]);
            }
            else if (setting == own[^1])
            {
                lines.AddRange(theirs);
            }
        }

        return new SysctlDropIn(LineDocument.Of(lines));
    }

    /// <summary>A key with dots, whichever separator comes first in it (sysctl.d(5): the first one decides, dots and slashes then swap).</summary>
    public static string Normal(string key)
    {
        var first = key.IndexOfAny(['.', '/']);
        return first < 0 || key[first] == '.'
            ? key
            : string.Concat(key.Select(c => c switch { '/' => '.', '.' => '/', _ => c }));
    }

    // glob(7) without brackets spanning parts: '*' stays within one part of the path below /proc/sys.
    private static bool Matches(string pattern, string key)
    {
        var patterns = pattern.Split('.');
        var parts = key.Split('.');
        return patterns.Length == parts.Length && patterns.Zip(parts).All(p => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(p.First, p.Second, false));
    }

    private sealed record Setting(int Line, string Key, string Value, string Text, int ValueStart, int ValueEnd)
    {
        public bool IsGlob => Key.IndexOfAny(['*', '?', '[']) >= 0;

        public static Setting? Read(int line, string text)
        {
            var trimmed = text.Trim(' ', '\t', '\r', '\v', '\f');
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (trimmed.Length == 0 || trimmed[0] is '#' or ';' || equals < 0)
            {
                return null;
            }

            var key = text[..equals].Trim(' ', '\t');
            key = key.StartsWith('-') ? key[1..].TrimStart(' ', '\t') : key;
            var start = equals + 1;
            while (start < text.Length && text[start] is ' ' or '\t')
            {
                start++;
            }

            var end = Math.Max(start, text.TrimEnd(' ', '\t', '\r', '\v', '\f').Length);
            return key.Length == 0 ? null : new Setting(line, Normal(key), text[start..end], text, start, end);
        }

        public string With(string value) => Text[..ValueStart] + value + Text[ValueEnd..];
    }
}
