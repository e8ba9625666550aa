using System.Globalization;
using System.Text;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Log;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>The reader over whole real dumps.</summary>
public class ImageTests
{
    public static TheoryData<string> All => [.. SharedSamples.Names];

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void The_log_is_makedumpfiles_byte_for_byte(string name)
    {
        using var image = VmcoreImage.Open(SharedSamples.PathOf(name));
        var log = image.ReadLog();
        using var written = new MemoryStream();
        log.WriteTo(written);

        Assert.Equal(File.ReadAllBytes(SharedSamples.PathOf(name + ".dmesg.txt")), written.ToArray());
        Assert.Equal(KernelLogKind.RingBuffer, log.Kind);
        Assert.Equal(0, log.MissingBytes);
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Records_have_time_level_and_text(string name)
    {
        using var image = VmcoreImage.Open(SharedSamples.PathOf(name));
        var records = image.ReadLog().Records.ToList();

        var panic = records.Single(r => r.Text.StartsWith("Kernel panic - not syncing: sysrq", StringComparison.Ordinal));
        Assert.Equal(0, panic.Level);
        Assert.Equal(0, panic.Facility);
        Assert.InRange(panic.Time!.Value.TotalSeconds, 1, 100_000);
        Assert.StartsWith("Linux version 6.1.0-56-cloud-amd64", records[0].Text, StringComparison.Ordinal);
        Assert.Equal(5, records[0].Level);
        Assert.All(records.Zip(records.Skip(1)), p => Assert.True(p.First.Sequence < p.Second.Sequence));
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Symbols_of_the_dump_name_the_kernels_own_addresses(string name)
    {
        using var image = VmcoreImage.Open(SharedSamples.PathOf(name));

        Assert.NotNull(image.Symbols);
        foreach (var symbol in new[] { "init_uts_ns", "swapper_pg_dir", "_stext", "prb", "node_data" })
        {
            var place = image.Symbols!.Find(image.Info.Symbol(symbol)!.Value + 0);
            Assert.True(place is { Offset: 0 }, $"{symbol} is {place}");
        }

        // The stack of the crashed CPU holds the way into the crash.
        var stack = new byte[4096];
        image.Space.ReadLenient(BitConverter.ToUInt64(image.Notes.PrStatus.Single(), 112 + (19 * 8)), stack);
        var names = Enumerable.Range(0, stack.Length / 8).Select(i => BitConverter.ToUInt64(stack, i * 8)).Where(a => a > 0xffffffff80000000)
            .Select(image.SymbolAt).ToList();
        Assert.Contains(names, n => n?.StartsWith("sysrq_handle_crash+0x16/0x20", StringComparison.Ordinal) == true);
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Virtual_memory_reads_what_the_header_says(string name)
    {
        using var image = VmcoreImage.Open(SharedSamples.PathOf(name));
        var uts = new byte[6 * 65];
        Assert.True(image.TryReadVirtual(image.Info.Symbol("init_uts_ns")!.Value + (ulong)image.Info.Offset("uts_namespace.name")!.Value, uts));

        Assert.Equal("node1", Encoding.ASCII.GetString(uts, 65, 65).TrimEnd('\0'));
        Assert.Equal(image.Info.Release, Encoding.ASCII.GetString(uts, 130, 65).TrimEnd('\0'));
        Assert.Equal(image.Header.CrashTime!.Value.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), image.Info.Values["CRASHTIME"]);
    }
}
