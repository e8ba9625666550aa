using System.Buffers.Binary;
using KdumpNfs.Collection;
using KdumpNfs.Tests.Unit.Vmcore;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Collection;

/// <summary>Complete means that the reader could read it.</summary>
public sealed class DumpReadingTests : IDisposable
{
    private const string Rhel = "192.168.122.102-2026-11-22-10:05:50";
    private const string Debian = "192.168.122.101-202611220946";
    private readonly StoreFolder _store = new();
    private readonly byte[] _good = File.ReadAllBytes(Samples.File("lzo.mini"));

    public void Dispose() => _store.Dispose();

    private async Task<VmcoreDump> JudgeAsync(bool remote, byte[] bytes, string directory = Rhel, string name = "vmcore")
    {
        File.WriteAllBytes(Path.Combine(_store.Make(directory), name), bytes);
        _store.Age(directory);
        return await _store.OneAsync(remote);
    }

    private (int Bitmaps, int Table, int Data) Places()
    {
        var header = VmcoreHeader.ReadAsync(new ExcerptByteSource(_good.Length).Add(0, _good)).AsTask().GetAwaiter().GetResult();
        var table = (int)header.DiskDump!.FirstDescriptor;
        return ((1 + (int)header.DiskDump.SubBlocks) * 4096, table, (int)BinaryPrimitives.ReadInt64LittleEndian(_good.AsSpan(table)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_dump_that_reads_is_complete_and_says_how_far_it_was_looked_at(bool remote)
    {
        var dump = await JudgeAsync(remote, _good);
        Assert.Equal((VmcoreState.Complete, VmcoreIntegrity.Whole, VmcoreCheckDepth.Structure), (dump.State, dump.Verdict, dump.CheckDepth));
    }

    public static TheoryData<string, string, bool> Damages
    {
        get
        {
            var all = new TheoryData<string, string, bool>();
            foreach (var remote in new[] { true, false })
            {
                all.Add("bitmap", "The bitmap has", remote);
                all.Add("descriptor", "no page can be there", remote);
                all.Add("page", "cannot be unpacked", remote);
                all.Add("notes", "The notes should be", remote);
                all.Add("vmcoreinfo", "VMCOREINFO says", remote);
                all.Add("bitmap size", "bytes of bitmaps", remote);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_dump_whose_ends_are_fine_and_which_does_not_read_is_incomplete_in_the_readers_words(string what, string words, bool remote)
    {
        var (bitmaps, table, data) = Places();
        var count = (data - table) / 24;
        var bad = (byte[])_good.Clone();
        switch (what)
        {
            case "bitmap":
                bad.AsSpan(bitmaps + ((table - bitmaps) / 2) + 512, 64).Fill(0xff);
                break;
            case "descriptor":
                // A third of the way: the ends are not touched.
                bad[table + ((count - 1) / 3 * 24) + 11] ^= 0x40;
                break;
            case "page":
                var middle = (int)BinaryPrimitives.ReadInt64LittleEndian(bad.AsSpan(table + ((count - 1) * 2 / 3 * 24)));
                bad.AsSpan(middle, 40).Fill(0xff);
                break;
            case "notes":
                BinaryPrimitives.WriteInt64LittleEndian(bad.AsSpan(4096 + 48), bitmaps + 4096);
                break;
            case "vmcoreinfo":
                var at = bad.AsSpan().IndexOf("PAGESIZE=4096"u8);
                "8192"u8.CopyTo(bad.AsSpan(at + 9));
                break;
            default:
                BinaryPrimitives.WriteInt64LittleEndian(bad.AsSpan(4096 + 96), 1L << 33);
                break;
        }

        var dump = await JudgeAsync(remote, bad);

        Assert.Equal((VmcoreState.Incomplete, VmcoreIntegrity.Damaged, true), (dump.State, dump.Verdict, dump.CaptureOver));
        Assert.Contains(words, dump.Reason, StringComparison.Ordinal);
        Assert.Equal("node1", dump.NodeName);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hole_in_the_middle_is_found(bool remote)
    {
        // The real head and end of a dump of 28 MB with nothing in between.
        using (var file = File.Create(Path.Combine(_store.Make(Rhel), "vmcore")))
        {
            foreach (var (name, at) in Samples.Lzo.Pieces)
            {
                file.Position = at;
                file.Write(Samples.Piece(name));
            }

            file.SetLength(Samples.Lzo.Length);
        }

        _store.Age(Rhel);
        var dump = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Incomplete, VmcoreIntegrity.Damaged), (dump.State, dump.Verdict));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_chain_of_a_flattened_dump_is_walked_where_that_is_not_dear(bool remote)
    {
        Samples.Flattened.Write(Path.Combine(_store.Make(Debian), "dump.202611220946"));
        var whole = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Complete, VmcoreCheckDepth.Structure), (whole.State, whole.CheckDepth));

        // A record in the middle that claims too much; both ends are as they were.
        var path = Path.Combine(_store.Root, Debian, "dump.202611220946");
        var (flat, damaged) = Flattened(brokenRecord: 100);
        Assert.True(damaged > 200_000);
        File.WriteAllBytes(path, flat);
        _store.Age(Debian);
        var broken = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Incomplete, VmcoreIntegrity.Damaged), (broken.State, broken.Verdict));
        Assert.Contains("record", broken.Reason, StringComparison.Ordinal);

        // Too long to walk: a sparse 10 GB (local: 100 GB) of one record.
        Samples.Flattened.Write(path);
        var tail = File.ReadAllBytes(path)[^40..];
        using (var file = File.OpenWrite(path))
        {
            var length = remote ? 10_000_000_000 : 100_000_000_000;
            file.SetLength(length);
            file.Position = length - tail.Length;
            file.Write(tail);
        }

        _store.Age(Debian);
        var large = await _store.OneAsync(remote);
        Assert.Equal((VmcoreState.Complete, VmcoreIntegrity.Whole, VmcoreCheckDepth.Ends), (large.State, large.Verdict, large.CheckDepth));
    }

    // Short records, the descriptors in the last one, as makedumpfile ends; one of them claims a size that cannot be.
    private (byte[] File, long Place) Flattened(int brokenRecord)
    {
        var (_, table, data) = Places();
        var file = new MemoryStream();
        file.Write(MachineBuilder.Flatten([1], 1, r => r).AsSpan(0, 4096));
        var (count, place) = (0, 0L);
        void Record(int from, int to)
        {
            var head = new byte[16];
            BinaryPrimitives.WriteInt64BigEndian(head, from);
            BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(8), to - from);
            if (count++ == brokenRecord)
            {
                (place, head[8]) = (file.Position, 0x80);
            }

            file.Write(head);
            file.Write(_good.AsSpan(from, to - from));
        }

        foreach (var (from, to) in new[] { (0, table), (data, _good.Length) })
        {
            for (var at = from; at < to; at += 2048)
            {
                Record(at, Math.Min(to, at + 2048));
            }
        }

        Record(table, data);
        file.Write(Enumerable.Repeat((byte)0xff, 16).ToArray());
        return (file.ToArray(), place);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_elf_core_is_read_too(bool remote)
    {
        var machine = LogTests.Structured(new byte[64], 0, 0);
        var elf = machine.ToElf();
        Assert.Equal((VmcoreState.Complete, VmcoreCheckDepth.Structure), ((await JudgeAsync(remote, elf)).State, (await JudgeAsync(remote, elf)).CheckDepth));

        // The notes' place: what lies there is memory.
        BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(64 + 8), elf.Length - 4096);
        var bad = await JudgeAsync(remote, elf);
        Assert.Equal((VmcoreState.Incomplete, VmcoreIntegrity.Damaged), (bad.State, bad.Verdict));
        Assert.Contains("The notes should be", bad.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_dumps_share_their_round_trips_and_are_read_once()
    {
        for (var i = 0; i < 60; i++)
        {
            File.WriteAllBytes(Path.Combine(_store.Make($"10.0.0.{i}-2026-11-22-10:05:50"), "vmcore"), _good);
        }

        File.WriteAllBytes(Path.Combine(_store.Make("10.0.0.99-2026-11-22-10:05:50"), "vmcore"), _good[..^5000]);
        await using var store = _store.Remote();
        var first = await GetVmcoreOperation.RunAsync(store, new VmcoreFilter(), _store.Context, default);
        var scripts = _store.Connection.Runs;
        var second = await GetVmcoreOperation.RunAsync(store, new VmcoreFilter(), _store.Context, default);

        Assert.Equal(60, first.Count(d => d is { State: VmcoreState.Complete, CheckDepth: VmcoreCheckDepth.Structure }));
        Assert.Equal(60, second.Count(d => d is { State: VmcoreState.Complete, CheckDepth: VmcoreCheckDepth.Structure }));
        Assert.InRange(scripts, 4, 60);
        Assert.Equal(scripts + 1, _store.Connection.Runs);
    }

    [Fact]
    public async Task A_dump_that_goes_away_meanwhile_spoils_no_other()
    {
        foreach (var i in new[] { 1, 2, 3 })
        {
            File.WriteAllBytes(Path.Combine(_store.Make($"10.0.0.{i}-2026-11-22-10:05:50"), "vmcore"), _good);
        }

        // Once the listing is there and the reading begins.
        _store.Connection.Before = script =>
        {
            if (script.StartsWith("r() {", StringComparison.Ordinal))
            {
                File.Delete(Path.Combine(_store.Root, "10.0.0.2-2026-11-22-10:05:50", "vmcore"));
            }
        };
        var dumps = await _store.GetAsync(remote: true);

        Assert.Equal([VmcoreState.Complete, VmcoreState.Complete], dumps.Where(d => d.CrashedHost != "10.0.0.2").Select(d => d.State));
        var gone = Assert.Single(dumps, d => d.CrashedHost == "10.0.0.2");
        Assert.Equal(VmcoreState.NotChecked, gone.State);
        Assert.Contains("could not be read", gone.Reason, StringComparison.Ordinal);
    }
}
