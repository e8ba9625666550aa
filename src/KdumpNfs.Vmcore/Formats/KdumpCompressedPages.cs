using System.Buffers;
using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>The pages of a kdump-compressed dump.</summary>
/// <remarks>
/// Header, sub header, two bitmaps (memory that exists; pages that the dump has), a descriptor for each page of the second bitmap, page data.
/// Pages of zeros share one stored page, whose descriptors all point at it.
/// </remarks>
internal sealed partial class KdumpCompressedPages : DumpPages
{
    private const int DescriptorSize = VmcoreCheck.DescriptorSize;
    private const int ScanDescriptors = 2048;
    private const int ScanRun = 8 << 20;

    // 2^36 pages of 4 KiB are 256 TiB.
    private const ulong MaximumPages = 1UL << 36;

    private readonly RandomSource _source;
    private readonly KdumpHeaders _headers;
    private readonly PfnBitmap _bitmap;
    private long _total = -1;

    /// <summary>The pages of a file.</summary>
    /// <exception cref="VmcoreFormatException">The headers make no sense.</exception>
    public KdumpCompressedPages(RandomSource source, KdumpHeaders headers)
    {
        _source = source;
        _headers = headers;
        var half = headers.BitmapBytes / 2;
        if (headers.MaximumPage > MaximumPages || headers.FirstPage > headers.EndPage || (headers.MaximumPage + 7) / 8 > (ulong)headers.BitmapBytes)
        {
            throw new VmcoreFormatException(
                $"The dump header claims {headers.MaximumPage} pages and {headers.BitmapBytes} bytes of bitmaps; the file is damaged.");
        }

        // Very old writers have a single bitmap.
        var second = (headers.MaximumPage + 7) / 8 <= (ulong)half ? half : 0;
        _bitmap = new PfnBitmap(source, headers.BitmapOffset + second, headers.FirstPage, headers.EndPage);
    }

    /// <inheritdoc/>
    public override int PageSize => _headers.BlockSize;

    /// <inheritdoc/>
    public override ulong PageLimit => _headers.MaximumPage;

    /// <inheritdoc/>
    public override long ScanUnits => (Total + ScanDescriptors - 1) / ScanDescriptors;

    private long Total => _total >= 0 ? _total : _total = _bitmap.IsWhole ? _bitmap.Total()
        : throw new VmcoreFormatException("The dump is cut inside its bitmaps.");

