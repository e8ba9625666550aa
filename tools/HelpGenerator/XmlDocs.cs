using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KdumpNfs.HelpGenerator;

/// <summary>The documentation comments of our assemblies, as the compiler wrote them.</summary>
public sealed partial class XmlDocs
{
    private readonly Dictionary<string, XElement> _members = new(StringComparer.Ordinal);

    /// <summary>Those of the files beside the assemblies.</summary>
    public static XmlDocs Beside(string directory)
    {
        var docs = new XmlDocs();
        foreach (var name in new[] { "KdumpNfs.PowerShell.xml", "KdumpNfs.xml", "KdumpNfs.Vmcore.xml" })
        {
            foreach (var member in XDocument.Load(Path.Combine(directory, name), LoadOptions.PreserveWhitespace).Descendants("member"))
            {
                docs._members[(string)member.Attribute("name")!] = member;
            }
        }

        return docs;
    }

    /// <summary>The elements of a name in a member's comment, such as <c>P:Type.Property</c>.</summary>
    public IEnumerable<XElement> Elements(string member, string element) =>
        _members.TryGetValue(member, out var found) ? found.Elements(element) : [];

    /// <summary>An element of a member's comment as one line of text; empty where there is none.</summary>
    public string Text(string member, string element) => Text(Elements(member, element).FirstOrDefault());

    /// <summary>An element as one line of text.</summary>
    public static string Text(XElement? element) => element is null ? "" : Spaces().Replace(string.Concat(element.Nodes().Select(Words)), " ").Trim();

    /// <summary>The paragraphs of an element: its para elements, or all of it.</summary>
    public static IReadOnlyList<string> Paragraphs(XElement? element) =>
        element is null ? [] : element.Elements("para").Any() ? [.. element.Elements("para").Select(Text)] : [Text(element)];

    /// <summary>Code with its lines, without the indentation that all of them share.</summary>
    public static string Code(XElement element)
    {
        ArgumentNullException.ThrowIfNull(element);
        var lines = element.Value.ReplaceLineEndings("\n").Trim('\n').TrimEnd().Split('\n');
        var indent = lines.Where(line => line.Trim().Length > 0).Select(line => line.Length - line.TrimStart().Length).DefaultIfEmpty().Min();
        return string.Join('\n', lines.Select(line => line.Length < indent ? "" : line[indent..].TrimEnd()));
    }

    /// <summary>The cmdlet's or the last name of what a cref names.</summary>
    public static string NameOf(string cref)
    {
        ArgumentNullException.ThrowIfNull(cref);
        var name = cref[2..].Split('(')[0];
        return CmdletHelp.NameOf(name) ?? name[(name.LastIndexOf('.') + 1)..];
    }

    private static string Words(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "seealso" } see when see.Nodes().Any() => Text(see),
        XElement { Name.LocalName: "see" or "seealso" } see =>
            (string?)see.Attribute("cref") is { } cref ? NameOf(cref) : (string?)see.Attribute("langword") ?? (string?)see.Attribute("href") ?? "",
        XElement { Name.LocalName: "paramref" } reference => (string?)reference.Attribute("name") ?? "",
        XElement { Name.LocalName: "code" } => "",
        XElement element => string.Concat(element.Nodes().Select(Words)),
        _ => "",
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
