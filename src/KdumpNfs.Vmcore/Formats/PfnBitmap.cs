using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>Which pages a kdump-compressed dump has, and which descriptor each has: the number of set bits before its own.</summary>
/// <remarks>
/// Of the bitmap one count for each 4096 bytes is kept, 32,768 pages: 256 KB for a host with 4 TiB. Counting goes only as far as pages are asked for.
/// </remarks>
internal sealed class PfnBitmap
{
    private const int BlockBytes = 4096;
    private const int BlockBits = BlockBytes * 8;
    private const int StepBytes = 1 << 20;
    private const int KeptBlocks = 64;

    private readonly RandomSource _source;
    private readonly long _offset;
    private readonly long _bytes;
    private readonly ulong _first;
    private readonly ulong _end;
    private readonly List<long> _before = [0];
    private readonly Dictionary<long, byte[]> _kept = [];
    private readonly Queue<long> _order = new();
    private readonly object _gate = new();
    private long _available;

    /// <summary>A bitmap in a file.</summary>
    /// <param name="source">The file.</param>
    /// <param name="offset">Where its bits begin.</param>
    /// <param name="first">The first page that descriptors count from (parts of a split dump).</param>
    /// <param name="end">The page behind the last.</param>
    public PfnBitmap(RandomSource source, long offset, ulong first, ulong end)
    {
        _source = source;
        _offset = offset;
        _first = first;
        _end = end;
        _bytes = (long)((end + 7) / 8);
        _available = Math.Clamp(source.Length - offset, 0, _bytes);
    }

    /// <summary>Whether the file holds all of it.</summary>
    public bool IsWhole => _available == _bytes;

    /// <summary>The descriptor of a page; -1 when the dump has none.</summary>
    public long Rank(ulong page)
    {
        if (page < _first || page >= _end)
        {
            return -1;
        }

        lock (_gate)
        {
            var block = (long)(page / BlockBits);
            var bits = Block(block);
            var bit = (int)(page % BlockBits);
            if (bit / 8 >= bits.Length || (bits[bit / 8] & (1 << (bit % 8))) == 0)
            {
                return -1;
            }

            CountTo(block);
            return _before[(int)block] + Count(bits.AsSpan(0, bit / 8)) + BitOperations.PopCount((uint)bits[bit / 8] & ((1u << (bit % 8)) - 1)) ;
        }
    }

    /// <summary>Set bits in all; reads the whole bitmap.</summary>
    public long Total()
    {
        lock (_gate)
        {
            var blocks = (_available + BlockBytes - 1) / BlockBytes;
            CountTo(blocks);
            return _before[(int)blocks];
        }
    }

    private static long Count(ReadOnlySpan<byte> bytes)
    {
        long count = 0;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            count += BitOperations.PopCount(word);
        }

        foreach (var b in bytes[(words.Length * 8)..])
        {
            count += BitOperations.PopCount(b);
        }

        return count;
    }

    private void CountTo(long block)
    {
        if (_before.Count > block)
        {
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(StepBytes);
        try
        {
            while (_before.Count <= block)
            {
                var at = (long)(_before.Count - 1) * BlockBytes;
                var wanted = (int)Math.Min(Math.Min(StepBytes, _available - at), (block - _before.Count + 1) * BlockBytes);
                var read = wanted <= 0 ? 0 : _source.ReadOnce(_offset + at, buffer.AsSpan(0, wanted));
                if (read <= 0)
                {
                    throw new VmcoreFormatException("The dump is cut inside its bitmaps.");
                }

                if (read < wanted)
                {
                    _available = Math.Min(_available, at + read);
                }

                Mask(buffer.AsSpan(0, read), at);
                for (var done = 0; done < read; done += BlockBytes)
                {
                    _before.Add(_before[^1] + Count(buffer.AsSpan(done, Math.Min(BlockBytes, read - done))));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Bits of other parts of a split dump, and behind the last page, count nothing.
    private void Mask(Span<byte> bytes, long at)
    {
        var from = (long)at * 8;
        if ((ulong)from < _first)
        {
            var skip = Math.Min(_first - (ulong)from, (ulong)bytes.Length * 8);
            bytes[..(int)(skip / 8)].Clear();
            if (skip / 8 < (ulong)bytes.Length)
            {
                bytes[(int)(skip / 8)] &= (byte)(0xff << (int)(skip % 8));
            }
        }

        var last = (ulong)from + ((ulong)bytes.Length * 8);
        if (last > _end)
        {
            bytes[^1] &= (byte)(0xff >> (int)Math.Min(8, last - _end));
        }
    }

    private byte[] Block(long block)
    {
        if (_kept.TryGetValue(block, out var bits))
        {
            return bits;
        }

        var count = (int)Math.Clamp(_available - (block * BlockBytes), 0, BlockBytes);
        bits = new byte[count];
        var read = count == 0 ? 0 : _source.Read(_offset + (block * BlockBytes), bits);
        if (read < count)
        {
            Array.Resize(ref bits, read);
        }

        if (bits.Length > 0)
        {
            Mask(bits, block * BlockBytes);
        }

        _kept.Add(block, bits);
        _order.Enqueue(block);
        if (_order.Count > KeptBlocks)
        {
            _kept.Remove(_order.Dequeue());
        }

        return bits;
    }
}
