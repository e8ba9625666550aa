using KdumpNfs.Vmcore.Formats;

namespace KdumpNfs.Vmcore.Memory;

/// <summary>Virtual memory of aarch64: granules of 4, 16 and 64 KiB, 36 to 52 bits.</summary>
/// <remarks>
/// Sources: Arm ARM, chapter D8 (VMSAv8-64); the kernel's Documentation/arch/arm64/memory.rst and arch/arm64/kernel/vmcore_info.c. The kernel's
/// top table is at swapper_pg_dir, in the image, so its physical address is the virtual one minus kimage_voffset. The index into the top table uses
/// the width that the kernel was built for: a kernel for 52 bits on a machine with 48 keeps its table in the upper part, and the address's upper
/// bits are ones.
/// </remarks>
internal sealed class Arm64AddressSpace : AddressSpace
{
    private readonly ulong _top;
    private readonly int _pageShift;
    private readonly int _width;
    private readonly bool _largeAddresses;

    private Arm64AddressSpace(PhysicalMemory memory, ulong top, int pageShift, int width)
        : base(memory, new ByteOrder(false, true))
    {
        _top = top;
        _pageShift = pageShift;
        _width = width;

        // With 64 KiB pages 52-bit physical addresses keep their upper bits where smaller pages have address bits that are zero here.
        _largeAddresses = pageShift == 16;
    }

    /// <summary>The kernel's address space; null when VMCOREINFO does not tell where its page tables are.</summary>
    public static Arm64AddressSpace? Create(PhysicalMemory memory, VmcoreInfo info)
    {
        var pageShift = int.TrailingZeroCount(info.PageSize ?? memory.PageSize);
        if (info.Symbol("swapper_pg_dir") is not { } top || info.Number("kimage_voffset") is not { } offset ||
            (info.Number("VA_BITS") ?? 48) is not (>= 36 and <= 52 and var width) || pageShift is not (12 or 14 or 16))
        {
            return null;
        }

        return new Arm64AddressSpace(memory, top - (ulong)offset, pageShift, (int)width);
    }

    /// <inheritdoc/>
    protected override (ulong Start, ulong End, ulong Physical)? Walk(ulong address)
    {
        // Kernel addresses have all ones above the width; top bytes may carry tags (KASAN), which do not count.
        if (((address >> _width) | 0xff00_0000_0000_0000 >> _width) != ulong.MaxValue >> _width)
        {
            return null;
        }

        var bits = _pageShift - 3;
        var levels = (_width - _pageShift + bits - 1) / bits;
        var table = _top;
        for (var level = levels - 1; level >= 0; level--)
        {
            var shift = _pageShift + (bits * level);
            var indexBits = level == levels - 1 ? _width - shift : bits;
            if (Entry(table, (address >> shift) & ((1UL << indexBits) - 1)) is not { } entry || (entry & 1) == 0)
            {
                return null;
            }

            var isTable = (entry & 2) != 0;
            if (level == 0 && !isTable)
            {
                return null;
            }

            var output = Output(entry);
            if (level == 0 || !isTable)
            {
                var size = 1UL << shift;
                var start = address & ~(size - 1);
                return (start, start + size - 1 == ulong.MaxValue ? ulong.MaxValue : start + size, output & ~(size - 1));
            }

            table = output;
        }

        return null;
    }

    private ulong Output(ulong entry)
    {
        var address = entry & 0x0000_ffff_ffff_ffff & ~((1UL << _pageShift) - 1);
        return _largeAddresses ? address | ((entry & 0xf000) << 36) : address;
    }
}
