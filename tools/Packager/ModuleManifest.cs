using System.Text.RegularExpressions;

namespace KdumpNfs.Packager;

/// <summary>What a package has to say of the module, from its manifest. Only what our own manifest is made of is understood: literals in single quotes.</summary>
internal sealed partial class ModuleManifest
{
    private readonly string _text;

    private ModuleManifest(string text) => _text = text;

    /// <summary>Reads the text of a psd1 file.</summary>
    public static ModuleManifest Parse(string text) => new(text);

    /// <summary>The value of a key.</summary>
    /// <exception cref="InvalidDataException">It is not there.</exception>
    public string this[string key] => Find(key) ?? throw new InvalidDataException($"The manifest has no {key}.");

    /// <summary>The value of a key; null where it is missing.</summary>
    public string? Find(string key) =>
        Regex.Match(_text, $@"^\s*{Regex.Escape(key)}\s*=\s*'((?:[^']|'')*)'", RegexOptions.Multiline) is { Success: true } m ? m.Groups[1].Value.Replace("''", "'", StringComparison.Ordinal) : null;

    /// <summary>The values of a list.</summary>
    public IReadOnlyList<string> List(string key) =>
        Regex.Match(_text, $@"^\s*{Regex.Escape(key)}\s*=\s*@\(([^)]*)\)", RegexOptions.Multiline) is { Success: true } m ? [.. Literal().Matches(m.Groups[1].Value).Select(l => l.Groups[1].Value)] : [];

    /// <summary>The manifest's text with more in PSData: what is known only when it is packed.</summary>
    public string WithPsData(IEnumerable<(string Key, string? Value)> more)
    {
        var lines = more.Where(m => m.Value is not null && Find(m.Key) is null).Select(m => $"            {m.Key} = '{m.Value!.Replace("'", "''", StringComparison.Ordinal)}'\n");
        var at = PsData().Match(_text);
        return at.Success ? _text.Insert(at.Index + at.Length, string.Concat(lines)) : throw new InvalidDataException("The manifest has no PSData.");
    }

    [GeneratedRegex("'([^']*)'")]
    private static partial Regex Literal();

    [GeneratedRegex(@"PSData\s*=\s*@\{\r?\n")]
    private static partial Regex PsData();
}
