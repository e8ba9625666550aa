using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>The program headers of an ELF core.</summary>
/// <remarks>Sources as for <see cref="ElfCore"/>. 65,535 headers and more: their number is in sh_info of the first section header (PN_XNUM).</remarks>
internal sealed record ElfHeaders(ByteOrder Order, List<ElfSegment> Segments, List<(long Offset, long Size)> Notes)
{
    // 1 TB in segments of 64 KB; a table of 56 bytes each is at most 112 MB and is read in pieces.
    private const long MaximumHeaders = 2_000_000;
    private const int Step = 4096;

    /// <summary>Reads them.</summary>
    /// <exception cref="VmcoreFormatException">Cut or damaged.</exception>
    public static ElfHeaders Read(RandomSource source)
    {
        var start = source.ReadExactly(0, 52, "the ELF header");
        if (start[4] is not (1 or 2) || start[5] is not (1 or 2))
        {
            throw new VmcoreFormatException($"The ELF header has class {start[4]} and data {start[5]}; neither 32 nor 64 bits.");
        }

        var order = new ByteOrder(start[5] == 2, start[4] == 2);
        var wide = order.Wide;
        var header = wide ? source.ReadExactly(0, 64, "the ELF header") : start;
        var table = (long)order.Word(header.AsSpan(wide ? 32 : 28));
        var size = wide ? 56 : 32;
        long count = order.UInt16(header.AsSpan(wide ? 56 : 44));
        if (count == 0xffff)
        {
            var section = source.ReadExactly((long)order.Word(header.AsSpan(wide ? 40 : 32)), wide ? 64 : 40, "the ELF section header");
            count = order.UInt32(section.AsSpan(wide ? 44 : 28));
        }

        if (table < 0 || count is <= 0 or > MaximumHeaders || order.UInt16(header.AsSpan(wide ? 54 : 42)) != size || table > source.Length - (count * size))
        {
            throw new VmcoreFormatException($"The ELF header claims {count} program headers at {table}; the file is cut or damaged.");
        }

        var result = new ElfHeaders(order, [], []);
        for (long done = 0; done < count; done += Step)
        {
            var part = source.ReadExactly(table + (done * size), (int)Math.Min(Step, count - done) * size, "the ELF program headers");
            for (var at = 0; at < part.Length; at += size)
            {
                result.Add(part.AsSpan(at, size));
            }
        }

        return result;
    }

    private void Add(ReadOnlySpan<byte> header)
    {
        var type = Order.UInt32(header);
        var (offset, virtualAddress, physical, fileSize, memorySize) = Order.Wide
            ? (Order.UInt64(header[8..]), Order.UInt64(header[16..]), Order.UInt64(header[24..]), Order.UInt64(header[32..]), Order.UInt64(header[40..]))
            : (Order.UInt32(header[4..]), Order.UInt32(header[8..]), Order.UInt32(header[12..]), Order.UInt32(header[16..]), Order.UInt32(header[20..]));
        if (type is not (1 or 4))
        {
            return;
        }

        const ulong Limit = 1UL << 60;
        if (offset > Limit || fileSize > Limit || memorySize > Limit || (type == 1 && physical > Limit && physical != ulong.MaxValue))
        {
            throw new VmcoreFormatException($"An ELF program header claims {fileSize} bytes at {offset} for address {physical:x}; the file is damaged.");
        }

        if (type == 4)
        {
            Notes.Add(((long)offset, (long)fileSize));
        }
        else if (physical != ulong.MaxValue)
        {
            Segments.Add(new ElfSegment(physical, virtualAddress, (long)offset, (long)Math.Min(fileSize, memorySize), (long)memorySize));
        }
    }
}
