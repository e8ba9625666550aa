using KdumpNfs.Vmcore.Formats;

namespace KdumpNfs.Vmcore.Memory;

/// <summary>Virtual memory of x86_64: 4 or 5 levels, pages of 4 KiB, 2 MiB and 1 GiB.</summary>
/// <remarks>
/// Sources: Intel SDM volume 3, chapter "Paging"; the kernel's Documentation/arch/x86/x86_64/mm.rst. The kernel's top table is at
/// swapper_pg_dir, whose physical address is its distance from __START_KERNEL_map plus phys_base. The mask of encrypted memory (sme_mask) is taken off.
/// </remarks>
internal sealed class X86AddressSpace : AddressSpace
{
    private const ulong KernelMap = 0xffffffff80000000;
    private const ulong PhysicalMask = 0x000ffffffffff000;

    private readonly ulong _top;
    private readonly int _levels;
    private readonly ulong _mask;

    private X86AddressSpace(PhysicalMemory memory, ulong top, int levels, ulong encryption)
        : base(memory, new ByteOrder(false, true))
    {
        _top = top;
        _levels = levels;
        _mask = PhysicalMask & ~encryption;
    }

    /// <summary>The kernel's address space; null when VMCOREINFO does not tell where its page tables are.</summary>
    /// <param name="memory">Physical memory.</param>
    /// <param name="info">VMCOREINFO.</param>
    /// <param name="physicalBase">phys_base as the dump's own headers say, for kernels whose VMCOREINFO does not.</param>
    public static X86AddressSpace? Create(PhysicalMemory memory, VmcoreInfo info, long physicalBase)
    {
        if ((info.Symbol("swapper_pg_dir") ?? info.Symbol("init_top_pgt") ?? info.Symbol("init_level4_pgt")) is not { } top || top < KernelMap)
        {
            return null;
        }

        var levels = info.Number("pgtable_l5_enabled") is > 0 ? 5 : 4;
        return new X86AddressSpace(
            memory, top - KernelMap + (ulong)(info.Number("phys_base") ?? physicalBase), levels, (ulong)(info.Number("sme_mask") ?? 0));
    }

    /// <inheritdoc/>
    protected override (ulong Start, ulong End, ulong Physical)? Walk(ulong address)
    {
        var width = 12 + (9 * _levels);
        if ((long)(address << (64 - width)) >> (64 - width) != (long)address)
        {
            return null;
        }

        var table = _top;
        for (var level = _levels - 1; level >= 0; level--)
        {
            var shift = 12 + (9 * level);
            if (Entry(table, (address >> shift) & 511) is not { } entry || (entry & 1) == 0)
            {
                return null;
            }

            var large = level is 1 or 2 && (entry & 0x80) != 0;
            if (level == 0 || large)
            {
                var size = 1UL << shift;
                var start = address & ~(size - 1);
                return (start, start + size - 1 == ulong.MaxValue ? ulong.MaxValue : start + size, entry & _mask & ~(size - 1));
            }

            table = entry & _mask;
        }

        return null;
    }
}
