using System.IO.Compression;
using System.Text;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Vmcore;

public class VmcoreHeaderTests
{
    [Fact]
    public async Task A_flattened_dump_tells_what_is_inside()
    {
        var header = await VmcoreHeader.ReadAsync(Samples.Flattened.Source());

        Assert.Equal((VmcoreFormat.Flattened, VmcoreFormat.KdumpCompressed), (header.Format, header.InnerFormat));
        AssertNode1(header, PageCompression.Zlib, 1795340747);
    }

    [Fact]
    public async Task A_kdump_compressed_dump_tells_release_node_and_time()
    {
        AssertNode1(await VmcoreHeader.ReadAsync(Samples.Lzo.Source()), PageCompression.Lzo, 1795341950);
        AssertNode1(await VmcoreHeader.ReadAsync(Samples.Zstd.Source()), PageCompression.Zstd, 1795342929);
    }

    [Fact]
    public async Task A_gzip_file_tells_what_is_inside()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Samples.Piece("debian-flattened.head"));
        }

        var header = await VmcoreHeader.ReadAsync(new StreamByteSource(packed));

        Assert.Equal((VmcoreFormat.Gzip, VmcoreFormat.KdumpCompressed), (header.Format, header.InnerFormat));
        AssertNode1(header, PageCompression.Zlib, 1795340747);
    }

    [Theory]
    [InlineData("FD377A585A000004", VmcoreFormat.Xz)]
    [InlineData("04224D1864404068", VmcoreFormat.Lz4)]
    [InlineData("425A683931415926", VmcoreFormat.Bzip2)]
    [InlineData("1F8B080000000000", VmcoreFormat.Gzip)]
    public async Task Other_compressions_are_named_and_not_looked_into(string hex, VmcoreFormat format)
    {
        var check = await VmcoreCheck.ReadAsync(Source(Convert.FromHexString(hex)));

        Assert.Equal((format, VmcoreIntegrity.NotChecked), (check.Header!.Format, check.Integrity));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public async Task An_elf_core_of_any_word_size_and_byte_order_tells_release_and_time(bool bigEndian, bool wide)
    {
        var core = ElfBuilder.Core(bigEndian, wide, "OSRELEASE=5.14.0-70.el9\nPAGESIZE=4096\nCRASHTIME=1700000000\n", loadBytes: 5000);

        var check = await VmcoreCheck.ReadAsync(Source(core));

        Assert.Equal(VmcoreIntegrity.Whole, check.Integrity);
        Assert.Equal(("5.14.0-70.el9", 1700000000L), (check.Header!.Release, check.Header.CrashTime!.Value.ToUnixTimeSeconds()));
        Assert.Equal(VmcoreIntegrity.Cut, (await VmcoreCheck.ReadAsync(Source(core[..^1]))).Integrity);
    }

    [Fact]
    public async Task An_elf_file_that_is_no_core_is_refused()
    {
        var core = ElfBuilder.Core(false, true, "", 0);
        core[16] = 2;

        var e = await Assert.ThrowsAsync<VmcoreFormatException>(() => VmcoreHeader.ReadAsync(Source(core)).AsTask());
        Assert.Contains("not a core", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_no_terminal_should_get_is_dropped()
    {
        var head = Samples.Piece("rhel-lzo.head");
        "\u001b]0;owned\a"u8.CopyTo(head.AsSpan(12 + 65));

        Assert.Null((await VmcoreHeader.ReadAsync(Source(head))).NodeName);
    }

    private static void AssertNode1(VmcoreHeader header, PageCompression compression, long crashTime)
    {
        Assert.Equal(("6.1.0-56-cloud-amd64", "node1", "x86_64"), (header.Release, header.NodeName, header.Machine));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(crashTime), header.CrashTime);
        Assert.Equal((compression, 31, false), (header.Compression, header.DumpLevel, header.MarkedIncomplete));
    }

    private static StreamByteSource Source(byte[] bytes) => new(new MemoryStream(bytes));
}

/// <summary>Small ELF cores, written out by elf(5).</summary>
internal static class ElfBuilder
{
    public static byte[] Core(bool bigEndian, bool wide, string vmcoreInfo, int loadBytes)
    {
        var result = new MemoryStream();
        void Put(int size, long value)
        {
            for (var i = 0; i < size; i++)
            {
                result.WriteByte((byte)(value >> (8 * (bigEndian ? size - 1 - i : i))));
            }
        }

        var word = wide ? 8 : 4;
        var (header, entry) = wide ? (64, 56) : (52, 32);
        var description = Encoding.ASCII.GetBytes(vmcoreInfo);
        var noteSize = 24 + 12 + 12 + ((description.Length + 3) & ~3);
        var notes = header + (2 * entry);
        result.Write([0x7f, (byte)'E', (byte)'L', (byte)'F', (byte)(wide ? 2 : 1), (byte)(bigEndian ? 2 : 1), 1, .. new byte[9]]);
        Put(2, 4);
        Put(2, 62);
        Put(4, 1);
        Put(word, 0);
        Put(word, header);
        Put(word, 0);
        Put(4, 0);
        Put(2, header);
        Put(2, entry);
        Put(2, 2);
        Put(2, 0);
        Put(2, 0);
        Put(2, 0);
        Segment(4, notes, noteSize);
        Segment(1, notes + noteSize, loadBytes);

        // A note of a CPU comes first, as in /proc/vmcore.
        Put(4, 5);
        Put(4, 4);
        Put(4, 1);
        result.Write([.. "CORE"u8, 0, 0, 0, 0, 1, 2, 3, 4]);
        result.SetLength(notes + 24);
        result.Position = notes + 24;
        Put(4, 11);
        Put(4, description.Length);
        Put(4, 0);
        result.Write([.. "VMCOREINFO"u8, 0, 0, .. description]);
        result.SetLength(notes + noteSize + loadBytes);
        return result.ToArray();

        void Segment(int type, long offset, long size)
        {
            Put(4, type);
            if (wide)
            {
                Put(4, 0);
            }

            Put(word, offset);
            Put(word, 0);
            Put(word, 0);
            Put(word, size);
            Put(word, size);
            if (!wide)
            {
                Put(4, 0);
            }

            Put(word, 0);
        }
    }
}
