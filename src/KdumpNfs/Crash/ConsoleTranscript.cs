using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KdumpNfs.Crash;

/// <summary>The records of console.sh as they come: what was heard is kept, however the connection ends.</summary>
internal sealed class ConsoleTranscript
{
    private const int LongestLine = 1024;
    private readonly object _gate = new();
    private readonly List<Heard> _heard = [];
    private readonly ArrayBufferWriter<byte> _before = new();
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _rest = [];

    /// <summary>Set when the console is open.</summary>
    public Task Opened => _opened.Task;

    /// <summary>The last state told; null while there was none.</summary>
    public string? State { get; private set; }

    /// <summary>The tool that the server lacks.</summary>
    public string? Tool { get; private set; }

    /// <summary>Whether a break was sent.</summary>
    public bool AnySent
    {
        get
        {
            lock (_gate)
            {
                return _heard.Count > 0;
            }
        }
    }

    /// <summary>When the last break was sent; null before the first.</summary>
    public DateTimeOffset? SentAt
    {
        get
        {
            lock (_gate)
            {
                return _heard.Count > 0 ? _heard[^1].SentAt : null;
            }
        }
    }

    /// <summary>What was said since the last break; null before the first.</summary>
    public string? Current
    {
        get
        {
            lock (_gate)
            {
                return _heard.Count > 0 ? Text(_heard[^1].Bytes) : null;
            }
        }
    }

    /// <summary>What was said before the first break.</summary>
    public string Before
    {
        get
        {
            lock (_gate)
            {
                return Text(_before);
            }
        }
    }

    /// <summary>The last line heard, for progress.</summary>
    public string LastLine
    {
        get
        {
            lock (_gate)
            {
                // The end is enough: this is asked for with every piece.
                var bytes = (_heard.Count > 0 ? _heard[^1].Bytes : _before).WrittenSpan;
                var text = Encoding.UTF8.GetString(bytes.Length > LongestLine ? bytes[^LongestLine..] : bytes).TrimEnd();
                return Printable.Escape(text[(text.LastIndexOf('\n') + 1)..].Trim());
            }
        }
    }

    /// <summary>What was said, key by key.</summary>
    /// <param name="end">Why the listening to the last key ended, where the script could not say so.</param>
    public IReadOnlyList<ConsoleAnswer> Answers(ConsoleEnd end = ConsoleEnd.Lost)
    {
        lock (_gate)
        {
            return [.. _heard.Select(h => new ConsoleAnswer(h.Key, h.SentAt, h.Duration ?? h.Watch.Elapsed, Text(h.Bytes), h.End ?? end))];
        }
    }

    /// <summary>Takes the next piece of the script's output.</summary>
    public void Add(ReadOnlySpan<byte> piece)
    {
        lock (_gate)
        {
            byte[] all = [.. _rest, .. piece];
            var left = all.AsSpan();
            while (left.IndexOf((byte)'\n') is >= 0 and var eol)
            {
                var head = left[..eol];
                var blank = head.LastIndexOf((byte)' ');
                if (blank <= 0 || !int.TryParse(head[(blank + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || left.Length < eol + length + 2)
                {
                    break;
                }

                Take(Encoding.ASCII.GetString(head[..blank]), left.Slice(eol + 1, length));
                left = left[(eol + length + 2)..];
            }

            _rest = left.ToArray();
        }
    }

    private void Take(string key, ReadOnlySpan<byte> value)
    {
        switch (key)
        {
            case "text":
                (_heard.Count > 0 ? _heard[^1].Bytes : _before).Write(value);
                break;
            case "key" when value.Length == 1:
                _heard.Add(new Heard((char)value[0], DateTimeOffset.UtcNow));
                break;
            case "keyend" when _heard.Count > 0:
                _heard[^1].Duration = _heard[^1].Watch.Elapsed;
                _heard[^1].End = Enum.Parse<ConsoleEnd>(Encoding.ASCII.GetString(value), ignoreCase: true);
                break;
            case "tool":
                Tool = Encoding.UTF8.GetString(value);
                break;
            case "state":
                State = Encoding.ASCII.GetString(value);
                if (State == "opened")
                {
                    _opened.TrySetResult();
                }

                break;
        }
    }

    private static string Text(ArrayBufferWriter<byte> bytes) => Encoding.UTF8.GetString(bytes.WrittenSpan);

    private sealed class Heard(char key, DateTimeOffset sentAt)
    {
        public char Key { get; } = key;

        public DateTimeOffset SentAt { get; } = sentAt;

        public Stopwatch Watch { get; } = Stopwatch.StartNew();

        public ArrayBufferWriter<byte> Bytes { get; } = new();

        public TimeSpan? Duration { get; set; }

        public ConsoleEnd? End { get; set; }
    }
}
