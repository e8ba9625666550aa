using System.Buffers.Binary;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>One damaged byte in each structure of a dump: a clear answer, or nothing that anybody reads was hurt.</summary>
public class FlippedByteTests
{
    private static readonly byte[] Kdump = FuzzTests.Structured().ToKdump(6, 1);
    private static readonly byte[] Elf = FuzzTests.Structured().ToElf();

    // The place of the first page descriptor's bitmap half, of the table and of the data, in the made-up dump.
    private static readonly (int Bitmap, int Table, int Data) Place = Places();

    private static (int, int, int) Places()
    {
        var header = VmcoreHeader.ReadAsync(new ExcerptByteSource(Kdump.Length).Add(0, Kdump)).AsTask().GetAwaiter().GetResult().DiskDump!;
        var table = (int)header.FirstDescriptor;
        var count = 0;
        var half = (1 + (int)header.SubBlocks) * 4096 + ((int)header.BitmapBlocks * 4096 / 2);
        for (var at = half; at < table; at++)
        {
            count += System.Numerics.BitOperations.PopCount(Kdump[at]);
        }

        return (half, table, table + (count * 24));
    }

    // All that a look at every page can say; empty when nothing is wrong. And the log, where it can be read.
    private static (string Answer, string? Log) Look(byte[] bytes)
    {
        var said = new List<string>();
        string? text = null;
        try
        {
            using var image = VmcoreImage.Open(new ExcerptByteSource(bytes.Length).Add(0, bytes));
            said.AddRange(new[] { image.Damage, image.CheckEnd(), image.CheckStructure(), image.Header.MarkedIncomplete ? "The dump is marked as incomplete." : null }.OfType<string>());
            try
            {
                var log = image.ReadLog();
                text = log.ToText();
                said.AddRange(new[] { log.Damage, log.MissingBytes > 0 ? "missing bytes" : null }.OfType<string>());
            }
            catch (VmcoreFormatException e)
            {
                said.Add(e.Message);
            }

            if (VmcoreScan.Run(image, 1).FirstProblem is { } problem)
            {
                said.Add(problem);
            }
        }
        catch (VmcoreFormatException e)
        {
            said.Add(e.Message);
        }

        return (string.Join(" | ", said), text);
    }

    [Fact]
    public void The_whole_ones_are_fine()
    {
        foreach (var good in new[] { Kdump, Elf, MachineBuilder.Flatten(Kdump, 3000, r => r), File.ReadAllBytes(Samples.File("lzo.mini")), File.ReadAllBytes(Samples.File("zstd.mini")) })
        {
            Assert.Equal("", Look(good).Answer);
        }
    }

    public static TheoryData<string, int, byte, string> KdumpBytes => new()
    {
        { "signature", 3, 0x01, "dump" },
        { "version", 8, 0x80, "version" },
        { "status: marked incomplete", 424, 0x08, "incomplete" },
        { "block size", 429, 0x01, "make no sense" },
        { "blocks of the sub header", 433, 0x01, "bitmaps" },
        { "blocks of the bitmaps", 437, 0x01, "bitmaps" },
        { "pages of the machine", 4096 + 96 + 4, 0x01, "claims" },
        { "place of the notes", 4096 + 48 + 4, 0x01, "notes" },
        { "bitmap, a page more", -1, 0xff, "bitmap" },
        { "descriptor, place", -2, 0x01, "" },
        { "descriptor, size", -3, 0x80, "descriptor" },
        { "descriptor, flags", -4, 0x1d, "cannot be unpacked" },
        { "page", -5, 0xff, "cannot be unpacked" },
    };

    [Theory]
    [MemberData(nameof(KdumpBytes))]
    public void A_flipped_byte_of_a_kdump_compressed_dump_is_named(string structure, int at, byte flip, string words)
    {
        var bad = (byte[])Kdump.Clone();

        // The last descriptor whose page is packed.
        var last = Place.Data - 24;
        while (BinaryPrimitives.ReadUInt32LittleEndian(bad.AsSpan(last + 12)) == 0)
        {
            last -= 24;
        }

        var place = at switch
        {
            -1 => Array.FindIndex(bad, Place.Bitmap, b => b == 0),
            -2 => last + 5,
            -3 => last + 10,
            -4 => last + 12,
            -5 => (int)BinaryPrimitives.ReadInt64LittleEndian(bad.AsSpan(last)) + 20,
            _ => at,
        };
        bad[place] ^= flip;
        var (answer, _) = Look(bad);
        Assert.True(answer.Length > 20 && answer.Contains(words, StringComparison.OrdinalIgnoreCase), $"{structure}: '{answer}'");
    }

