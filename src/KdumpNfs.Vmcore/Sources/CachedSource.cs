namespace KdumpNfs.Vmcore.Sources;

/// <summary>
/// Any <see cref="IByteSource"/> behind a bounded cache of blocks: reads through a connection cost a round trip each, so neighbours come along and what is
/// known to be needed next comes in one batch.
/// </summary>
internal sealed class CachedSource : RandomSource
{
    // Small enough that a report through a connection stays far below 2 MiB, large enough that a log's pages come in few pieces.
    private const int BlockSize = 8 << 10;
    private const int MaximumBlocks = 2048;
    private const int MaximumBatch = 4 << 20;

    private readonly IByteSource _source;
    private readonly bool _ownsSource;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<long, byte[]> _blocks = [];
    private readonly Queue<long> _order = new();
    private readonly object _gate = new();

    /// <summary>A cache over a source.</summary>
    public CachedSource(IByteSource source, bool ownsSource, CancellationToken cancellationToken)
    {
        _source = source;
        _ownsSource = ownsSource;
        _cancellation = cancellationToken;
        Length = source.Length;
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override bool IsRemote => true;

    /// <inheritdoc/>
    public override int Read(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        lock (_gate)
        {
            var wanted = (int)Math.Clamp(Length - offset, 0, buffer.Length);
            if (wanted > BlockSize * 16)
            {
                return Fetch(offset, buffer[..wanted]);
            }

            var missing = Missing(offset, wanted);
            if (missing.Count > 0)
            {
                FetchBlocks(missing);
            }

            var done = 0;
            while (done < wanted)
            {
                var at = offset + done;
                if (!_blocks.TryGetValue(at / BlockSize, out var block) || block.Length <= at % BlockSize)
                {
                    break;
                }

                var part = block.AsSpan((int)(at % BlockSize));
                part = part[..Math.Min(part.Length, wanted - done)];
                part.CopyTo(buffer[done..]);
                done += part.Length;
            }

            return done;
        }
    }

    /// <inheritdoc/>
    public override int ReadOnce(long offset, Span<byte> buffer)
    {
        lock (_gate)
        {
            return Fetch(offset, buffer[..(int)Math.Clamp(Length - offset, 0, buffer.Length)]);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ReadOnlyMemory<byte>> ReadMany(IReadOnlyList<ByteRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        if (_source is not IBatchByteSource batch || ranges.Any(r => r.Offset < 0 || r.Offset > Length - r.Length))
        {
            return base.ReadMany(ranges);
        }

        lock (_gate)
        {
            return Wait(batch.ReadManyAsync(ranges, _cancellation));
        }
    }

    /// <inheritdoc/>
    public override void Prefetch(List<ByteRange> ranges)
    {
        lock (_gate)
        {
            var blocks = new SortedSet<long>();
            foreach (var range in ranges)
            {
                foreach (var block in Missing(range.Offset, range.Length))
                {
                    blocks.Add(block);
                }

                if (blocks.Count >= MaximumBatch / BlockSize)
                {
                    break;
                }
            }

            if (blocks.Count > 0)
            {
                FetchBlocks([.. blocks]);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _ownsSource)
        {
            (_source as IDisposable)?.Dispose();
        }

        base.Dispose(disposing);
    }

    private List<long> Missing(long offset, long count)
    {
        var missing = new List<long>();
        if (offset < 0 || count <= 0 || offset >= Length)
        {
            return missing;
        }

        var last = Math.Min(Length - 1, offset + count - 1) / BlockSize;
        for (var block = offset / BlockSize; block <= last && missing.Count < MaximumBatch / BlockSize; block++)
        {
            if (!_blocks.ContainsKey(block))
            {
                missing.Add(block);
            }
        }

        return missing;
    }

    // Neighbouring blocks are one range.
    private void FetchBlocks(List<long> blocks)
    {
        var ranges = new List<ByteRange>();
        for (var at = 0; at < blocks.Count;)
        {
            var end = at + 1;
            while (end < blocks.Count && blocks[end] == blocks[end - 1] + 1)
            {
                end++;
            }

            var offset = blocks[at] * BlockSize;
            ranges.Add(new ByteRange(offset, (int)Math.Min((long)(end - at) * BlockSize, Length - offset)));
            at = end;
        }

        if (_source is IBatchByteSource batch && ranges.Count > 1)
        {
            var answers = Wait(batch.ReadManyAsync(ranges, _cancellation));
            for (var i = 0; i < ranges.Count && i < answers.Count; i++)
            {
                Store(ranges[i].Offset, answers[i]);
            }

            return;
        }

        foreach (var range in ranges)
        {
            var buffer = new byte[range.Length];
            var read = Wait(_source.ReadAsync(range.Offset, buffer, _cancellation));
            Store(range.Offset, buffer.AsMemory(0, read));
        }
    }

    private void Store(long offset, ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += BlockSize)
        {
            var block = (offset + at) / BlockSize;
            if (_blocks.TryAdd(block, bytes.Slice(at, Math.Min(BlockSize, bytes.Length - at)).ToArray()))
            {
                _order.Enqueue(block);
            }

            while (_order.Count > MaximumBlocks)
            {
                _blocks.Remove(_order.Dequeue());
            }
        }
    }

    private int Fetch(long offset, Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        var bytes = new byte[buffer.Length];
        var read = Wait(_source.ReadAsync(offset, bytes, _cancellation));
        bytes.AsSpan(0, read).CopyTo(buffer);
        return read;
    }

    // The reader runs on a thread of its own (the pool's, never a front end's), so waiting here blocks nobody.
    private static T Wait<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
