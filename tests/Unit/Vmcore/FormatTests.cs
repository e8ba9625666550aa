using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Every format gives the same memory.</summary>
public class FormatTests
{
    private static readonly byte[] Plain = Samples.Piece("page.plain");

    private static MachineBuilder Machine()
    {
        var machine = new MachineBuilder();
        var random = new Random(11);
        foreach (var page in new ulong[] { 0x101, 0x102, 0x103, 0x9000, 0x9001, 0x20000 })
        {
            var bytes = new byte[4096];
            random.NextBytes(bytes.AsSpan(0, random.Next(4096)));
            machine.Write(page * 4096, bytes);
        }

        machine.Write(0x9002 * 4096UL, new byte[4096]);
        machine.Write(0x104 * 4096UL, Plain);
        return machine;
    }

    private static void Same(MachineBuilder machine, byte[] dump)
    {
        using var image = VmcoreImage.Open(Source(dump));
        var page = new byte[4096];
        foreach (var (number, content) in machine.Pages)
        {
            Assert.True(image.TryReadPhysical(number * 4096, page));
            Assert.Equal(content, page);
        }

        Assert.False(image.TryReadPhysical(0x8fff * 4096UL, page));
        Assert.False(image.TryReadPhysical(1UL << 50, page));
    }

    private static ExcerptByteSource Source(byte[] bytes) => new ExcerptByteSource(bytes.Length).Add(0, bytes);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Every_header_version_of_kdump_compressed(int version) => Same(Machine(), Machine().ToKdump(version, 1));

    [Fact]
    public void Stored_pages() => Same(Machine(), Machine().ToKdump());

    [Fact]
    public void Elf_cores() => Same(Machine(), Machine().ToElf());

    [Theory]
    [InlineData("page.snappy", PageDecoder.Snappy)]
    [InlineData("page.lzo1x-1", PageDecoder.Lzo)]
    [InlineData("page.lzo1x-999", PageDecoder.Lzo)]
    public void What_the_real_libraries_packed_is_unpacked(string name, uint flag)
    {
        var packed = Samples.Piece(name);
        using var decoder = new PageDecoder();
        var page = new byte[4096];
        Assert.True(decoder.Decode(packed, packed.Length, flag, page));
        Assert.Equal(Plain, page);

        // And as a dump: every other page stays stored.
        Same(Machine(), Machine().ToKdump(6, flag, p => p.AsSpan().SequenceEqual(Plain) ? packed : p));
    }

    [Theory]
    [InlineData("page.snappy", PageDecoder.Snappy)]
    [InlineData("page.lzo1x-1", PageDecoder.Lzo)]
    [InlineData("page.lzo1x-999", PageDecoder.Lzo)]
    public void A_damaged_page_is_refused_or_stays_inside_its_buffer(string name, uint flag)
    {
        var good = Samples.Piece(name);
        using var decoder = new PageDecoder();
        var page = new byte[4096];
        for (var length = 0; length < good.Length; length++)
        {
            Assert.False(decoder.Decode(good, length, flag, page));
        }

        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            var bad = (byte[])good.Clone();
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            decoder.Decode(bad, bad.Length, flag, page);
        }
    }

    [Fact]
    public void Flattened_dumps_in_any_order_later_records_win()
    {
        var machine = Machine();
        var random = new Random(5);
        foreach (var dump in new[] { machine.ToKdump(6, 1), machine.ToElf() })
        {
            Same(machine, MachineBuilder.Flatten(dump, 1000, r => r));
            Same(machine, MachineBuilder.Flatten(dump, 4097, r => r.Reverse()));
            Same(machine, MachineBuilder.Flatten(dump, 333, r => r.OrderBy(_ => random.Next())));
        }

        // The head is written twice, first with nonsense, as makedumpfile does when it learns sizes later.
        var real = machine.ToElf();
        var first = (byte[])real.Clone();
        first.AsSpan(16, 500).Fill(0xee);
        var twice = MachineBuilder.Flatten(first, 700, r => r).AsSpan(..^16).ToArray().Concat(MachineBuilder.Flatten(real, 700, r => [0])[4096..]).ToArray();
        Same(machine, twice);
    }

    [Fact]
    public void Overlapping_records_resolve_like_writes_in_their_order()
    {
        var random = new Random(17);
        for (var round = 0; round < 300; round++)
        {
            var expected = new byte[200];
            var file = new byte[4000];
            random.NextBytes(file);
            var records = new List<FlattenedPiece>();
            long at = 0;
            for (var i = 0; i < random.Next(1, 30); i++)
            {
                var piece = new FlattenedPiece(random.Next(150), random.Next(1, 50), at);
                records.Add(piece);
                file.AsSpan((int)at, (int)piece.Size).CopyTo(expected.AsSpan((int)piece.Offset));
                at += piece.Size + 16;
            }

            using var reader = FlattenedReader.Build(new CachedSource(Source(file), false, default), records, null);
            var read = new byte[200];
            Assert.Equal(reader.Length, reader.Read(0, read));
            Assert.Equal(expected, read);
        }
    }

    [Fact]
    public void A_flattened_dump_without_its_end_is_read_as_far_as_it_goes()
    {
        var machine = Machine();
        var flat = MachineBuilder.Flatten(machine.ToKdump(6, 1), 1000, r => r);
        using var image = VmcoreImage.Open(Source(flat[..^3000]));
        Assert.Contains("cut", image.Damage, StringComparison.Ordinal);
        var page = new byte[4096];
        Assert.True(image.TryReadPhysical(0x101 * 4096, page));
        Assert.False(image.TryReadPhysical(0x20000 * 4096UL, page));
        Assert.Null(VmcoreImage.Open(Source(flat)).Damage);
    }

    [Fact]
    public void More_segments_than_an_elf_header_counts()
    {
        var machine = new MachineBuilder();
        for (ulong i = 0; i < 66_000; i++)
        {
            machine.Write((0x1000 + (i * 2)) * 4096, BitConverter.GetBytes(i + 1));
        }

        using var image = VmcoreImage.Open(Source(machine.ToElf(manySegments: true)));
        var page = new byte[8];
        foreach (var i in new ulong[] { 0, 1, 65_534, 65_999 })
        {
            Assert.True(image.TryReadPhysical((0x1000 + (i * 2)) * 4096, page));
            Assert.Equal(i + 1, BitConverter.ToUInt64(page));
        }

        Assert.False(image.TryReadPhysical(0x1001 * 4096, page));
    }

    [Fact]
    public void Not_a_dump_and_cut_heads_have_a_clear_answer()
    {
        foreach (var dump in new[] { Machine().ToKdump(), Machine().ToElf(), MachineBuilder.Flatten(Machine().ToElf(), 4096, r => r) })
        {
            foreach (var length in new[] { 0, 3, 20, 60, 200 })
            {
                var e = Assert.Throws<VmcoreFormatException>(() => VmcoreImage.Open(Source(dump[..length])));
                Assert.Matches("empty|cut|start like|flattened|damaged|record|no sense", e.Message);
            }
        }

        Assert.Throws<VmcoreFormatException>(() => VmcoreImage.Open(Source(Machine().ToKdump()[..4100])));
        Assert.Contains("unpack it first", Assert.Throws<VmcoreFormatException>(() => VmcoreImage.Open(Source([0x1f, 0x8b, 8, 0, 0]))).Message, StringComparison.Ordinal);
    }
}
