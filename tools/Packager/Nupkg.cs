using System.IO.Compression;
using System.Text;
using System.Xml.Linq;

namespace KdumpNfs.Packager;

/// <summary>A NuGet package as a zip file that has the same bytes whenever and wherever it is made: entries by name, one time for all.</summary>
/// <remarks>Layout: Open Packaging Conventions (ECMA-376 part 2) as NuGet uses them: a nuspec, content types, relations, core properties.</remarks>
internal static class Nupkg
{
    private const string CoreProperties = "package/services/metadata/core-properties/core.psmdcp";

    // The oldest time that a zip entry can have.
    private static readonly DateTimeOffset Time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes a package.</summary>
    /// <param name="file">Where.</param>
    /// <param name="id">Package id.</param>
    /// <param name="version">Its version.</param>
    /// <param name="nuspec">Its nuspec.</param>
    /// <param name="content">What is in it: name with '/' and bytes.</param>
    public static void Write(string file, string id, string version, XDocument nuspec, IEnumerable<(string Name, byte[] Content)> content)
    {
        var entries = content.Append((id + ".nuspec", Bytes(nuspec))).ToList();
        entries.Add((CoreProperties, Core(id, version, nuspec)));
        entries.Add(("_rels/.rels", Relations(id)));
        entries.Add(("[Content_Types].xml", ContentTypes(entries.Select(e => e.Item1))));
        WriteZip(file, entries);
    }

    /// <summary>Takes out of a package what differs from one dotnet pack to the next: times, the order, and the random name of its core properties.</summary>
    public static void Normalize(string file)
    {
        var entries = new List<(string Name, byte[] Content)>();
        string? random = null;
        using (var zip = ZipFile.OpenRead(file))
        {
            foreach (var entry in zip.Entries)
            {
                using var stream = entry.Open();
                using var copy = new MemoryStream();
                stream.CopyTo(copy);
                if (entry.FullName.EndsWith(".psmdcp", StringComparison.Ordinal))
                {
                    random = entry.FullName;
                }

                entries.Add((entry.FullName, copy.ToArray()));
            }
        }

        var id = entries.Single(e => e.Name.EndsWith(".nuspec", StringComparison.Ordinal) && !e.Name.Contains('/', StringComparison.Ordinal)).Name[..^".nuspec".Length];
        WriteZip(file, entries.Select(e => e.Name == random ? (CoreProperties, e.Content) : e.Name == "_rels/.rels" ? (e.Name, Relations(id)) : e).ToList());
    }

    private static void WriteZip(string file, List<(string Name, byte[] Content)> entries)
    {
        using var zip = new ZipArchive(new FileStream(file, FileMode.Create), ZipArchiveMode.Create);
        foreach (var (name, bytes) in entries.OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            var entry = zip.CreateEntry(name, CompressionLevel.SmallestSize);
            entry.LastWriteTime = Time;
            // Readable for everybody once it is unpacked, whatever the umask here.
            entry.ExternalAttributes = Convert.ToInt32("100644", 8) << 16;
            using var stream = entry.Open();
            stream.Write(bytes);
        }
    }

    private static byte[] Core(string id, string version, XDocument nuspec)
    {
        XNamespace cp = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties", dc = "http://purl.org/dc/elements/1.1/";
        string Said(string name) => nuspec.Descendants().First(e => e.Name.LocalName == name).Value;
        return Bytes(new XDocument(new XElement(cp + "coreProperties", new XAttribute(XNamespace.Xmlns + "dc", dc), new XElement(dc + "creator", Said("authors")),
            new XElement(dc + "description", Said("description")), new XElement(dc + "identifier", id), new XElement(cp + "version", version), new XElement(cp + "keywords", Said("tags")))));
    }

    private static byte[] Relations(string id)
    {
        XNamespace ns = "http://schemas.openxmlformats.org/package/2006/relationships";
        return Bytes(new XDocument(new XElement(ns + "Relationships",
            new XElement(ns + "Relationship", new XAttribute("Type", "http://schemas.microsoft.com/packaging/2010/07/manifest"), new XAttribute("Target", $"/{id}.nuspec"), new XAttribute("Id", "R1")),
            new XElement(ns + "Relationship", new XAttribute("Type", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"), new XAttribute("Target", "/" + CoreProperties), new XAttribute("Id", "R2")))));
    }

    private static byte[] ContentTypes(IEnumerable<string> names)
    {
        XNamespace ns = "http://schemas.openxmlformats.org/package/2006/content-types";
        var all = names.ToList();
        var extensions = all.Select(n => Path.GetExtension(n).TrimStart('.')).Where(e => e.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal);
        return Bytes(new XDocument(new XElement(ns + "Types",
            extensions.Select(e => new XElement(ns + "Default", new XAttribute("Extension", e), new XAttribute("ContentType", e switch
            {
                "rels" => "application/vnd.openxmlformats-package.relationships+xml",
                "psmdcp" => "application/vnd.openxmlformats-package.core-properties+xml",
                _ => "application/octet",
            }))),
            all.Where(n => Path.GetExtension(n).Length == 0).Order(StringComparer.Ordinal).Select(n => new XElement(ns + "Override", new XAttribute("PartName", "/" + n), new XAttribute("ContentType", "application/octet"))))));
    }

    private static byte[] Bytes(XDocument document) => new UTF8Encoding(false).GetBytes("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + document.ToString().ReplaceLineEndings("\n") + "\n");
}