    public static TheoryData<string, int, byte, string> ElfBytes => new()
    {
        { "magic", 1, 0x01, "dump" },
        { "class", 4, 0x04, "class" },
        { "type", 16, 0x02, "core" },
        { "place of the program headers", 36, 0x01, "program headers" },
        { "size of a program header", 54, 0x08, "program headers" },
        { "number of program headers", 57, 0x40, "program headers" },
        { "notes, place", 64 + 8 + 3, 0x01, "ELF core" },
        { "notes, size", 64 + 32 + 4, 0x01, "ELF core" },
        { "segment, place", 64 + 56 + 8 + 4, 0x01, "the file has" },
        { "segment, size", 64 + 56 + 32 + 4, 0x01, "the file has" },
        { "segment, address", 64 + 56 + 24 + 4, 0x01, "" },
        { "segment, type", 64 + 56, 0x08, "" },
    };

    [Theory]
    [MemberData(nameof(ElfBytes))]
    public void A_flipped_byte_of_an_elf_core_is_named(string structure, int at, byte flip, string words)
    {
        var bad = (byte[])Elf.Clone();
        bad[at] ^= flip;
        var (answer, _) = Look(bad);
        Assert.True(answer.Length > 20 && answer.Contains(words, StringComparison.OrdinalIgnoreCase), $"{structure}: '{answer}'");
    }

    public static TheoryData<string, int, byte, string> FlattenedBytes => new()
    {
        { "signature", 2, 0x01, "dump" },
        { "type", 23, 0x02, "type" },
        { "version", 31, 0x02, "version" },
        { "record, place", 4096, 0x80, "record" },
        { "record, place in the file", 4096 + 5, 0x01, "" },
        { "record, size", 4096 + 8 + 3, 0x01, "flattened" },
        { "end record", -1, 0x01, "record" },
    };

    [Theory]
    [MemberData(nameof(FlattenedBytes))]
    public void A_flipped_byte_of_a_flattened_dump_is_named(string structure, int at, byte flip, string words)
    {
        var bad = MachineBuilder.Flatten(Kdump, 3000, r => r);
        bad[at < 0 ? bad.Length - 16 : at] ^= flip;
        var (answer, _) = Look(bad);
        Assert.True(answer.Length > 20 && answer.Contains(words, StringComparison.OrdinalIgnoreCase), $"{structure}: '{answer}'");
    }

    [Theory]
    [InlineData("kdump")]
    [InlineData("elf")]
    [InlineData("flattened")]
    public void Whatever_byte_of_the_headers_flips_there_is_an_answer_or_the_log_is_the_same(string name)
    {
        var good = name switch { "kdump" => Kdump, "elf" => Elf, _ => MachineBuilder.Flatten(Kdump, 3000, r => r) };
        var end = name switch { "kdump" => 4096 + 104, "elf" => 64 + (56 * BinaryPrimitives.ReadUInt16LittleEndian(good.AsSpan(56))), _ => 4096 + 16 };
        var before = Look(good);
        Assert.NotNull(before.Log);
        for (var at = 0; at < end; at++)
        {
            if (name == "kdump" && at is >= 464 and < 4096)
            {
                continue;
            }

            var bad = (byte[])good.Clone();
            bad[at] ^= (byte)(1 << (at % 8));
            var (answer, log) = Look(bad);
            Assert.True(answer.Length > 0 || log == before.Log, $"byte {at} of {name}");
        }
    }

    [Fact]
    public void Every_cut_of_a_dump_is_told()
    {
        foreach (var good in new[] { Kdump, Elf, MachineBuilder.Flatten(Kdump, 3000, r => r) })
        {
            for (var length = 0; length < good.Length; length += 997)
            {
                Assert.NotEqual("", Look(good[..length]).Answer);
            }
        }
    }

    [Theory]
    [InlineData("/bin/sh")]
    [InlineData("text")]
    [InlineData("zeros")]
    public void A_wrong_file_is_no_dump(string what)
    {
        var bytes = what switch { "text" => "hello\n"u8.ToArray(), "zeros" => new byte[10_000], _ => File.ReadAllBytes(what) };
        Assert.Contains(what == "/bin/sh" ? "not a core" : "dump", Look(bytes).Answer, StringComparison.Ordinal);
    }
}
