using KdumpNfs.Hosts;

namespace KdumpNfs.Nfs;

/// <summary>An entry of the table of live exports.</summary>
/// <param name="Path">The exported directory.</param>
/// <param name="Client">The client.</param>
/// <param name="Options">Options with the server's defaults spelled out.</param>
internal sealed record ExportTableEntry(string Path, string Client, IReadOnlyList<string> Options);

/// <summary>
/// The table of live exports as <c>exportfs -s</c> prints it (path, blanks, client(options)) or, from older servers, <c>exportfs -v</c>,
/// which puts the client of a long path on a line of its own. Octal escapes stand for blanks (exportfs(8), exports(5)).
/// </summary>
internal static class ExportTable
{
    public static IReadOnlyList<ExportTableEntry> Parse(string text)
    {
        var entries = new List<ExportTableEntry>();
        var path = "";
        foreach (var line in text.Split('\n'))
        {
            var rest = line.Trim();
            if (line.StartsWith('/'))
            {
                var blank = line.IndexOfAny([' ', '\t']);
                path = HostMount.Unescape(blank < 0 ? line : line[..blank]);
                rest = blank < 0 ? "" : line[blank..].Trim();
            }

            var open = rest.LastIndexOf('(');
            if (path.Length == 0 || open <= 0 || !rest.EndsWith(')'))
            {
                continue;
            }

            // exportfs prints a client that is everybody as <world>.
            var client = rest[..open].Trim() is "<world>" ? "*" : rest[..open].Trim();
            entries.Add(new ExportTableEntry(path, client, rest[(open + 1)..^1].Split(',', StringSplitOptions.RemoveEmptyEntries)));
        }

        return entries;
    }

    /// <summary>Whether an export with these options is in force: the table spells out defaults, so what was asked for must be in it.</summary>
    public static bool Has(IEnumerable<ExportTableEntry> table, string path, string client, IReadOnlyList<string> options) =>
        table.Any(e => e.Path == path && e.Client == client && options.All(o => o is "subtree_check" or "secure" or "wdelay" || e.Options.Contains(o, StringComparer.Ordinal)
            || (o.Contains('=', StringComparison.Ordinal) && !o.StartsWith("fsid", StringComparison.Ordinal))));
}
