using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Bench;

/// <summary>
/// Makes a dump of a host with much memory and a full log of 16 MiB out of a small x86_64 one (kdump-compressed, header version 6, printk ring buffer): the
/// rings lie in pages behind all others, mapped by free entries of the kernel image's page table. The file is sparse.
/// </summary>
internal sealed class LargeLogDump
{
    private const ulong KernelMap = 0xffffffff80000000;
    private const ulong Large = 2UL << 20;
    private const int TextBits = 24, CountBits = 19;
    private const int Page = 4096;

    private readonly VmcoreImage _image;
    private readonly Dictionary<ulong, byte[]> _changed = [];

    private LargeLogDump(VmcoreImage image) => _image = image;

    /// <summary>Writes it and gives the number of messages.</summary>
    /// <param name="small">The dump to begin with.</param>
    /// <param name="target">The new file.</param>
    /// <param name="pages">Pages of the host, more than twice those of the small one.</param>
    public static int Write(string small, string target, ulong pages)
    {
        using var image = VmcoreImage.Open(small);
        return new LargeLogDump(image).Write(small, target, pages, pages / 2);
    }

    private int Write(string small, string target, ulong pages, ulong firstPage)
    {
        var (rings, descs, infos, messages) = Rings();
        var at = Map(firstPage, rings.Length);
        Point(at, at + (ulong)descs, at + (ulong)infos, messages);
        LargeDump.Write(small, target, pages, _changed, firstPage, rings);
        return messages;
    }

    // Text, descriptors and infos one after the other, each at a page's beginning; the text is full.
    private (byte[] Bytes, int Descs, int Infos, int Messages) Rings()
    {
        var info = _image.Info;
        int Offset(string member) => (int)(info.Offset(member) ?? throw new InvalidOperationException($"VMCOREINFO has no OFFSET({member})"));
        int descSize = (int)info.Size("prb_desc")!, infoSize = (int)info.Size("printk_info")!;
        int descs = 1 << TextBits, infos = descs + (descSize << CountBits);
        var length = infos + (infoSize << CountBits);
        var bytes = new byte[(length + (8 * Page) - 1) / (8 * Page) * (8 * Page)];
        var (at, id) = (0, 0);
        while (true)
        {
            var text = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"made-up driver {id % 17}: message {id}, which is about as long as those of a kernel are"));
            var size = (8 + text.Length + 7) & ~7;
            if (at + size > 1 << TextBits)
            {
                return (bytes, descs, infos, id);
            }

            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), id);
            text.CopyTo(bytes, at + 8);
            var desc = bytes.AsSpan(descs + (descSize * id), descSize);
            BinaryPrimitives.WriteUInt64LittleEndian(desc[Offset("prb_desc.state_var")..], (2UL << 62) | (uint)id);
            var block = desc[Offset("prb_desc.text_blk_lpos")..];
            BinaryPrimitives.WriteInt64LittleEndian(block[Offset("prb_data_blk_lpos.begin")..], at);
            BinaryPrimitives.WriteInt64LittleEndian(block[Offset("prb_data_blk_lpos.next")..], at + size);
            var about = bytes.AsSpan(infos + (infoSize * id), infoSize);
            BinaryPrimitives.WriteInt64LittleEndian(about[Offset("printk_info.seq")..], id);
            BinaryPrimitives.WriteInt64LittleEndian(about[Offset("printk_info.ts_nsec")..], id * 1_000_003L);
            BinaryPrimitives.WriteUInt16LittleEndian(about[Offset("printk_info.text_len")..], (ushort)text.Length);
            at += size;
            id++;
        }
    }

    // Entries of 2 MiB in the second-level table of the kernel image, which has room behind the image.
    private ulong Map(ulong firstPage, int bytes)
    {
        var top = _image.Info.Symbol("init_top_pgt") ?? _image.Info.Symbol("init_level4_pgt") ?? throw new InvalidOperationException("VMCOREINFO names no page table.");
        var upper = Entry(_image.Space.Translate(top) ?? throw new InvalidOperationException("The page table is not mapped."), 511);
        var table = Entry(upper, 510);
        var count = (int)(((ulong)bytes + Large - 1) / Large);
        var content = Changed(table >> 12);
        var first = Enumerable.Range(0, 512 - count).Last(i => content.AsSpan(8 * i, 8 * count).IndexOfAnyExcept((byte)0) < 0);
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(content.AsSpan(8 * (first + i)), ((firstPage << 12) + ((ulong)i * Large)) | 0x80000000000001e3);
        }

        return KernelMap + ((ulong)first * Large);
    }

    private ulong Entry(ulong table, int index)
    {
        var entry = new byte[8];
        return _image.TryReadPhysical(table + (8UL * (ulong)index), entry) ? BinaryPrimitives.ReadUInt64LittleEndian(entry) & 0x000ffffffffff000
            : throw new InvalidOperationException("The small dump lacks the kernel's page table.");
    }

    private void Point(ulong text, ulong descs, ulong infos, int messages)
    {
        var info = _image.Info;
        ulong Offset(string member) => (ulong)(info.Offset(member) ?? throw new InvalidOperationException($"VMCOREINFO has no OFFSET({member})"));
        var ring = _image.Space.Word(info.Symbol("prb")!.Value, "prb");
        var descRing = ring + Offset("printk_ringbuffer.desc_ring");
        var textRing = ring + Offset("printk_ringbuffer.text_data_ring");
        var counter = Offset("atomic_long_t.counter");
        Put(descRing + Offset("prb_desc_ring.count_bits"), CountBits, 4);
        Put(descRing + Offset("prb_desc_ring.descs"), descs, 8);
        Put(descRing + Offset("prb_desc_ring.infos"), infos, 8);
        Put(descRing + Offset("prb_desc_ring.head_id") + counter, (ulong)messages - 1, 8);
        Put(descRing + Offset("prb_desc_ring.tail_id") + counter, 0, 8);
        Put(textRing + Offset("prb_data_ring.size_bits"), TextBits, 4);
        Put(textRing + Offset("prb_data_ring.data"), text, 8);
    }

    private void Put(ulong address, ulong value, int size)
    {
        var physical = _image.Space.Translate(address) ?? throw new InvalidOperationException($"Nothing is mapped at {address:x}.");
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes.AsSpan(0, size).CopyTo(Changed(physical >> 12).AsSpan((int)(physical & 0xfff)));
    }

    private byte[] Changed(ulong page)
    {
        if (!_changed.TryGetValue(page, out var content))
        {
            _changed.Add(page, content = new byte[Page]);
            if (!_image.TryReadPhysical(page << 12, content))
            {
                throw new InvalidOperationException($"The small dump lacks page {page:x}.");
            }
        }

        return content;
    }
}
