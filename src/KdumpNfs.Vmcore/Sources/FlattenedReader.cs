using System.Buffers.Binary;

namespace KdumpNfs.Vmcore.Sources;

/// <summary>The dump inside a flattened file, as makedumpfile -R would rearrange it: every record's place is known.</summary>
/// <remarks>
/// The format is described at <see cref="FlattenedSource"/>. There is no index in the file: the chain of records is walked once. Records come out of order,
/// and a later one replaces what an earlier one wrote at the same place. A file that ends before its end record is read as far as it goes
/// (<see cref="Damage"/> says so).
/// </remarks>
internal sealed class FlattenedReader : RandomSource
{
    /// <summary>Records that an index may have: 48 MB. makedumpfile writes about 32 KB in each.</summary>
    public const int MaximumRecords = 2_000_000;

    private readonly RandomSource _file;
    private readonly List<FlattenedPiece> _pieces;

    private FlattenedReader(RandomSource file, List<FlattenedPiece> pieces, string? damage, int records)
    {
        _file = file;
        _pieces = pieces;
        Damage = damage;
        Records = records;
        Length = pieces.Count == 0 ? 0 : pieces[^1].Offset + pieces[^1].Size;
    }

    /// <summary>Length of the rearranged dump.</summary>
    public override long Length { get; }

    /// <inheritdoc/>
    public override bool IsRemote => _file.IsRemote;

    /// <summary>Why the chain of records ended early; null when it ended with its end record.</summary>
    public string? Damage { get; }

    /// <summary>Records in the file.</summary>
    public int Records { get; }

    /// <summary>Walks the chain.</summary>
    /// <exception cref="VmcoreFormatException">Not flattened, no record at all, or too many of them.</exception>
    public static FlattenedReader Open(RandomSource file, CancellationToken cancellationToken)
    {
        var chain = new FlattenedChain(file);
        var records = new List<FlattenedPiece>();
        foreach (var record in chain.Walk(cancellationToken))
        {
            if (records.Count == MaximumRecords)
            {
                throw new VmcoreFormatException(
                    $"The flattened file has more than {MaximumRecords} records, too many to index. Rearrange it first: Convert-Vmcore, or makedumpfile -R.");
            }

            records.Add(record);
        }

        return Build(file, records, chain.Damage);
    }

    /// <summary>A reader over records that are known already.</summary>
    public static FlattenedReader Build(RandomSource file, List<FlattenedPiece> records, string? damage)
    {
        if (records.Count == 0)
        {
            throw new VmcoreFormatException(damage ?? "The flattened file has no record: makedumpfile wrote nothing after its first block.");
        }

        return new FlattenedReader(file, FlattenedOrder.Resolve(records), damage, records.Count);
    }

    /// <inheritdoc/>
    public override int Read(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var done = 0;
        var index = Find(offset);
        while (done < buffer.Length && offset + done < Length)
        {
            var at = offset + done;
            while (index < _pieces.Count && _pieces[index].Offset + _pieces[index].Size <= at)
            {
                index++;
            }

            if (index == _pieces.Count)
            {
                break;
            }

            var piece = _pieces[index];
            if (piece.Offset > at)
            {
                // What no record wrote is a hole in the rearranged file: zeros, as a seeking writer leaves it.
                var zeros = (int)Math.Min(piece.Offset - at, buffer.Length - done);
                buffer.Slice(done, zeros).Clear();
                done += zeros;
                continue;
            }

            var inside = at - piece.Offset;
            var count = (int)Math.Min(piece.Size - inside, buffer.Length - done);
            var read = _file.Read(piece.At + inside, buffer.Slice(done, count));
            done += read;
            if (read < count)
            {
                break;
            }
        }

        return done;
    }

