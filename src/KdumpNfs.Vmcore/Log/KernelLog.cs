using System.Globalization;
using System.Text;

namespace KdumpNfs.Vmcore.Log;

/// <summary>In which form the crashed kernel kept its log.</summary>
public enum KernelLogKind
{
    /// <summary>A ring of records with descriptors, Linux 5.10 and later.</summary>
    RingBuffer,

    /// <summary>Records of variable length, Linux 3.5 to 5.9.</summary>
    Structured,

    /// <summary>Text, before Linux 3.5.</summary>
    Plain,
}

/// <summary>One message of the kernel.</summary>
public sealed record KernelLogRecord
{
    /// <summary>Number of the record; counts from the boot where the kernel numbers them, else from the first that is left.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>Time since boot; null where the plain log has no time.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Level 0 (emergency) to 7 (debug); null where the plain log has none.</summary>
    public int? Level { get; init; }

    /// <summary>Syslog facility; 0 is the kernel.</summary>
    public int Facility { get; init; }

    /// <summary>Who wrote it, "T453" (task) or "C0" (CPU in an interrupt); null where the kernel does not keep it.</summary>
    public string? Caller { get; init; }

    /// <summary>The record continues the line of the one before.</summary>
    public bool Continuation { get; init; }

    /// <summary>The message; may hold line ends and anything else that was printed.</summary>
    public required string Text { get; init; }

    /// <summary>The message as dmesg shows it, safe for a terminal.</summary>
    public override string ToString() => LogText.Safe(Text);
}

/// <summary>Where a record lies in the log's bytes.</summary>
internal readonly record struct LogEntry(ulong Sequence, ulong Nanoseconds, int Start, int Length, byte Level, byte Facility, bool Continuation, uint Caller);

/// <summary>The kernel's log as the crash left it.</summary>
public sealed class KernelLog
{
    private readonly byte[] _text;
    private readonly LogEntry[] _entries;
    private readonly bool _hasCaller;

    internal KernelLog(KernelLogKind kind, byte[] text, LogEntry[] entries, long missing, bool hasCaller, string? damage)
    {
        Kind = kind;
        _text = text;
        _entries = entries;
        MissingBytes = missing;
        _hasCaller = hasCaller;
        Damage = damage;
    }

    /// <summary>In which form the kernel kept it.</summary>
    public KernelLogKind Kind { get; }

    /// <summary>Messages in it.</summary>
    public int Count => _entries.Length;

    /// <summary>Bytes of the log's memory that the dump lacks; they read as zeros.</summary>
    public long MissingBytes { get; }

    /// <summary>Where reading had to stop; null when the log is sound.</summary>
    public string? Damage { get; }

    /// <summary>The messages, oldest first.</summary>
    public IEnumerable<KernelLogRecord> Records
    {
        get
        {
            foreach (var entry in _entries)
            {
                var plain = Kind == KernelLogKind.Plain;
                yield return new KernelLogRecord
                {
                    Sequence = entry.Sequence,
                    Time = plain && entry.Nanoseconds == ulong.MaxValue ? null : TimeSpan.FromTicks((long)Math.Min(entry.Nanoseconds / 100, long.MaxValue)),
                    Level = plain && entry.Level == byte.MaxValue ? null : entry.Level,
                    Facility = entry.Facility,
                    Caller = _hasCaller && entry.Caller != 0 ? CallerText(entry.Caller) : null,
                    Continuation = entry.Continuation,
                    Text = Encoding.UTF8.GetString(_text, entry.Start, entry.Length),
                };
            }
        }
    }

    /// <summary>Time of the last message since boot; null where the log has no times.</summary>
    public TimeSpan? LastTime => _entries.Length == 0 || _entries[^1].Nanoseconds == ulong.MaxValue ? null
        : TimeSpan.FromTicks((long)Math.Min(_entries[^1].Nanoseconds / 100, long.MaxValue));

    /// <summary>Writes the log as <c>makedumpfile --dump-dmesg</c> does: to the byte as version 1.7.2, but for two things.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="withCaller">Adds the caller column that makedumpfile has since 1.7.3.</param>
    /// <remarks>
    /// Bytes from 0x80 up are escaped as \xe2; makedumpfile prints \xffffffe2 where char is signed, which is not imitated. A caller of 0 is shown as T0, as there.
    /// </remarks>
    public void WriteTo(Stream stream, bool withCaller = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (Kind == KernelLogKind.Plain)
        {
            stream.Write(_text);
            return;
        }

        var writer = new LogWriter(stream);
        Span<byte> caller = stackalloc byte[16];
        foreach (var entry in _entries)
        {
            var callerLength = 0;
            if (withCaller && _hasCaller)
            {
                callerLength = Encoding.ASCII.GetBytes($"[{CallerText(entry.Caller),8}] ".AsSpan(), caller);
            }

            writer.Record(entry.Nanoseconds, caller[..callerLength], _text.AsSpan(entry.Start, entry.Length));
        }

        writer.Flush();
    }

    /// <summary>The log as text, in the form of <see cref="WriteTo"/>.</summary>
    public string ToText(bool withCaller = false)
    {
        using var stream = new MemoryStream();
        WriteTo(stream, withCaller);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static string CallerText(uint caller) =>
        (caller & 0x80000000) != 0 ? string.Create(CultureInfo.InvariantCulture, $"C{caller & 0x7fffffff}") : string.Create(CultureInfo.InvariantCulture, $"T{caller}");
}
