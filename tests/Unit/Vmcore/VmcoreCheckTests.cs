using System.Buffers.Binary;
using System.Diagnostics;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Vmcore;

public class VmcoreCheckTests
{
    [Fact]
    public async Task Real_dumps_are_whole()
    {
        foreach (var sample in new[] { Samples.Flattened, Samples.Lzo, Samples.Zstd })
        {
            var check = await VmcoreCheck.ReadAsync(sample.Source());
            Assert.Equal((VmcoreIntegrity.Whole, (string?)null), (check.Integrity, check.Reason));
        }
    }

    [Fact]
    public async Task A_real_dump_that_lacks_its_last_byte_is_cut()
    {
        Assert.Equal(VmcoreIntegrity.Cut, (await VmcoreCheck.ReadAsync(Samples.Lzo.Source(Samples.Lzo.Length - 1))).Integrity);
        Assert.Equal(VmcoreIntegrity.Cut, (await VmcoreCheck.ReadAsync(Samples.Zstd.Source(Samples.Zstd.Length - 1))).Integrity);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(300)]
    [InlineData(464)]
    [InlineData(4096)]
    [InlineData(4112)]
    [InlineData(4500)]
    [InlineData(9000)]
    [InlineData(9200)]
    public async Task Nothing_of_a_beginning_is_ever_whole(int length)
    {
        foreach (var name in new[] { "debian-flattened.head", "rhel-lzo.head", "zstd.head" })
        {
            var bytes = Samples.Piece(name);
            var check = await VmcoreCheck.ReadAsync(new StreamByteSource(new MemoryStream(bytes[..Math.Min(length, bytes.Length)])));
            Assert.True(check.Integrity is VmcoreIntegrity.Cut or VmcoreIntegrity.NotADump, $"{name} of {length}: {check}");
            Assert.NotNull(check.Reason);
        }
    }

    [Fact]
    public async Task A_dump_that_makedumpfile_marked_is_incomplete()
    {
        var head = Samples.Piece("rhel-lzo.head");
        head[424] |= 8;

        var check = await VmcoreCheck.ReadAsync(new ExcerptByteSource(Samples.Lzo.Length).Add(0, head));

        Assert.Equal(VmcoreIntegrity.MarkedIncomplete, check.Integrity);
    }

    [Fact]
    public async Task What_a_source_does_not_hold_is_not_checked()
    {
        var head = new ExcerptByteSource(Samples.Lzo.Length).Add(0, Samples.Piece("rhel-lzo.head"));

        Assert.Equal(VmcoreIntegrity.NotChecked, (await VmcoreCheck.ReadAsync(head)).Integrity);
    }

    [Fact]
    public async Task The_shared_zero_page_in_front_of_the_data_is_understood()
    {
        // The first page is not zero, so its descriptor points behind the zero page: the table ends a page before what it points at.
        var first = Samples.Piece("zstd.first");
        var moved = BinaryPrimitives.ReadInt64LittleEndian(first) + 4096;
        BinaryPrimitives.WriteInt64LittleEndian(first, moved);
        ExcerptByteSource Source(long length) => new ExcerptByteSource(length)
            .Add(0, Samples.Piece("zstd.head")).Add(moved - 960, new byte[960]).Add(498944, Samples.Piece("zstd.last")).Add(32768, first);

        Assert.Equal(VmcoreIntegrity.Whole, (await VmcoreCheck.ReadAsync(Source(Samples.Zstd.Length))).Integrity);
        Assert.Equal(VmcoreIntegrity.Cut, (await VmcoreCheck.ReadAsync(Source(Samples.Zstd.Length - 1))).Integrity);
    }

    [Fact]
    public async Task Random_bytes_and_damaged_headers_give_a_verdict_in_bounded_time()
    {
        var random = new Random(20261122);
        var originals = new List<byte[]> { ElfBuilder.Core(false, true, "OSRELEASE=1\n", 100), ElfBuilder.Core(true, false, "CRASHTIME=5\n", 100) };
        originals.AddRange(new[] { "debian-flattened.head", "rhel-lzo.head", "zstd.head" }.Select(Samples.Piece));
        byte[][] signatures = ["makedumpfile"u8.ToArray(), "KDUMP   "u8.ToArray(), "\u007fELF\u0002\u0001"u8.ToArray(), [0x1f, 0x8b, 8], []];
        var started = Stopwatch.StartNew();
        for (var i = 0; i < 6000; i++)
        {
            byte[] bytes;
            if (i % 3 == 0)
            {
                bytes = new byte[random.Next(0, 9000)];
                random.NextBytes(bytes);
                var signature = signatures[random.Next(signatures.Length)];
                signature.AsSpan(0, Math.Min(signature.Length, bytes.Length)).CopyTo(bytes);
            }
            else
            {
                bytes = [.. originals[random.Next(originals.Count)]];
                for (var damage = random.Next(1, 12); damage > 0; damage--)
                {
                    // Near the beginning, where the numbers are; often with the values that break arithmetic.
                    var at = random.Next(random.Next(2) == 0 ? Math.Min(600, bytes.Length) : bytes.Length);
                    bytes[at] = random.Next(3) switch { 0 => 0xff, 1 => 0x7f, _ => (byte)random.Next(256) };
                }
            }

            var source = random.Next(2) == 0 ? (IByteSource)new StreamByteSource(new MemoryStream(bytes))
                : new ExcerptByteSource(random.NextInt64(long.MaxValue)).Add(0, bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            await VmcoreCheck.ReadAsync(source);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 32 << 20, "memory");
            try
            {
                await VmcoreHeader.ReadAsync(source);
            }
            catch (VmcoreFormatException)
            {
                // The one exception that contents may cause.
            }
        }

        Assert.True(started.Elapsed < TimeSpan.FromSeconds(60), $"{started.Elapsed}");
    }

    [Fact]
    public async Task A_hole_behind_the_first_records_of_a_flattened_dump_is_seen_and_the_header_still_read()
    {
        var holed = new ExcerptByteSource(Samples.Flattened.Length).Add(0, Samples.Piece("debian-flattened.head"))
            .Add(24772, new byte[16]).Add(18750956, Samples.Piece("debian-flattened.tail"));

        var check = await VmcoreCheck.ReadAsync(holed);

        Assert.Equal((VmcoreIntegrity.Cut, "node1"), (check.Integrity, check.Header!.NodeName));
    }

    [Fact]
    public async Task Flattened_records_without_end_do_not_keep_us()
    {
        // Thousands of tiny records that never give the header.
        var file = new byte[4096 + (100_000 * 17)];
        "makedumpfile"u8.CopyTo(file);
        file[23] = file[31] = 1;
        for (var at = 4096; at < file.Length; at += 17)
        {
            file[at + 6] = 1;
            file[at + 15] = 1;
        }

        var check = await VmcoreCheck.ReadAsync(new StreamByteSource(new MemoryStream(file)));

        Assert.Equal(VmcoreIntegrity.NotADump, check.Integrity);
    }
}