    /// <inheritdoc/>
    public override PageState Read(ulong page, Span<byte> buffer, PageDecoder decoder)
    {
        var rank = _bitmap.Rank(page);
        if (rank < 0)
        {
            buffer.Clear();
            return page < PageLimit && !_bitmap.IsWhole ? PageState.Missing : PageState.Excluded;
        }

        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        if (_source.Read(_headers.Descriptors + (rank * DescriptorSize), descriptor) < DescriptorSize)
        {
            buffer.Clear();
            return PageState.Missing;
        }

        var (offset, size, flags) = Parse(descriptor);
        var state = Check(offset, size);
        if (state != PageState.Present)
        {
            buffer.Clear();
            return state;
        }

        var packed = ArrayPool<byte>.Shared.Rent((int)size);
        try
        {
            if (_source.Read(offset, packed.AsSpan(0, (int)size)) < size)
            {
                buffer.Clear();
                return PageState.Missing;
            }

            if (decoder.Decode(packed, (int)size, flags, buffer))
            {
                return PageState.Present;
            }

            buffer.Clear();
            return PageState.Damaged;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    /// <inheritdoc/>
    public override void Prefetch(List<ulong> pages)
    {
        if (!_source.IsRemote)
        {
            return;
        }

        var ranks = new List<long>(pages.Count);
        foreach (var page in pages)
        {
            var rank = _bitmap.Rank(page);
            if (rank >= 0)
            {
                ranks.Add(rank);
            }
        }

        _source.Prefetch(ranks.ConvertAll(r => new ByteRange(_headers.Descriptors + (r * DescriptorSize), DescriptorSize)));
        var data = new List<ByteRange>(ranks.Count);
        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        foreach (var rank in ranks)
        {
            if (_source.Read(_headers.Descriptors + (rank * DescriptorSize), descriptor) == DescriptorSize)
            {
                var (offset, size, _) = Parse(descriptor);
                if (Check(offset, size) == PageState.Present)
                {
                    data.Add(new ByteRange(offset, (int)size));
                }
            }
        }

        _source.Prefetch(data);
    }

    /// <inheritdoc/>
    public override void Scan(long unit, PageDecoder decoder, ScanCounts counts)
    {
        var first = unit * ScanDescriptors;
        var count = (int)Math.Min(ScanDescriptors, Total - first);
        var table = ArrayPool<byte>.Shared.Rent(ScanDescriptors * DescriptorSize);
        var page = ArrayPool<byte>.Shared.Rent(PageSize);
        var run = ArrayPool<byte>.Shared.Rent(ScanRun);
        try
        {
            var known = _source.ReadOnce(_headers.Descriptors + (first * DescriptorSize), table.AsSpan(0, count * DescriptorSize)) / DescriptorSize;
            counts.Missing += count - known;
            if (known < count)
            {
                counts.FirstProblem ??= $"The dump is cut inside its page descriptors, at number {first + known}.";
            }

            ScanRunOf(table.AsSpan(0, known * DescriptorSize), first, run, page.AsSpan(0, PageSize), decoder, counts);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(table);
            ArrayPool<byte>.Shared.Return(page);
            ArrayPool<byte>.Shared.Return(run);
        }
    }

    private void ScanRunOf(Span<byte> table, long first, byte[] run, Span<byte> page, PageDecoder decoder, ScanCounts counts)
    {
        // Page data lie in the order of the descriptors, so a window that slides over the file sees all of them.
        long start = 0;
        var length = 0;
        var packed = new byte[PageSize];
        for (var at = 0; at < table.Length; at += DescriptorSize)
        {
            var number = first + (at / DescriptorSize);
            var (offset, size, flags) = Parse(table[at..]);
            var state = Check(offset, size);
            if (state == PageState.Present && (offset < start || offset + size > start + length))
            {
                // The shared zero page lies elsewhere; it does not move the window.
                var end = at + DescriptorSize < table.Length ? LastEnd(table[at..], offset) : offset + size;
                var wanted = (int)Math.Min(Math.Min(run.Length, _source.Length - offset), Math.Max(end - offset, size));
                start = offset;
                length = _source.ReadOnce(offset, run.AsSpan(0, wanted));
            }

            if (state == PageState.Present && offset + size > start + length)
            {
                state = PageState.Missing;
            }

            if (state == PageState.Present)
            {
                run.AsSpan((int)(offset - start), (int)size).CopyTo(packed);
                state = decoder.Decode(packed, (int)size, flags, page) ? PageState.Present : PageState.Damaged;
            }

            counts.Pages += state == PageState.Present ? 1 : 0;
            counts.Bytes += state == PageState.Present ? PageSize : 0;
            counts.Missing += state == PageState.Missing ? 1 : 0;
            counts.Damaged += state == PageState.Damaged ? 1 : 0;
            if (state is PageState.Damaged or PageState.Missing)
            {
                counts.FirstProblem ??= $"The page of descriptor {number} ({size} bytes at {offset}, flags {flags:x}) {(state == PageState.Missing ? "is not in the file" : "cannot be unpacked")}.";
            }
        }
    }

    // The end of the data of the following descriptors, as far as they go on in order and within a window.
    private long LastEnd(ReadOnlySpan<byte> table, long start)
    {
        var end = start;
        for (var at = 0; at < table.Length; at += DescriptorSize)
        {
            var (offset, size, _) = Parse(table[at..]);
            if (offset >= start && offset + size <= start + ScanRun)
            {
                end = Math.Max(end, offset + size);
            }
        }

        return end;
    }

    private (long Offset, uint Size, uint Flags) Parse(ReadOnlySpan<byte> descriptor) =>
        ((long)_headers.Order.UInt64(descriptor), _headers.Order.UInt32(descriptor[8..]), _headers.Order.UInt32(descriptor[12..]));

    // makedumpfile fills the table before the data; where it ran out of space, descriptors of zeros stay.
    private PageState Check(long offset, uint size) => offset == 0 && size == 0 ? PageState.Missing
        : offset <= 0 || size == 0 || size > PageSize ? PageState.Damaged
        : offset > _source.Length - size ? PageState.Missing : PageState.Present;
}
