using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KdumpNfs.Drills;

/// <summary>The journal of one drill on this machine: JSON lines, each on the disk before the drill goes on.</summary>
/// <remarks>
/// It is the proof of what was done, and what another controller goes on from. Only one process writes a journal (a lock file beside it), and anybody may read it meanwhile.
/// A line that a crash of the controller cut is ignored when it is read, and taken away before the next one is written.
/// </remarks>
public sealed class DrillJournal : IDisposable
{
    private readonly object _gate = new();
    private readonly FileStream _file;
    private readonly FileStream _lock;

    private DrillJournal(string path, FileStream file, FileStream ownership, IReadOnlyList<DrillEvent> events)
    {
        Path = path;
        _file = file;
        _lock = ownership;
        Events = events;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>While this file is there, no further host is crashed.</summary>
    public string PauseFile => Path + ".pause";

    /// <summary>What an opened journal had.</summary>
    public IReadOnlyList<DrillEvent> Events { get; }

    /// <summary>Where journals lie unless somebody says otherwise: XDG_STATE_HOME/kdumpnfs/drills, on Windows below LocalApplicationData.</summary>
    public static string DefaultFolder
    {
        get
        {
            var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } given && System.IO.Path.IsPathRooted(given) ? given
                : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
            return System.IO.Path.Combine(state, "kdumpnfs", "drills");
        }
    }

    /// <summary>A path for a new journal in a folder.</summary>
    public static string NewPath(string? folder = null) => System.IO.Path.Combine(folder ?? DefaultFolder,
        $"drill-{DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{Convert.ToHexString(RandomNumberGenerator.GetBytes(3)).ToLowerInvariant()}.jsonl");

    /// <summary>Begins a journal. The file must not be there yet.</summary>
    /// <exception cref="HostException">JournalFailed.</exception>
    public static DrillJournal Create(string path, DrillPlan plan, IEnumerable<DrillHost> hosts)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        FileStream? ownership = null;
        try
        {
            var full = System.IO.Path.GetFullPath(path);
            Collection.LocalCopy.MakeFolder(System.IO.Path.GetDirectoryName(full)!);
            ownership = Own(full);
            var journal = new DrillJournal(full, Open(full, FileMode.CreateNew, FileShare.Read), ownership, []);
            journal.Append(new DrillEvent { Step = DrillStep.Begun, Plan = plan });
            foreach (var host in hosts)
            {
                journal.Append(new DrillEvent { Step = DrillStep.Listed, HostName = host.Host.HostName, Host = host });
            }

            return journal;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            ownership?.Dispose();
            throw Failed(path, "cannot be begun", e);
        }
    }

    /// <summary>Opens a journal to go on with its drill.</summary>
    /// <exception cref="HostException">JournalFailed: it is not there, is no journal, or another process goes on with it.</exception>
    public static DrillJournal Resume(string path)
    {
        FileStream? file = null;
        FileStream? ownership = null;
        try
        {
            var full = System.IO.Path.GetFullPath(path);
            file = Open(full, FileMode.Open, FileShare.Read);
            ownership = Own(full);
            var (events, end) = Read(file);
            // What was cut was never relied on.
            file.SetLength(end);
            file.Position = end;
            var journal = new DrillJournal(full, file, ownership, events);
            journal.Append(new DrillEvent { Step = DrillStep.Resumed });
            return journal;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or InvalidDataException)
        {
            file?.Dispose();
            ownership?.Dispose();
            throw NotUsable(path, e);
        }
    }

    /// <summary>Reads what a journal has without going on with its drill: no byte of it changes, and no file is made.</summary>
    /// <exception cref="HostException">JournalFailed, as <see cref="Resume"/> would say.</exception>
    public static IReadOnlyList<DrillEvent> Look(string path)
    {
        try
        {
            var full = System.IO.Path.GetFullPath(path);
            using var file = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var ownership = File.Exists(full + ".lock") ? Open(full + ".lock", FileMode.Open, FileShare.None) : null;
            return Read(file).Events;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or InvalidDataException)
        {
            throw NotUsable(path, e);
        }
    }

    /// <summary>Writes a line and waits until it is on the disk. Safe to call from several hosts' work at once.</summary>
    /// <exception cref="HostException">JournalFailed: what must not happen without its line does not happen.</exception>
    public void Append(DrillEvent line)
    {
        ArgumentNullException.ThrowIfNull(line);
        var bytes = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, DrillJson.Default.DrillEvent) + "\n");
        try
        {
            lock (_gate)
            {
                _file.Write(bytes);
                _file.Flush(flushToDisk: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            throw Failed(Path, "cannot be written", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    // Not deleted in the end: who waits for it and who comes new would then hold two different files.
    private static FileStream Own(string path) => Open(path + ".lock", FileMode.OpenOrCreate, FileShare.None);

    private static FileStream Open(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (mode != FileMode.Open && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    // The lines that are whole, and where the last of them ends.
    private static (List<DrillEvent> Events, long End) Read(FileStream file)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var events = new List<DrillEvent>();
        var end = 0;
        while (bytes.AsSpan(end).IndexOf((byte)'\n') is >= 0 and var length)
        {
            try
            {
                events.Add(JsonSerializer.Deserialize(bytes.AsSpan(end, length), DrillJson.Default.DrillEvent) ?? throw new JsonException("null"));
            }
            catch (JsonException e)
            {
                throw new InvalidDataException($"Line {events.Count + 1} is not a journal's: {e.Message}", e);
            }

            end += length + 1;
        }

        return events.Count > 0 && events[0] is { Step: DrillStep.Begun, Plan: { Format: 1 } } ? (events, end)
            : throw new InvalidDataException("It does not begin as a journal does.");
    }

    private static HostException NotUsable(string path, Exception e) =>
        Failed(path, e is IOException and not FileNotFoundException and not DirectoryNotFoundException ? "cannot be opened; another process may go on with this drill" : "cannot be used", e);

    private static HostException Failed(string path, string what, Exception inner) =>
        new(ErrorIds.JournalFailed, "", $"The journal {Printable.Escape(path)} {what}: {inner.Message}", inner)
        {
            Remedy = "Nothing is crashed without a journal. Give -JournalPath a file that can be written, or resume the one that is there.",
        };
}

/// <summary>The form of a journal's lines.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(DrillEvent))]
internal sealed partial class DrillJson : JsonSerializerContext;
