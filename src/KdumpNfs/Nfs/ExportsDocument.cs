using KdumpNfs.Kdump;
using KdumpNfs.Text;

namespace KdumpNfs.Nfs;

/// <summary>One line of an exports file.</summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Path">The exported directory.</param>
/// <param name="Clients">Whom it is for.</param>
public sealed record ExportEntry(int Line, string Path, IReadOnlyList<ExportClient> Clients);

/// <summary>/etc/exports or a file of /etc/exports.d: one client's entry is changed or added, every other byte stays. Immutable.</summary>
/// <remarks>Sources: exports(5); support/nfs/exports.c and xio.c of nfs-utils, by which everything is read.</remarks>
public sealed class ExportsDocument
{
    private readonly string text;
    private readonly List<Parsed> parsed = [];
    private readonly List<ConfigProblem> problems = [];
    private readonly bool stopped;

    private ExportsDocument(string text)
    {
        this.text = text;
        stopped = !Read();
        Entries = [.. parsed.Select(p => p.Entry)];
    }

    /// <summary>The ids of <see cref="Problems"/>.</summary>
    public static class ProblemIds
    {
        /// <summary>exportfs stops reading the file here: nothing below is exported.</summary>
        public const string SyntaxError = nameof(SyntaxError);

        /// <summary>Options that stand alone, as after a blank between a client and its options: they hold for every host.</summary>
        public const string OptionsForWorld = nameof(OptionsForWorld);

        /// <summary>A directory without any client is exported to every host.</summary>
        public const string NoClient = nameof(NoClient);
    }

    /// <summary>What is exported.</summary>
    public IReadOnlyList<ExportEntry> Entries { get; }

    /// <summary>What exportfs refuses, or what exports more than it seems to.</summary>
    public IReadOnlyList<ConfigProblem> Problems => problems;

    /// <summary>Reads a file; any bytes are accepted.</summary>
    public static ExportsDocument Parse(ReadOnlySpan<byte> content) => new(ByteText.FromBytes(content));

    /// <summary>The bytes of the file.</summary>
    public byte[] ToBytes() => ByteText.ToBytes(text);

    /// <summary>What a client of a directory gets by name; null where it has no entry of its own.</summary>
    public ExportClient? Find(string path, string client) => Places(path, client).Select(p => p.Client).FirstOrDefault();

