using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Page tables of every kind that the reader knows.</summary>
public class MemoryTests
{
    private static VmcoreImage Open(MachineBuilder machine)
    {
        var dump = machine.ToKdump();
        return VmcoreImage.Open(new ExcerptByteSource(dump.Length).Add(0, dump));
    }

    private static void Holds(VmcoreImage image, ulong address, ulong value)
    {
        var bytes = new byte[8];
        Assert.True(image.TryReadVirtual(address, bytes), MachineBuilder.Hex(address));
        Assert.Equal(value, BitConverter.ToUInt64(bytes));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void X86_64_with_pages_of_every_size(int levels)
    {
        var machine = new MachineBuilder(levels: levels);

        // KASLR: the virtual offset of the image is larger than the physical one.
        const long PhysicalBase = -0x2345000;
        machine.Info($"SYMBOL(swapper_pg_dir)={MachineBuilder.Hex(0xffffffff80000000 + machine.Top + 0x2345000)}")
            .Info($"NUMBER(phys_base)={PhysicalBase}").Info($"NUMBER(pgtable_l5_enabled)={levels - 4}");
        machine.Map(0xffffffffc0001000, 0x300000).Word(0x300010, 1);
        machine.Map(0xffff888040000000, 0x400000, level: 1).Word(0x5ff008, 2);
        machine.Map(0xffff888100000000, 0x40000000, level: 2).Word(0x7fff1000, 3);

        using var image = Open(machine);
        Holds(image, 0xffffffffc0001010, 1);
        Holds(image, 0xffff8880401ff008, 2);
        Holds(image, 0xffff88813fff1000, 3);
        var bytes = new byte[8];
        Assert.False(image.TryReadVirtual(0xffffffffc0002000, bytes));
        Assert.False(image.TryReadVirtual(0x0123456789abcdef, bytes));

        // Across the end of a page that is mapped into one that is not.
        Assert.False(image.TryReadVirtual(0xffffffffc0001ffc, bytes));
    }

    [Fact]
    public void A_page_table_that_points_at_itself_ends()
    {
        var machine = new MachineBuilder();
        machine.Info($"SYMBOL(swapper_pg_dir)={MachineBuilder.Hex(0xffffffff80000000 + machine.Top)}").Info("NUMBER(phys_base)=0");
        for (ulong i = 0; i < 512; i++)
        {
            machine.Word(machine.Top + (i * 8), machine.Top | 0x67);
        }

        using var image = Open(machine);
        Holds(image, 0xffff888000000000, machine.Top | 0x67);
    }

    [Theory]
    [InlineData(4096, 39)]
    [InlineData(4096, 48)]
    [InlineData(16384, 36)]
    [InlineData(16384, 47)]
    [InlineData(65536, 42)]
    [InlineData(65536, 48)]
    [InlineData(65536, 52)]
    public void Aarch64_with_every_granule(int pageSize, int width)
    {
        var machine = new MachineBuilder("aarch64", pageSize);
        const ulong Offset = 0xffff_7fff_c000_0000;
        var start = ulong.MaxValue << width;
        var shift = int.TrailingZeroCount(pageSize);
        var block = 1UL << (shift + shift - 3);
        machine.Info($"SYMBOL(swapper_pg_dir)={MachineBuilder.Hex(machine.Top + Offset)}").Info($"NUMBER(kimage_voffset)=0x{MachineBuilder.Hex(Offset)}")
            .Info($"NUMBER(VA_BITS)={width}").Info("NUMBER(PHYS_OFFSET)=0x40000000");
        machine.MapArm(start + (ulong)pageSize, 0x800000, width).Word(0x800000 + 24, 5);
        machine.MapArm(start + (3 * block), 2 * block, width, level: 1).Word((3 * block) - 16, 6);

        using var image = Open(machine);
        Holds(image, start + (ulong)pageSize + 24, 5);
        Holds(image, start + (4 * block) - 16, 6);
        var bytes = new byte[8];
        Assert.False(image.TryReadVirtual(start + (2 * (ulong)pageSize), bytes));
        Assert.False(image.TryReadVirtual(0x1000, bytes));
    }

    [Fact]
    public void Without_page_tables_the_answer_says_so()
    {
        using var image = Open(new MachineBuilder());
        var e = Assert.Throws<VmcoreFormatException>(() => image.TryReadVirtual(0, new byte[8]));
        Assert.Contains("page tables", e.Message, StringComparison.Ordinal);
    }
}
