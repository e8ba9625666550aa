using System.Collections.Concurrent;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>One known_hosts file as it was read: names that are written out are looked up, patterns and hashed names are gone through.</summary>
/// <remarks>
/// What is done for one host is done as often as the fleet has hosts. So a file is read once, and again when its time or length has changed; a key that we
/// add is put in beside the others. A hashed name costs a hash for each line, so what was found for the last names is kept.
/// </remarks>
internal sealed class KnownHostsFile
{
    private const int MostRemembered = 1024;

    private static readonly KnownHostsFile Empty = new("", [], default);
    private static readonly ConcurrentDictionary<string, KnownHostsFile> Files = new(StringComparer.Ordinal);
    private static readonly object Gate = new();

    private readonly byte[] _text;
    private readonly List<Place> _places = [];

    // The last line that names it.
    private readonly Dictionary<string, int> _named = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KnownHostsEntry[]> _added = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KnownHostsEntry[]> _remembered = new(StringComparer.Ordinal);
    private readonly KnownHostsEntry[] _others;
    private readonly string _path;
    private FileMark _stamp;
    private int _lines;

    // A fleet's file has a line for each host, and a run asks for a few of them at a time: only their names are taken out, so that the file adds next to nothing to the peak of its memory.
    private KnownHostsFile(string path, byte[] text, FileMark stamp)
    {
        (_path, _stamp, _text) = (path, stamp, text);
        var others = new List<KnownHostsEntry>();
        var start = text.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        for (var more = true; more;)
        {
            var length = text.AsSpan(start).IndexOf((byte)'\n');
            more = length >= 0;
            length = more ? length : text.Length - start;
            _lines++;
            var names = KnownHostsEntry.NamesOf(text.AsSpan(start, length));
            if (!names.IsEmpty && !KnownHostsEntry.IsPlain(names))
            {
                if (Parse(new Place(start, length, _lines, -1)) is { } other)
                {
                    others.Add(other);
                }
            }
            else if (!names.IsEmpty)
            {
                foreach (var name in KnownHostsEntry.Split(Encoding.Latin1.GetString(names)).Distinct(StringComparer.Ordinal))
                {
                    _places.Add(new Place(start, length, _lines, _named.GetValueOrDefault(name, -1)));
                    _named[name] = _places.Count - 1;
                }
            }

            start += length + 1;
        }

        _others = [.. others];
    }

    /// <summary>The file; one that does not exist or cannot be read counts as empty, as with OpenSSH.</summary>
    public static KnownHostsFile Load(string path)
    {
        try
        {
            if (FileMark.Of(path) is not { } stamp)
            {
                return Empty;
            }

            if (Files.TryGetValue(path, out var read) && read._stamp == stamp)
            {
                return read;
            }

            // One reads for all that connect at this moment.
            lock (Gate)
            {
                stamp = FileMark.Of(path) ?? stamp;
                return Files.TryGetValue(path, out read) && read._stamp == stamp ? read
                    : Files[path] = new KnownHostsFile(path, File.ReadAllBytes(path), stamp);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Empty;
        }
    }

    /// <summary>Adds a line as a whole; makes the file (0600) and its directory (0700) when they are missing.</summary>
    public static void Append(string path, string line)
    {
        lock (Gate)
        {
            MakeDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var before = FileMark.Of(path);

            // A file that an editor left without a final line feed must not swallow the new line.
            var cut = NeedsLineFeed(path);
            var bytes = Encoding.ASCII.GetBytes(cut ? $"\n{line}\n" : $"{line}\n");
            var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var stream = new FileStream(path, options))
            {
                stream.Write(bytes);
            }

            // What was read stays only if nobody else wrote meanwhile.
            if (Files.TryGetValue(path, out var read) && before == read._stamp && FileMark.Of(path) is { } after && after.Length == read._stamp.Length + bytes.Length)
            {
                read.Take(line, cut, after);
            }
            else
            {
                Files.TryRemove(path, out _);
            }
        }
    }

    /// <summary>The lines about a host, in their order.</summary>
    /// <param name="name">A lower-case name, or <c>[name]:port</c>.</param>
    public IEnumerable<KnownHostsEntry> Of(string name)
    {
        var entries = new List<KnownHostsEntry>(Others(name));
        for (var i = _named.GetValueOrDefault(name, -1); i >= 0; i = _places[i].Previous)
        {
            if (Parse(_places[i]) is { } entry)
            {
                entries.Add(entry);
            }
        }

        if (_added.TryGetValue(name, out var added))
        {
            entries.AddRange(added);
        }

        return entries.Count < 2 ? entries : entries.OrderBy(e => e.Line);
    }

    private KnownHostsEntry? Parse(Place place) => KnownHostsEntry.Parse(Encoding.Latin1.GetString(_text, place.Start, place.Length), _path, place.Line);

    private static void MakeDirectory(string directory)
    {
        if (Directory.Exists(directory))
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static bool NeedsLineFeed(string path)
    {
        var info = FileMark.Real(path);
        if (!info.Exists || info.Length == 0)
        {
            return false;
        }

        using var stream = info.Open(FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Seek(-1, SeekOrigin.End);
        return stream.ReadByte() != '\n';
    }

    private void Take(string line, bool cut, FileMark stamp)
    {
        _lines += cut ? 1 : 0;
        var names = KnownHostsEntry.NamesOf(Encoding.Latin1.GetBytes(line));
        if (KnownHostsEntry.Parse(line, _path, _lines++) is { } entry)
        {
            if (!KnownHostsEntry.IsPlain(names))
            {
                // Nobody writes such a name; should one come, the file is read again.
                Files.TryRemove(_path, out _);
                return;
            }

            foreach (var name in KnownHostsEntry.Split(Encoding.Latin1.GetString(names)))
            {
                _added.AddOrUpdate(name, _ => [entry], (_, entries) => [.. entries, entry]);
            }
        }

        _stamp = stamp;
    }

    private KnownHostsEntry[] Others(string name)
    {
        if (_others.Length == 0)
        {
            return [];
        }

        if (!_remembered.TryGetValue(name, out var found))
        {
            found = [.. _others.Where(entry => entry.Matches(name))];
            if (_remembered.Count >= MostRemembered)
            {
                _remembered.Clear();
            }

            _remembered[name] = found;
        }

        return found;
    }

    /// <summary>Where a line lies, its number, and the place of the line before that has the same name; -1 for none.</summary>
    private readonly record struct Place(int Start, int Length, int Line, int Previous);
}