    /// <summary>The file in which this client has these options for this directory: its entry is edited, or a client is added to the directory's
    /// line, or a line at the end. A file that says so already is returned unchanged.</summary>
    /// <param name="path">The directory on the server.</param>
    /// <param name="client">A host, address, network, pattern or netgroup.</param>
    /// <param name="options">All of its options; what is not named gets the default of exports(5).</param>
    /// <exception cref="HostException">InvalidInput: a path, client or option that no exports file can hold; ConfigurationInvalid: exportfs stops
    /// reading the file before its end; NotExpressible: the line's own defaults cannot be taken back.</exception>
    public ExportsDocument WithClient(string path, string client, IReadOnlyList<string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var directory = TargetInput.CheckDirectory(path, "export path");
        ExportClient.Check(client);
        ExportsOptions.Check(options);
        if (stopped)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, "", "exportfs cannot read the exports file to its end.")
            {
                HostSaid = problems[^1].ToString(),
                Remedy = "correct that line on the server.",
            };
        }

        var places = Places(directory, client).ToList();
        if (places.Count > 0 && places.TrueForAll(p => ExportsOptions.Same(p.Client.Options, options)))
        {
            return this;
        }

        var result = places.Count > 0 ? Changed(places, client, options) : Added(directory, client, options);
        return new ExportsDocument[] { new(result), new(text + (text.EndsWith('\n') ? "\n" : "\n\n") + NewLine(directory, client, options)) }
            .FirstOrDefault(d => !d.stopped && d.Find(directory, client) is { } found && ExportsOptions.Same(found.Options, options) &&
                Others(d, directory, client).SequenceEqual(Others(this, directory, client)))
            ?? throw new HostException(ErrorIds.NotExpressible, "", $"The export of {directory} to {client} cannot be written beside what the file has.")
            {
                Remedy = "give the directory a line of its own, without default options, on the server.",
            };
    }

    /// <summary>The file without this client's entries for this directory. A directory that no client is left for goes as a whole: alone it would
    /// be exported to every host. A comment behind it stays. A file without such an entry is returned unchanged.</summary>
    /// <param name="path">The directory on the server.</param>
    /// <param name="client">The client, as the file names it.</param>
    /// <exception cref="HostException">InvalidInput; ConfigurationInvalid: exportfs stops reading the file before its end; NotExpressible.</exception>
    public ExportsDocument WithoutClient(string path, string client)
    {
        var directory = TargetInput.CheckDirectory(path, "export path");
        ExportClient.Check(client);
        if (!Places(directory, client).Any())
        {
            return this;
        }

        if (stopped)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, "", "exportfs cannot read the exports file to its end.") { HostSaid = problems[^1].ToString(), Remedy = "correct that line on the server." };
        }

        var result = text;
        // From the end, so that the places before stay where they are.
        foreach (var line in Enumerable.Reverse(parsed).Where(p => Same(p.Entry.Path, directory)))
        {
            var gone = line.Places.Where(p => string.Equals(p.Client.Client, client, StringComparison.OrdinalIgnoreCase)).ToList();
            if (gone.Count == line.Places.Count && gone.Count > 0)
            {
                result = WithoutLine(result, line.PathStart, line.Places[^1].Token.End);
                continue;
            }

            foreach (var place in Enumerable.Reverse(gone))
            {
                result = result[..place.Before] + result[place.Token.End..];
            }
        }

        var after = new ExportsDocument(result);
        return !after.stopped && after.Find(directory, client) is null && Others(after, directory, client).SequenceEqual(Others(this, directory, client)) ? after
            : throw new HostException(ErrorIds.NotExpressible, "", $"The export of {directory} to {client} cannot be taken out beside what the file has.") { Remedy = "take it out by hand on the server." };
    }

    // What follows on the line is nothing or a comment; default options behind the last client go too.
    private static string WithoutLine(string text, int start, int end)
    {
        var feed = text.IndexOf('\n', end) is var at and >= 0 ? at : text.Length;
        var rest = text[end..feed];
        var comment = rest.IndexOf('#', StringComparison.Ordinal);
        var lineStart = text.LastIndexOf('\n', Math.Max(0, start - 1)) + 1;
        return comment >= 0 ? text[..start] + rest[comment..] + text[feed..] : text[..lineStart] + (feed < text.Length ? text[(feed + 1)..] : "");
    }

    private static string NewLine(string path, string client, IEnumerable<string> options)
    {
        var name = ByteText.FromValue(path);
        return (name.Contains(' ', StringComparison.Ordinal) ? $"\"{name}\"" : name) + " " + Spelled(client, options) + "\n";
    }

    private static string Spelled(string client, IEnumerable<string> options) => $"{client}({string.Join(',', options)})";

    private string Changed(List<Place> places, string client, IReadOnlyList<string> options)
    {
        var result = text;
        // From the end, so that the places before stay where they are.
        foreach (var place in Enumerable.Reverse(places))
        {
            var over = ExportsOptions.Over(place.Defaults, options) ?? options;
            result = result[..place.Token.Start] + Spelled(client, over) + result[place.Token.End..];
        }

        return result;
    }

    private string Added(string path, string client, IReadOnlyList<string> options)
    {
        // A line without clients is for every host; one more word would take that away.
        if (parsed.Find(p => Same(p.Entry.Path, path) && p.Places.Count > 0) is { } line && ExportsOptions.Over(line.Places[^1].Defaults, options) is { } over)
        {
            var end = line.Places[^1].Token.End;
            return text[..end] + " " + Spelled(client, over) + text[end..];
        }

        return text + (text.Length == 0 || text.EndsWith('\n') ? "" : "\n") + NewLine(path, client, options);
    }

    private IEnumerable<Place> Places(string path, string client) =>
        parsed.Where(p => Same(p.Entry.Path, path)).SelectMany(p => p.Places).Where(p => string.Equals(p.Client.Client, client, StringComparison.OrdinalIgnoreCase));

    // Everything but the exports of one directory to one client: an edit must leave it as it is (a line that continues would take in the next).
    private static IEnumerable<string> Others(ExportsDocument document, string path, string client) => document.Entries.SelectMany(entry => entry.Clients
        .Where(c => !Same(entry.Path, path) || !string.Equals(c.Client, client, StringComparison.OrdinalIgnoreCase))
        .Select(c => $"{entry.Path}\n{c.Client}\n{string.Join(',', c.Options)}"));

    private static bool Same(string one, string other) => one.StartsWith('/') && KdumpTarget.NormalPath(one) == KdumpTarget.NormalPath(other);

    private bool Read()
    {
        var tokens = new ExportsTokens(text);
        while (tokens.Path() is { } path)
        {
            var line = text.AsSpan(0, path.Start).Count('\n') + 1;
            if (path.Text.Length == 0)
            {
                return Stop(line, "a blank that is none of space, tab and line feed, or an empty name: exportfs stops here");
            }

            var defaults = new List<string>();
            var places = new List<Place>();
            var before = path.End;
            while (tokens.Client() is { Text.Length: > 0 } token)
            {
                if (token.Text[0] == '-')
                {
                    defaults.AddRange(ExportsOptions.Split(ByteText.ToValue(token.Text[1..])));
                    before = token.End;
                    continue;
                }

                var open = token.Text.IndexOf('(', StringComparison.Ordinal);
                if (open >= 0 && token.Text.IndexOf(')', open) != token.Text.Length - 1)
                {
                    return Stop(line, "bad option list");
                }

                var name = ByteText.ToValue(open < 0 ? token.Text : token.Text[..open]);
                var own = open < 0 ? [] : ExportsOptions.Split(ByteText.ToValue(token.Text[(open + 1)..^1]));
                places.Add(new Place(new ExportClient(name, [.. defaults, .. own]), token, [.. defaults], before));
                before = token.End;
                if (name.Length == 0)
                {
                    problems.Add(new ConfigProblem(ProblemIds.OptionsForWorld, [line],
                        $"No host name given with {ByteText.ToValue(path.Text)} {ByteText.ToValue(token.Text)}: these options hold for every host") { Refused = false });
                }
            }

            if (places.Count == 0)
            {
                problems.Add(new ConfigProblem(ProblemIds.NoClient, [line], $"{ByteText.ToValue(path.Text)} is exported to every host") { Refused = false });
            }

            IReadOnlyList<ExportClient> clients = places.Count == 0 ? [new ExportClient("", [.. defaults])] : [.. places.Select(p => p.Client)];
            parsed.Add(new Parsed(new ExportEntry(line, ByteText.ToValue(path.Text), clients), places, path.Start));
        }

        return true;
    }

    private bool Stop(int line, string words)
    {
        problems.Add(new ConfigProblem(ProblemIds.SyntaxError, [line], words));
        return false;
    }

    private sealed record Parsed(ExportEntry Entry, List<Place> Places, int PathStart);

    // Before: where the word before it ends.
    private sealed record Place(ExportClient Client, ExportsToken Token, IReadOnlyList<string> Defaults, int Before);
}
