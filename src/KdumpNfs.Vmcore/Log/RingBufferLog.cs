using KdumpNfs.Vmcore.Memory;

namespace KdumpNfs.Vmcore.Log;

/// <summary>The log of Linux 5.10 and later: descriptors, infos and text in three rings.</summary>
/// <remarks>
/// Sources: the kernel's kernel/printk/printk_ringbuffer.h and .c. A descriptor's state_var holds its id and, in the two upper bits, its
/// state: 1 committed and 2 finalized are messages. Text blocks begin with the id of their descriptor; a block that does not fit before the ring's end
/// lies at its beginning. VMCOREINFO does not name facility and level: they follow text_len as a byte and as three bits above the five flags.
/// </remarks>
internal static class RingBufferLog
{
    private const int ContinuationFlag = 8;

    // The kernel's ratio is one descriptor for each 32 bytes of text.
    private const int MaximumCountBits = 21;

    public static KernelLog Read(VmcoreInfo info, AddressSpace space, ulong symbol)
    {
        int Offset(string member) => KernelLogReader.Required(info.Offset(member), $"OFFSET({member})");
        var order = space.Order;
        var descRing = Offset("printk_ringbuffer.desc_ring");
        var textRing = Offset("printk_ringbuffer.text_data_ring");
        var counter = info.Offset("atomic_long_t.counter") ?? 0;
        var ring = space.Word(symbol, "the address of the log's ring buffer");
        ulong At(int area, string member) => ring + (ulong)(area + Offset(member));

        var countBits = space.UInt32(At(descRing, "prb_desc_ring.count_bits"), "the log's ring buffer");
        var sizeBits = space.UInt32(At(textRing, "prb_data_ring.size_bits"), "the log's ring buffer");
        if (countBits is 0 or > MaximumCountBits || sizeBits is 0 or > 26)
        {
            throw new VmcoreFormatException($"The log's ring buffer claims 2^{countBits} messages and 2^{sizeBits} bytes; the dump is damaged.");
        }

        var descSize = KernelLogReader.Required(info.Size("prb_desc"), "SIZE(prb_desc)");
        var infoSize = KernelLogReader.Required(info.Size("printk_info"), "SIZE(printk_info)");
        if (descSize is < 8 or > 256 || infoSize is < 16 or > 512)
        {
            throw new VmcoreFormatException("VMCOREINFO gives the log's structures sizes that cannot be.");
        }

        var count = 1 << (int)countBits;
        var head = space.Word(At(descRing, "prb_desc_ring.head_id") + (ulong)counter, "the log's ring buffer");
        var tail = space.Word(At(descRing, "prb_desc_ring.tail_id") + (ulong)counter, "the log's ring buffer");
        var idMask = ulong.MaxValue >> (order.Wide ? 2 : 34);

        // Only the part of the rings that is in use is read: from tail to head.
        var used = (int)Math.Min(((head - tail) & idMask) + 1, (ulong)count);
        var missing = 0L;
        var descs = new RingWindow(space, space.Word(At(descRing, "prb_desc_ring.descs"), "the log's descriptors"), descSize, count, tail, used, ref missing);
        var infos = new RingWindow(space, space.Word(At(descRing, "prb_desc_ring.infos"), "the log's infos"), infoSize, count, tail, used, ref missing);
        var text = new byte[1 << (int)sizeBits];
        missing += space.ReadLenient(space.Word(At(textRing, "prb_data_ring.data"), "the log's text"), text);

        var state = Offset("prb_desc.state_var") + counter;
        var block = Offset("prb_desc.text_blk_lpos");
        var (begin, next) = (block + Offset("prb_data_blk_lpos.begin"), block + Offset("prb_data_blk_lpos.next"));
        var (time, length, sequence) = (Offset("printk_info.ts_nsec"), Offset("printk_info.text_len"), Offset("printk_info.seq"));
        var caller = info.Offset("printk_info.caller_id");
        if (Math.Max(state, Math.Max(begin, next)) + order.WordSize > descSize || Math.Max(Math.Max(time, sequence) + 8, Math.Max(length, caller ?? 0) + 4) > infoSize)
        {
            throw new VmcoreFormatException("VMCOREINFO gives the log's structures members outside of them.");
        }

        var entries = new List<LogEntry>(used);
        for (var i = 0; i < used; i++)
        {
            var id = (tail + (ulong)i) & idMask;
            var desc = descs[i];
            var stateVar = order.Word(desc[state..]);
            if ((stateVar & idMask) != id || (stateVar >> (order.Wide ? 62 : 30)) is not (1 or 2))
            {
                continue;
            }

            // Bit 0 of a position, or two equal ones, means that the message has no text.
            var size = (ulong)text.Length;
            var from = order.Word(desc[begin..]) % size;
            var to = order.Word(desc[next..]) % size;
            if (from == to)
            {
                continue;
            }

            from = from > to ? 0 : from;
            from += (ulong)order.WordSize;
            var item = infos[i];
            var bytes = to < from ? 0 : (int)Math.Min((ulong)order.UInt16(item[length..]), to - from);
            var flags = item[length + 3];
            entries.Add(new LogEntry(
                order.UInt64(item[sequence..]), order.UInt64(item[time..]), (int)from, bytes,
                (byte)(order.BigEndian ? flags & 7 : flags >> 5), item[length + 2],
                ((order.BigEndian ? flags >> 3 : flags) & ContinuationFlag) != 0,
                caller is { } at ? order.UInt32(item[at..]) : 0));
        }

        return new KernelLog(KernelLogKind.RingBuffer, text, [.. entries], missing, caller is not null, null);
    }

    /// <summary>The elements of a ring from one id on.</summary>
    private readonly ref struct RingWindow
    {
        private readonly byte[] _bytes;
        private readonly int _size;

        public RingWindow(AddressSpace space, ulong address, int size, int count, ulong first, int used, ref long missing)
        {
            _size = size;
            _bytes = new byte[used * size];
            var start = (int)(first % (ulong)count);
            var straight = Math.Min(used, count - start);
            missing += space.ReadLenient(address + ((ulong)start * (ulong)size), _bytes.AsSpan(0, straight * size));
            missing += space.ReadLenient(address, _bytes.AsSpan(straight * size));
        }

        public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(index * _size, _size);
    }
}