    /// <inheritdoc/>
    public override void Prefetch(List<ByteRange> ranges)
    {
        if (!IsRemote)
        {
            return;
        }

        var mapped = new List<ByteRange>();
        foreach (var range in ranges)
        {
            long done = 0;
            for (var index = Find(range.Offset); index < _pieces.Count && done < range.Length; index++)
            {
                var piece = _pieces[index];
                var from = Math.Max(piece.Offset, range.Offset);
                var count = Math.Min(piece.Offset + piece.Size, range.Offset + range.Length) - from;
                if (count <= 0)
                {
                    break;
                }

                mapped.Add(new ByteRange(piece.At + from - piece.Offset, (int)count));
                done = from + count - range.Offset;
            }
        }

        _file.Prefetch(mapped);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    // The first piece that ends behind the offset.
    private int Find(long offset)
    {
        var (low, high) = (0, _pieces.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_pieces[middle].Offset + _pieces[middle].Size <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}

/// <summary>Bytes of the dump and where the flattened file has them.</summary>
/// <param name="Offset">Place in the dump.</param>
/// <param name="Size">Bytes.</param>
/// <param name="At">Place in the file.</param>
internal readonly record struct FlattenedPiece(long Offset, long Size, long At);

/// <summary>The chain of records of a flattened file.</summary>
internal sealed class FlattenedChain(RandomSource file)
{
    /// <summary>Why the walk ended early; null when the end record was there.</summary>
    public string? Damage { get; private set; }

    /// <summary>Gives every record, the last one cut where the file is.</summary>
    /// <exception cref="VmcoreFormatException">The header is not a flattened one's.</exception>
    public IEnumerable<FlattenedPiece> Walk(CancellationToken cancellationToken)
    {
        var header = file.ReadExactly(0, 32, "the flattened header");
        if (VmcoreSignature.Identify(header) != VmcoreFormat.Flattened || BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(16)) != 1 ||
            BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(24)) != 1)
        {
            throw new VmcoreFormatException("The flattened header is not of the one type and version that makedumpfile writes.");
        }

        var record = new byte[FlattenedSource.RecordSize];
        long at = FlattenedSource.HeaderSize;
        for (var count = 0; ; count++)
        {
            if ((count & 0xfff) == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (file.Read(at, record) < record.Length)
            {
                Damage = $"The flattened file ends at {file.Length} without its end record; the dump is cut.";
                yield break;
            }

            var offset = BinaryPrimitives.ReadInt64BigEndian(record);
            var size = BinaryPrimitives.ReadInt64BigEndian(record.AsSpan(8));
            if (offset == -1 && size == -1)
            {
                yield break;
            }

            if (offset < 0 || size <= 0 || offset > long.MaxValue - size)
            {
                Damage = $"The flattened record at offset {at} claims {size} bytes at {offset}; the file is damaged there.";
                yield break;
            }

            at += record.Length;
            if (size > file.Length - at)
            {
                Damage = $"The flattened file ends at {file.Length} inside a record; the dump is cut.";
                if (file.Length > at)
                {
                    yield return new FlattenedPiece(offset, file.Length - at, at);
                }

                yield break;
            }

            yield return new FlattenedPiece(offset, size, at);
            at += size;
        }
    }
}

/// <summary>Sorts records by their place in the dump and lets later ones win where they overlap.</summary>
internal static class FlattenedOrder
{
    /// <summary>Pieces that do not overlap, by place.</summary>
    public static List<FlattenedPiece> Resolve(List<FlattenedPiece> records)
    {
        records.Sort(static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.At.CompareTo(b.At));
        var overlap = false;
        for (var i = 1; i < records.Count && !overlap; i++)
        {
            overlap = records[i].Offset < records[i - 1].Offset + records[i - 1].Size;
        }

        return overlap ? Sweep(records) : records;
    }

    // A sweep over the beginnings; the open record that was written last (the greatest At) is on top.
    private static List<FlattenedPiece> Sweep(List<FlattenedPiece> records)
    {
        var result = new List<FlattenedPiece>(records.Count);
        var open = new PriorityQueue<FlattenedPiece, long>();
        var next = 0;
        var position = 0L;
        while (next < records.Count || open.Count > 0)
        {
            while (open.Count > 0 && open.Peek() is var done && done.Offset + done.Size <= position)
            {
                open.Dequeue();
            }

            if (open.Count == 0)
            {
                if (next == records.Count)
                {
                    break;
                }

                position = Math.Max(position, records[next].Offset);
            }

            while (next < records.Count && records[next].Offset <= position)
            {
                open.Enqueue(records[next], -records[next].At);
                next++;
            }

            if (open.Count == 0)
            {
                continue;
            }

            var top = open.Peek();
            var end = top.Offset + top.Size;
            if (end <= position)
            {
                continue;
            }

            var until = next < records.Count ? Math.Min(end, records[next].Offset) : end;
            var piece = new FlattenedPiece(position, until - position, top.At + position - top.Offset);
            if (result.Count > 0 && result[^1] is var last && last.Offset + last.Size == position && last.At + last.Size == piece.At)
            {
                result[^1] = last with { Size = last.Size + piece.Size };
            }
            else
            {
                result.Add(piece);
            }

            position = until;
        }

        return result;
    }
}
