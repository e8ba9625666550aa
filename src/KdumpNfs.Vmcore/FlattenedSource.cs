using System.Buffers.Binary;

namespace KdumpNfs.Vmcore;

/// <summary>The beginning of the dump inside a flattened file.</summary>
/// <remarks>
/// Source: makedumpfile's makedumpfile.h (makedumpfile_header, makedumpfile_data_header) and write_buffer(). A block of 4096 bytes holds
/// the signature, padded to 16 bytes, and type and version, big-endian 64 bits each, both 1. Then records follow: offset in the dump and size, big-endian
/// 64 bits each, and that many bytes. The last record has offset and size -1. Records are in the order in which makedumpfile wrote, which for the
/// header is: header, notes, sub header.
/// </remarks>
internal sealed class FlattenedSource : IByteSource
{
    /// <summary>Bytes before the first record.</summary>
    public const int HeaderSize = 4096;

    /// <summary>Bytes before the data of a record; also the whole end record, all ones.</summary>
    public const int RecordSize = 16;

    // The headers are in the first three records; the rest are bitmaps and pages that nobody here asks for.
    private const int MaximumRecords = 64;

    private readonly IByteSource _file;
    private readonly List<(long Offset, long Size, long At)> _records;

    private FlattenedSource(IByteSource file, List<(long Offset, long Size, long At)> records)
    {
        _file = file;
        _records = records;
    }

    /// <summary>Not known without walking the whole file: positions in the dump are bounded by the records alone.</summary>
    public long Length => long.MaxValue;

    /// <summary>What is wrong with one of the first records but the very first; null when nothing is.</summary>
    public string? Damage { get; private init; }

    /// <summary>Reads the header and the first records.</summary>
    /// <exception cref="VmcoreFormatException">Not a flattened file, cut before its first record's data, or with a record that cannot be.</exception>
    public static async ValueTask<FlattenedSource> OpenAsync(IByteSource file, CancellationToken cancellationToken)
    {
        var header = await file.ReadExactlyAsync(0, 32, "the flattened header", cancellationToken).ConfigureAwait(false);
        var type = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(16));
        var version = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(24));
        if (type != 1 || version != 1)
        {
            throw new VmcoreFormatException($"The flattened header has type {type} and version {version}; only 1 and 1 are known.");
        }

        var records = new List<(long, long, long)>();
        string? damage = null;
        long at = HeaderSize;
        while (records.Count < MaximumRecords &&
            await file.TryReadAsync(at, RecordSize, cancellationToken).ConfigureAwait(false) is { } record)
        {
            var offset = BinaryPrimitives.ReadInt64BigEndian(record);
            var size = BinaryPrimitives.ReadInt64BigEndian(record.AsSpan(8));
            if (offset == -1 && size == -1)
            {
                break;
            }

            if (offset < 0 || size <= 0 || offset > long.MaxValue - size)
            {
                damage = $"The flattened record at offset {at} claims {size} bytes at {offset}; the file is damaged.";
                break;
            }

            records.Add((offset, size, at + RecordSize));
            if (size > file.Length - at - RecordSize)
            {
                break;
            }

            at += RecordSize + size;
        }

        return records.Count > 0 ? new FlattenedSource(file, records) { Damage = damage }
            : throw new VmcoreFormatException(damage ?? "The flattened file has no record: makedumpfile wrote nothing after its first block.");
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var done = 0;
        while (done < buffer.Length)
        {
            var at = offset + done;

            // What was written last is what a seekable file would hold.
            var index = _records.FindLastIndex(r => r.Offset <= at && at - r.Offset < r.Size);
            if (index < 0)
            {
                break;
            }

            var record = _records[index];
            var inside = at - record.Offset;
            var count = (int)Math.Min(buffer.Length - done, record.Size - inside);
            var read = await _file.ReadAsync(record.At + inside, buffer.Slice(done, count), cancellationToken).ConfigureAwait(false);
            done += read;
            if (read < count)
            {
                break;
            }
        }

        return done;
    }
}
