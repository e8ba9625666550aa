using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

internal sealed partial class KdumpCompressedPages
{
    private const int SamplePages = 4;

    // Through a connection a bitmap is counted only where that costs little: hosts with up to 4 GiB. A local one of a host with 1 TiB has 32 MiB.
    private const long CountedRemotely = 128 << 10;
    private const long CountedLocally = 32 << 20;

    /// <inheritdoc/>
    public override string? CheckStructure()
    {
        if (!_bitmap.IsWhole)
        {
            return "The dump is cut inside its bitmaps.";
        }

        Span<byte> first = stackalloc byte[DescriptorSize];
        if (_source.Read(_headers.Descriptors, first) < DescriptorSize)
        {
            return "The dump ends before its page descriptors.";
        }

        // Data begin behind the table: makedumpfile puts the shared zero page first, so the first descriptor points there or one page further.
        var data = Parse(first).Offset;
        var room = data - _headers.Descriptors;
        if (room < DescriptorSize || data > _source.Length)
        {
            return $"The first page descriptor points at {data}, which is no place behind the descriptors in a file of {_source.Length} bytes.";
        }

        var behindZeros = room - PageSize >= DescriptorSize && (room - PageSize) % DescriptorSize == 0;
        var tableEnd = behindZeros ? data - PageSize : data;
        var count = (tableEnd - _headers.Descriptors) / DescriptorSize;
        if (_headers.BitmapBytes / 2 <= (_source.IsRemote ? CountedRemotely : CountedLocally))
        {
            count = Total;
            tableEnd = _headers.Descriptors + (count * DescriptorSize);
            if (count == 0 || tableEnd > data || IsOffBySome(data - tableEnd) || IsOffBySome(data - tableEnd - PageSize))
            {
                return $"The bitmap has {count} pages, and the page descriptors have room for {room / DescriptorSize}: one of the two is damaged.";
            }
        }

        return CheckSamples(count, tableEnd);
    }

    // Between table and data there is nothing, or the page of zeros; a few descriptors more or less are what a damaged bitmap gives.
    private bool IsOffBySome(long gap) => gap != 0 && Math.Abs(gap) < PageSize && gap % DescriptorSize == 0;

    private string? CheckSamples(long count, long tableEnd)
    {
        long[] numbers = [.. Enumerable.Range(0, SamplePages).Select(i => (count - 1) * i / (SamplePages - 1)).Distinct()];
        var descriptors = _source.ReadMany([.. numbers.Select(n => new ByteRange(_headers.Descriptors + (n * DescriptorSize), DescriptorSize))]);
        var pages = new List<(long Number, long Offset, uint Size, uint Flags)>();
        for (var i = 0; i < numbers.Length; i++)
        {
            if (descriptors[i].Length < DescriptorSize)
            {
                return $"The dump is cut inside its page descriptors, at number {numbers[i]}.";
            }

            var (offset, size, flags) = Parse(descriptors[i].Span);
            var state = Check(offset, size);
            if (state != PageState.Present || offset < tableEnd)
            {
                return $"Page descriptor {numbers[i]} of {count} names {size} bytes at {offset}: " +
                    (state == PageState.Missing && size > 0 ? "they are not in the file." : "no page can be there.");
            }

            pages.Add((numbers[i], offset, size, flags));
        }

        var packed = _source.ReadMany([.. pages.Select(p => new ByteRange(p.Offset, (int)p.Size))]);
        using var decoder = new PageDecoder();
        var page = new byte[PageSize];
        for (var i = 0; i < pages.Count; i++)
        {
            if (packed[i].Length < pages[i].Size || !decoder.Decode(packed[i].ToArray(), (int)pages[i].Size, pages[i].Flags, page))
            {
                return $"The page of descriptor {pages[i].Number} of {count} ({pages[i].Size} bytes at {pages[i].Offset}) cannot be unpacked.";
            }
        }

        return null;
    }
}
