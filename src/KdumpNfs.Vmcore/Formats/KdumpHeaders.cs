using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>Everything that the two headers of a kdump-compressed dump say about where things are.</summary>
/// <remarks>
/// Source: makedumpfile's diskdump_mod.h (disk_dump_header, kdump_sub_header). The sub header is a C structure of the crashed machine: with 32-bit words its
/// 64-bit members are aligned to 4 bytes on i386 and to 8 elsewhere.
/// </remarks>
internal sealed record KdumpHeaders(ByteOrder Order, int Version, int BlockSize, long BitmapOffset, long BitmapBytes, ulong MaximumPage, int Cpus)
{
    /// <summary>phys_base of x86 at the time of the crash; 0 before version 1 and on other machines.</summary>
    public long PhysicalBase { get; private init; }

    /// <summary>One part of a dump that makedumpfile --split wrote.</summary>
    public bool Split { get; private init; }

    /// <summary>Pages of this part.</summary>
    public ulong FirstPage { get; private init; }

    /// <summary>The page behind this part.</summary>
    public ulong EndPage { get; private init; }

    /// <summary>VMCOREINFO (version 3).</summary>
    public (long Offset, long Size) VmcoreInfo { get; private init; }

    /// <summary>All ELF notes (version 4).</summary>
    public (long Offset, long Size) Notes { get; private init; }

    /// <summary>Offset of the first page descriptor.</summary>
    public long Descriptors => BitmapOffset + BitmapBytes;

    /// <summary>Reads both headers.</summary>
    /// <exception cref="VmcoreFormatException">Cut or damaged.</exception>
    public static KdumpHeaders Read(RandomSource source, DiskDumpLayout layout, string? machine)
    {
        var order = new ByteOrder(layout.BigEndian, layout.Wide);
        var block = layout.BlockSize;
        var bitmapOffset = (1 + layout.SubBlocks) * block;
        var headers = new KdumpHeaders(order, layout.Version, block, bitmapOffset, layout.BitmapBlocks * block, layout.MaximumPage, layout.Cpus);
        if (layout.Version < 1)
        {
            return headers with { EndPage = headers.MaximumPage };
        }

        // 104 bytes are the longest; a block is always there, and what a version lacks is not looked at.
        var sub = source.ReadExactly(block, 128, "the sub header");
        long Int64(int at) => (long)order.UInt64(sub.AsSpan(at));
        ulong Word(int at) => order.Word(sub.AsSpan(at));
        var packed = machine is ['i', _, '8', '6', ..];
        var (split, first, info, note, wideFirst) = order.Wide ? (12, 16, 32, 48, 80) : packed ? (8, 12, 20, 32, 56) : (8, 12, 24, 40, 72);
        var isSplit = layout.Version >= 2 && order.UInt32(sub.AsSpan(split)) != 0;
        var maximum = layout.Version >= 6 ? (ulong)Int64(wideFirst + 16) : layout.MaximumPage;
        return headers with
        {
            PhysicalBase = order.Wide ? Int64(0) : (int)order.UInt32(sub),
            MaximumPage = maximum,
            Split = isSplit,
            FirstPage = !isSplit ? 0 : layout.Version >= 6 ? (ulong)Int64(wideFirst) : Word(first),
            EndPage = !isSplit ? maximum : Math.Min(maximum, layout.Version >= 6 ? (ulong)Int64(wideFirst + 8) : Word(first + order.WordSize)),
            VmcoreInfo = layout.Version >= 3 ? (Int64(info), (long)Word(info + 8)) : default,
            Notes = layout.Version >= 4 ? (Int64(note), (long)Word(note + 8)) : default,
        };
    }
}
