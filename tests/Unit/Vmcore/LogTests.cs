using System.Buffers.Binary;
using System.Text;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Log;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>The three forms of the kernel's log.</summary>
public class LogTests
{
    private const ulong Buffer = 0xffff888000200000;
    private const ulong Symbols = 0xffffffff81000000;

    private static MachineBuilder Machine()
    {
        var machine = new MachineBuilder();
        return machine.Info($"SYMBOL(swapper_pg_dir)={MachineBuilder.Hex(0xffffffff80000000 + machine.Top)}").Info("NUMBER(phys_base)=0");
    }

    private static KernelLog Read(MachineBuilder machine)
    {
        var dump = machine.ToKdump(6, 1);
        using var image = VmcoreImage.Open(new ExcerptByteSource(dump.Length).Add(0, dump));
        return image.ReadLog();
    }

    internal static byte[] Record(ulong time, string text, int level, int flags, int facility = 0, uint caller = 0)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        var record = new byte[(20 + bytes.Length + 3) & ~3];
        BinaryPrimitives.WriteUInt64LittleEndian(record, time);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(8), (ushort)record.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(10), (ushort)bytes.Length);
        record[14] = (byte)facility;
        record[15] = (byte)(flags | (level << 5));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(16), caller);
        bytes.CopyTo(record, 20);
        return record;
    }

    internal static MachineBuilder Structured(byte[] buffer, int first, int next)
    {
        var symbols = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(symbols, Buffer);
        BinaryPrimitives.WriteInt32LittleEndian(symbols.AsSpan(8), buffer.Length);
        BinaryPrimitives.WriteInt32LittleEndian(symbols.AsSpan(12), first);
        BinaryPrimitives.WriteInt32LittleEndian(symbols.AsSpan(16), next);
        return Machine().MapBytes(Buffer, buffer).MapBytes(Symbols, symbols)
            .Info($"SYMBOL(log_buf)={MachineBuilder.Hex(Symbols)}").Info($"SYMBOL(log_buf_len)={MachineBuilder.Hex(Symbols + 8)}")
            .Info($"SYMBOL(log_first_idx)={MachineBuilder.Hex(Symbols + 12)}").Info($"SYMBOL(log_next_idx)={MachineBuilder.Hex(Symbols + 16)}")
            .Info("SIZE(printk_log)=20").Info("OFFSET(printk_log.ts_nsec)=0").Info("OFFSET(printk_log.len)=8")
            .Info("OFFSET(printk_log.text_len)=10").Info("OFFSET(printk_log.dict_len)=12");
    }

    [Fact]
    public void Structured_logs_go_round_their_ring()
    {
        var buffer = new byte[8192];
        byte[][] old = [Record(5_000_001_999, "older\nsecond line", 6, 2), Record(6_123_456_789, "tab\there \x01 caf\xe9", 3, 2, facility: 3, caller: 453)];
        byte[][] young = [Record(1_234_000_000_000, "after the wrap", 4, 8, caller: 0x80000002), Record(1_234_000_001_000, "", 4, 2)];
        var at = 6000;
        foreach (var record in old)
        {
            record.CopyTo(buffer, at);
            at += record.Length;
        }

        // A record of length zero follows: the mark.
        var next = 0;
        foreach (var record in young)
        {
            record.CopyTo(buffer, next);
            next += record.Length;
        }

        var log = Read(Structured(buffer, 6000, next));
        Assert.Equal(KernelLogKind.Structured, log.Kind);
        Assert.Null(log.Damage);
        Assert.Equal(
            "[    5.000001] older\n               second line\n[    6.123456] tab\there \\x01 caf\\xe9\n[ 1234.000000] after the wrap\n[ 1234.000001] \n", log.ToText());
        var records = log.Records.ToList();
        Assert.Equal((3, 3, "T453"), (records[1].Level, records[1].Facility, records[1].Caller));
        Assert.True(records[2] is { Continuation: true, Caller: "C2", Level: 4 });
        Assert.StartsWith("[    5.000001] [      T0] older\n                          second", log.ToText(withCaller: true), StringComparison.Ordinal);
    }

    [Fact]
    public void Structured_logs_that_are_damaged_end()
    {
        var buffer = new byte[4096];
        var record = Record(1, "loop", 6, 2);
        for (var at = 0; at + record.Length <= buffer.Length - 64; at += record.Length)
        {
            record.CopyTo(buffer, at);
        }

        // The end index is in the middle of a record: the walk passes it, and goes round.
        Assert.NotNull(Read(Structured(buffer, 0, 3)).Damage);
        Assert.NotNull(Read(Structured(buffer, 5000, 0)).Damage);
        Assert.NotNull(Read(Structured(new byte[4096], 0, 100)).Damage);
    }

    [Fact]
    public void Plain_logs_are_rotated_and_written_as_they_are()
    {
        const string Text = "<4>[   12.500000] wrapped to the end\n<0>Kernel panic - not syncing: x\n";
        var all = Encoding.ASCII.GetBytes(new string('z', 4096 - Text.Length - 1) + "\n" + Text);
        var buffer = new byte[4096];
        const uint End = (3 * 4096) + 1000;
        for (var i = 0; i < 4096; i++)
        {
            buffer[(End + i) % 4096] = all[i];
        }

        var symbols = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(symbols, Buffer);
        BinaryPrimitives.WriteInt32LittleEndian(symbols.AsSpan(8), 4096);
        BinaryPrimitives.WriteUInt32LittleEndian(symbols.AsSpan(12), End);
        var log = Read(Machine().MapBytes(Buffer, buffer).MapBytes(Symbols, symbols)
            .Info($"SYMBOL(log_buf)={MachineBuilder.Hex(Symbols)}").Info($"SYMBOL(log_buf_len)={MachineBuilder.Hex(Symbols + 8)}")
            .Info($"SYMBOL(log_end)={MachineBuilder.Hex(Symbols + 12)}"));

        Assert.Equal(Encoding.ASCII.GetString(all), log.ToText());
        var records = log.Records.ToList();
        Assert.True(records[^2] is { Level: 4, Text: "wrapped to the end", Time.TotalSeconds: 12.5 });
        Assert.True(records[^1] is { Level: 0, Time: null });
    }

    [Fact]
    public void Without_a_log_the_answer_says_so() =>
        Assert.Contains("names no kernel log", Assert.Throws<VmcoreFormatException>(() => Read(Machine())).Message, StringComparison.Ordinal);
}
