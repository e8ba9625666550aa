using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KdumpNfs.Ssh.Recorded;

/// <summary>What hosts answered, in a file: made while sessions work (<see cref="Create"/>), and answered from afterwards without any host (<see cref="Load"/>).</summary>
/// <remarks>
/// JSON lines, UTF-8: a first line that says what the file is, then an answer a line. The file holds no script, no password, no key and no passphrase:
/// of a script its SHA-256, of an answer what commands give too, with the passwords of configurations hidden. It does hold what hosts say
/// of themselves, so it is made for its owner alone.
/// </remarks>
public sealed class Recording
{
    private const string Format = "KdumpNfs recording 1";
    private readonly object _gate = new();
    private readonly string _file;
    private readonly Dictionary<(string Host, string Script), Queue<RecordedAnswer>> _answers = [];
    private readonly List<string> _hosts = [];

    private Recording(string file) => _file = file;

    /// <summary>The hosts that answered, in the order in which they first did.</summary>
    public IReadOnlyList<string> Hosts => _hosts;

    /// <summary>Begins a recording in a new file.</summary>
    /// <exception cref="HostException">InvalidInput: the file is there already, or cannot be made.</exception>
    public static Recording Create(string file)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var stream = new FileStream(file, options);
            stream.Write(JsonSerializer.SerializeToUtf8Bytes(new RecordingHead(Format), RecordingJson.Default.RecordingHead));
            stream.WriteByte((byte)'\n');
            return new Recording(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"The recording '{Printable.Escape(file)}' cannot be made: {e.Message}", e)
            {
                Remedy = "Give the path of a file that is not there yet.",
            };
        }
    }

    /// <summary>Reads a recording.</summary>
    /// <exception cref="HostException">RecordingInvalid: it cannot be read, is none, or was cut.</exception>
    public static Recording Load(string file)
    {
        var recording = new Recording(file);
        try
        {
            using var lines = File.ReadLines(file, Encoding.UTF8).GetEnumerator();
            if (!lines.MoveNext() || JsonSerializer.Deserialize(lines.Current, RecordingJson.Default.RecordingHead)?.Format != Format)
            {
                throw new JsonException("It does not begin as a recording does.");
            }

            while (lines.MoveNext())
            {
                var answer = JsonSerializer.Deserialize(lines.Current, RecordingJson.Default.RecordedAnswer) ?? throw new JsonException("A line holds nothing.");
                if (!recording._answers.TryGetValue((answer.Host, answer.Script), out var queue))
                {
                    recording._answers[(answer.Host, answer.Script)] = queue = new();
                }

                queue.Enqueue(answer);
                if (!recording._hosts.Contains(answer.Host))
                {
                    recording._hosts.Add(answer.Host);
                }
            }

            return recording;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new HostException(ErrorIds.RecordingInvalid, "", $"'{Printable.Escape(file)}' cannot be replayed: {e.Message}", e)
            {
                Remedy = "Make one with New-KdumpSession -RecordPath.",
            };
        }
    }

    /// <summary>Writes an answer down. Whole lines only: a recorder that is stopped leaves a file that can be replayed.</summary>
    internal void Add(RecordedAnswer answer)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(answer, RecordingJson.Default.RecordedAnswer);
        lock (_gate)
        {
            using var stream = new FileStream(_file, FileMode.Append, FileAccess.Write);
            stream.Write([.. line, (byte)'\n']);
        }
    }

    /// <summary>The next answer of a host to a script; the last one stays. Null when there is none.</summary>
    internal RecordedAnswer? Next(string host, string script)
    {
        lock (_gate)
        {
            return !_answers.TryGetValue((host, script), out var queue) ? null : queue.Count > 1 ? queue.Dequeue() : queue.Peek();
        }
    }
}

/// <summary>The first line of a recording.</summary>
/// <param name="Format">What the file is.</param>
internal sealed record RecordingHead(string Format);

/// <summary>The form of a recording's lines.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RecordingHead))]
[JsonSerializable(typeof(RecordedAnswer))]
internal sealed partial class RecordingJson : JsonSerializerContext;
