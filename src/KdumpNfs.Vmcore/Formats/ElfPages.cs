using System.Buffers;
using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>A piece of memory in an ELF core.</summary>
/// <param name="Physical">Physical address.</param>
/// <param name="Virtual">Virtual address, as the writer says.</param>
/// <param name="Offset">Place in the file.</param>
/// <param name="FileSize">Bytes in the file.</param>
/// <param name="MemorySize">Bytes in memory; what the file lacks was left out and reads as zeros.</param>
internal readonly record struct ElfSegment(ulong Physical, ulong Virtual, long Offset, long FileSize, long MemorySize);

/// <summary>The pages of an ELF core.</summary>
internal sealed class ElfPages : DumpPages
{
    private const int ScanBytes = 1 << 20;

    private readonly RandomSource _source;
    private readonly ElfSegment[] _segments;
    private readonly long[] _units;

    /// <summary>The pages of segments.</summary>
    public ElfPages(RandomSource source, List<ElfSegment> segments, int pageSize)
    {
        _source = source;
        _segments = [.. segments.Where(s => s.MemorySize > 0).OrderBy(s => s.Physical)];
        PageSize = pageSize;
        _units = new long[_segments.Length + 1];
        for (var i = 0; i < _segments.Length; i++)
        {
            _units[i + 1] = _units[i] + (_segments[i].FileSize / ScanBytes) + 1;
            PageLimit = Math.Max(PageLimit, (_segments[i].Physical + (ulong)_segments[i].MemorySize - 1) / (ulong)pageSize + 1);
        }
    }

    /// <inheritdoc/>
    public override int PageSize { get; }

    /// <inheritdoc/>
    public override ulong PageLimit { get; }

    /// <inheritdoc/>
    public override long ScanUnits => _units[^1];

    /// <inheritdoc/>
    public override PageState Read(ulong page, Span<byte> buffer, PageDecoder decoder)
    {
        buffer.Clear();
        var state = PageState.Excluded;
        var start = page * (ulong)PageSize;
        var end = start + (ulong)PageSize;
        for (var i = First(start); i < _segments.Length && _segments[i].Physical < end; i++)
        {
            var segment = _segments[i];
            var from = Math.Max(start, segment.Physical);
            var inside = (long)(from - segment.Physical);
            var count = (int)Math.Min((long)(end - from), segment.FileSize - inside);
            if (count <= 0)
            {
                continue;
            }

            var read = inside > long.MaxValue - segment.Offset ? 0 : _source.Read(segment.Offset + inside, buffer.Slice((int)(from - start), count));
            state = read < count ? PageState.Missing : state == PageState.Missing ? state : PageState.Present;
        }

        return state;
    }

    /// <inheritdoc/>
    public override void Prefetch(List<ulong> pages)
    {
        if (!_source.IsRemote)
        {
            return;
        }

        var ranges = new List<ByteRange>(pages.Count);
        foreach (var page in pages)
        {
            var start = page * (ulong)PageSize;
            var i = First(start);
            if (i < _segments.Length && _segments[i].Physical <= start)
            {
                ranges.Add(new ByteRange(_segments[i].Offset + (long)(start - _segments[i].Physical), PageSize));
            }
        }

        _source.Prefetch(ranges);
    }

    /// <inheritdoc/>
    public override string? CheckStructure()
    {
        foreach (var segment in _segments)
        {
            if (segment.FileSize > _source.Length || segment.Offset > _source.Length - segment.FileSize)
            {
                return $"The memory at {segment.Physical:x} should have {segment.FileSize} bytes at {segment.Offset}, and the file has {_source.Length}.";
            }
        }

        return _segments.Length > 0 ? null : "The ELF core has no memory in it.";
    }

    /// <inheritdoc/>
    public override void Scan(long unit, PageDecoder decoder, ScanCounts counts)
    {
        var index = Array.BinarySearch(_units, unit);
        index = index < 0 ? ~index - 1 : index;
        while (index + 1 < _units.Length && _units[index + 1] == unit)
        {
            index++;
        }

        var segment = _segments[index];
        var inside = (unit - _units[index]) * ScanBytes;
        var count = (int)Math.Min(ScanBytes, segment.FileSize - inside);
        if (count <= 0)
        {
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(ScanBytes);
        try
        {
            var read = _source.ReadOnce(segment.Offset + inside, buffer.AsSpan(0, count));
            counts.Pages += read / PageSize;
            counts.Bytes += read;
            if (read < count)
            {
                counts.Missing += (count - read + PageSize - 1) / PageSize;
                counts.FirstProblem ??= $"The file ends at {_source.Length} inside the memory at {segment.Physical + (ulong)inside:x}.";
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The last segment that begins at or before the address, or the one behind it when none does.
    private int First(ulong address)
    {
        var (low, high) = (0, _segments.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_segments[middle].Physical <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low > 0 && address - _segments[low - 1].Physical < (ulong)_segments[low - 1].MemorySize ? low - 1 : low;
    }
}
