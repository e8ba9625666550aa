using KdumpNfs.Vmcore.Memory;

namespace KdumpNfs.Vmcore.Log;

/// <summary>The log of Linux 3.5 to 5.9: records one behind the other in a ring.</summary>
/// <remarks>
/// Source: the kernel's kernel/printk/printk.c of those versions (struct printk_log, first called log). A record of length 0 means that the
/// next one is at the ring's beginning. VMCOREINFO does not name facility and level: they follow dict_len as a byte and as three bits above the flags;
/// the caller comes behind them where the structure has room for it.
/// </remarks>
internal static class StructuredLog
{
    private const int ContinuationFlag = 8;

    public static KernelLog Read(VmcoreInfo info, AddressSpace space, ulong bufferSymbol, ulong lengthSymbol, ulong firstSymbol, ulong nextSymbol)
    {
        var name = info.Size("printk_log") is null ? "log" : "printk_log";
        int Offset(string member) => KernelLogReader.Required(info.Offset($"{name}.{member}"), $"OFFSET({name}.{member})");
        var order = space.Order;
        var header = KernelLogReader.Required(info.Size(name), $"SIZE({name})");
        var (time, length, textLength) = (Offset("ts_nsec"), Offset("len"), Offset("text_len"));
        var dictLength = info.Offset($"{name}.dict_len") ?? textLength + 2;
        if (header is < 12 or > 256 || time + 8 > header || Math.Max(length, Math.Max(textLength, dictLength)) + 2 > header)
        {
            throw new VmcoreFormatException("VMCOREINFO gives the log's records members outside of them.");
        }

        var bytes = new byte[KernelLogReader.Length(space, lengthSymbol)];
        long first = space.UInt32(firstSymbol, "the beginning of the kernel log");
        long end = space.UInt32(nextSymbol, "the end of the kernel log");
        var missing = space.ReadLenient(space.Word(bufferSymbol, "the address of the kernel log"), bytes);
        var hasFlags = dictLength + 4 <= header;
        var hasCaller = dictLength + 8 <= header;
        var entries = new List<LogEntry>();
        string? damage = null;

        // Between two passes of the ring's end every step goes forward, so more bytes than the ring has are a circle.
        long walked = 0;
        for (var at = first; at != end;)
        {
            if (at > bytes.Length - header || walked > bytes.Length)
            {
                damage = at > bytes.Length - header ? $"A record of the kernel log points outside of it, to {at}." : "The records of the kernel log go in a circle.";
                break;
            }

            var record = bytes.AsSpan((int)at);
            long size = order.UInt16(record[length..]);
            if (size == 0)
            {
                // The mark that the ring goes on at its beginning; where that is a mark too, nothing more can follow.
                walked += bytes.Length - at;
                if (at == 0 || end == 0)
                {
                    damage = at == 0 ? "The kernel log is empty where a record should be." : null;
                    break;
                }

                at = 0;
                continue;
            }

            if (size < header)
            {
                damage = $"A record of the kernel log at {at} has {size} bytes, fewer than its header.";
                break;
            }

            var text = (int)Math.Min(order.UInt16(record[textLength..]), Math.Min(size - header, record.Length - header));
            var flags = hasFlags ? record[dictLength + 3] : (byte)0;
            entries.Add(new LogEntry(
                (ulong)entries.Count, order.UInt64(record[time..]), (int)at + header, text,
                (byte)(order.BigEndian ? flags & 7 : flags >> 5), hasFlags ? record[dictLength + 2] : (byte)0,
                ((order.BigEndian ? flags >> 3 : flags) & ContinuationFlag) != 0,
                hasCaller ? order.UInt32(record[(dictLength + 4)..]) : 0));
            walked += size;
            at += size;
        }

        return new KernelLog(KernelLogKind.Structured, bytes, [.. entries], missing, hasCaller, damage);
    }
}
