using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>A made-up machine: memory, page tables, VMCOREINFO; written as a dump in any format.</summary>
internal sealed class MachineBuilder
{
    private readonly SortedDictionary<ulong, byte[]> _pages = [];
    private readonly List<string> _info = [];
    private ulong _free = 0x100000;

    public MachineBuilder(string machine = "x86_64", int pageSize = 4096, int levels = 4)
    {
        Machine = machine;
        PageSize = pageSize;
        Levels = levels;
        _info.Add($"PAGESIZE={pageSize}");
        Top = Allocate(pageSize);
    }

    public string Machine { get; }

    public int PageSize { get; }

    public int Levels { get; }

    public ulong Top { get; }

    public IReadOnlyDictionary<ulong, byte[]> Pages => _pages;

    public MachineBuilder Info(string line)
    {
        _info.Add(line);
        return this;
    }

    public ulong Allocate(int bytes)
    {
        var at = _free;
        _free += (ulong)((bytes + PageSize - 1) / PageSize * PageSize);
        Write(at, new byte[Math.Max(bytes, 1)]);
        return at;
    }

    public void Write(ulong physical, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var page = physical / (ulong)PageSize;
            if (!_pages.TryGetValue(page, out var content))
            {
                _pages.Add(page, content = new byte[PageSize]);
            }

            var inside = (int)(physical % (ulong)PageSize);
            var count = Math.Min(bytes.Length, PageSize - inside);
            bytes[..count].CopyTo(content.AsSpan(inside));
            bytes = bytes[count..];
            physical += (ulong)count;
        }
    }

    public void Drop(ulong physical) => _pages.Remove(physical / (ulong)PageSize);

    /// <summary>x86_64: maps one page of 4 KiB (level 0), 2 MiB (1) or 1 GiB (2).</summary>
    public MachineBuilder Map(ulong address, ulong physical, int level = 0)
    {
        var table = Top;
        for (var at = Levels - 1; at > level; at--)
        {
            table = Next(table + (((address >> (12 + (9 * at))) & 511) * 8), 0x67);
        }

        Word(table + (((address >> (12 + (9 * level))) & 511) * 8), physical | 0x8000000000000063 | (level > 0 ? 0x80UL : 0));
        return this;
    }

    /// <summary>aarch64: maps one page, or a block of a level above.</summary>
    public MachineBuilder MapArm(ulong address, ulong physical, int width, int level = 0)
    {
        var shift = int.TrailingZeroCount(PageSize);
        var bits = shift - 3;
        var levels = (width - shift + bits - 1) / bits;
        var table = Top;
        for (var at = levels - 1; at >= level; at--)
        {
            var low = shift + (bits * at);
            var slot = table + (((address >> low) & ((1UL << (at == levels - 1 ? width - low : bits)) - 1)) * 8);
            if (at == level)
            {
                Word(slot, physical | 0x0060000000000701 | (level == 0 ? 2UL : 0));
            }
            else
            {
                table = Next(slot, 3);
            }
        }

        return this;
    }

    public MachineBuilder MapBytes(ulong address, ReadOnlySpan<byte> bytes)
    {
        var physical = Allocate(bytes.Length);
        Write(physical + (address & 0xfff), bytes);
        for (ulong done = 0; done < (address & 0xfff) + (ulong)bytes.Length; done += 4096)
        {
            Map((address & ~0xfffUL) + done, physical + done);
        }

        return this;
    }

    public void Word(ulong physical, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        Write(physical, bytes);
    }

    private ulong Read(ulong physical) =>
        BinaryPrimitives.ReadUInt64LittleEndian(_pages[physical / (ulong)PageSize].AsSpan((int)(physical % (ulong)PageSize)));

    private ulong Next(ulong slot, ulong flags)
    {
        var entry = Read(slot);
        if (entry == 0)
        {
            Word(slot, entry = Allocate(PageSize) | flags);
        }

        return entry & 0x0000fffffffff000 & ~(ulong)(PageSize - 1);
    }

    private byte[] InfoBytes => Encoding.ASCII.GetBytes(string.Join('\n', _info) + "\n");

    private byte[] Notes()
    {
        var notes = new MemoryStream();
        Note(notes, "CORE", 1, new byte[336]);
        Note(notes, "VMCOREINFO", 0, InfoBytes);
        return notes.ToArray();
    }

    private static void Note(MemoryStream to, string name, int type, byte[] description)
    {
        var head = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(head, name.Length + 1);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(4), description.Length);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8), type);
        to.Write(head);
        to.Write(Encoding.ASCII.GetBytes(name.PadRight((name.Length + 4) & ~3, '\0')));
        to.Write(description);
        to.Write(new byte[-description.Length & 3]);
    }

    /// <summary>An ELF core, one segment for each run of pages; with many, each page is one.</summary>
    public byte[] ToElf(bool manySegments = false)
    {
        var runs = new List<(ulong First, int Count)>();
        foreach (var page in _pages.Keys)
        {
            if (!manySegments && runs.Count > 0 && runs[^1].First + (ulong)runs[^1].Count == page)
            {
                runs[^1] = (runs[^1].First, runs[^1].Count + 1);
            }
            else
            {
                runs.Add((page, 1));
            }
        }

        // With one page each, a segment has only the beginning of its page in the file; the rest reads as zeros.
        var kept = manySegments ? 16 : PageSize;
        var notes = Notes();
        var headers = runs.Count + 1;
        var xnum = headers >= 0xffff;
        var table = 64 + (xnum ? 64 : 0);
        var elf = new byte[table + (headers * 56)];
        "\u007fELF"u8.CopyTo(elf);
        (elf[4], elf[5], elf[6]) = (2, 1, 1);
        Put16(elf, 16, 4);
        Put16(elf, 18, Machine == "x86_64" ? 62 : 183);
        Put64(elf, 32, (ulong)table);
        Put16(elf, 54, 56);
        Put16(elf, 56, xnum ? 0xffff : headers);
        if (xnum)
        {
            Put64(elf, 40, 64);
            Put32(elf, 64 + 44, headers);
        }

        var data = (ulong)((elf.Length + notes.Length + 4095) & ~4095);
        Segment(elf.AsSpan(table), 4, (ulong)elf.Length, 0, (ulong)notes.Length);
        var offset = data;
        for (var i = 0; i < runs.Count; i++)
        {
            var size = (ulong)(runs[i].Count * kept);
            Segment(elf.AsSpan(table + ((i + 1) * 56)), 1, offset, runs[i].First * (ulong)PageSize, size, (ulong)(runs[i].Count * PageSize));
            offset += size;
        }

        var file = new byte[offset];
        elf.CopyTo(file, 0);
        notes.CopyTo(file, elf.Length);
        foreach (var content in _pages.Values)
        {
            content.AsSpan(0, kept).CopyTo(file.AsSpan((int)data));
            data += (ulong)kept;
        }

        return file;
    }

    /// <summary>A kdump-compressed dump.</summary>
    /// <param name="version">Header version, 1 to 6.</param>
    /// <param name="flags">Compression of the pages by its flag; 0 for none.</param>
    /// <param name="pack">Packs a page; null for none or zlib.</param>
    public byte[] ToKdump(int version = 6, uint flags = 0, Func<byte[], byte[]>? pack = null)
    {
        var maximum = _pages.Keys.Max() + 1;
        var bitmap = (int)((maximum + (ulong)(PageSize * 8) - 1) / (ulong)(PageSize * 8));
        var (notes, info) = (Notes(), InfoBytes);
        var noteBlocks = (notes.Length + info.Length + 104 + PageSize - 1) / PageSize;
        var file = new MemoryStream();
        var header = new byte[(1 + noteBlocks + (2 * bitmap)) * PageSize];
        "KDUMP   "u8.CopyTo(header);
        Put32(header, 8, version);
        Encoding.ASCII.GetBytes("made-up").CopyTo(header, 12 + 65);
        Encoding.ASCII.GetBytes("6.6.6").CopyTo(header, 12 + 130);
        Encoding.ASCII.GetBytes(Machine).CopyTo(header, 12 + 260);
        foreach (var (value, i) in new[] { (int)flags, PageSize, noteBlocks, 2 * bitmap, (int)Math.Min(maximum, int.MaxValue) }.Select((v, i) => (v, i)))
        {
            Put32(header, 424 + (i * 4), value);
        }

        Put32(header, 424 + 36, 1);
        Put32(header, PageSize + 8, 31);
        var at = PageSize + 104;
        Put64(header, PageSize + 32, version >= 3 ? (ulong)at : 0);
        Put64(header, PageSize + 40, version >= 3 ? (ulong)info.Length : 0);
        info.CopyTo(header, at);
        Put64(header, PageSize + 48, version >= 4 ? (ulong)(at + info.Length) : 0);
        Put64(header, PageSize + 56, version >= 4 ? (ulong)notes.Length : 0);
        notes.CopyTo(header, at + info.Length);
        Put64(header, PageSize + 96, version >= 6 ? maximum : 0);
        foreach (var page in _pages.Keys)
        {
            foreach (var half in new[] { 0, bitmap })
            {
                header[((1 + noteBlocks + half) * PageSize) + (int)(page / 8)] |= (byte)(1 << (int)(page % 8));
            }
        }

        file.Write(header);
        var table = new byte[_pages.Count * 24];
        var data = new MemoryStream();
        var start = header.Length + table.Length;

        // The shared zero page comes first.
        data.Write(new byte[PageSize]);
        var index = 0;
        foreach (var content in _pages.Values)
        {
            var zero = !content.AsSpan().ContainsAnyExcept((byte)0);
            var packed = zero ? content : (pack ?? (flags == 1 ? Deflate : p => p))(content);
            var stored = packed.Length >= PageSize;
            Put64(table, index, (ulong)(zero ? start : start + data.Length));
            Put32(table, index + 8, stored ? PageSize : packed.Length);
            Put32(table, index + 12, stored ? 0 : (int)flags);
            if (!zero)
            {
                data.Write(stored ? content : packed);
            }

            index += 24;
        }

        file.Write(table);
        data.WriteTo(file);
        return file.ToArray();
    }

    /// <summary>Wraps a dump into records of a size, in an order of one's own.</summary>
    public static byte[] Flatten(byte[] dump, int recordSize, Func<IEnumerable<int>, IEnumerable<int>> order)
    {
        var file = new MemoryStream();
        var head = new byte[4096];
        "makedumpfile"u8.CopyTo(head);
        (head[23], head[31]) = (1, 1);
        file.Write(head);
        var record = new byte[16];
        foreach (var i in order(Enumerable.Range(0, (dump.Length + recordSize - 1) / recordSize)))
        {
            var size = Math.Min(recordSize, dump.Length - (i * recordSize));
            BinaryPrimitives.WriteInt64BigEndian(record, (long)i * recordSize);
            BinaryPrimitives.WriteInt64BigEndian(record.AsSpan(8), size);
            file.Write(record);
            file.Write(dump, i * recordSize, size);
        }

        record.AsSpan().Fill(0xff);
        file.Write(record);
        return file.ToArray();
    }

    public static byte[] Deflate(byte[] page)
    {
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest))
        {
            zlib.Write(page);
        }

        return packed.ToArray();
    }

    public static string Hex(ulong value) => value.ToString("x", CultureInfo.InvariantCulture);

    private static void Segment(Span<byte> at, int type, ulong offset, ulong physical, ulong size, ulong? memory = null)
    {
        BinaryPrimitives.WriteInt32LittleEndian(at, type);
        BinaryPrimitives.WriteUInt64LittleEndian(at[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], 0xffff888000000000 + physical);
        BinaryPrimitives.WriteUInt64LittleEndian(at[24..], physical);
        BinaryPrimitives.WriteUInt64LittleEndian(at[32..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(at[40..], memory ?? size);
    }

    private static void Put16(byte[] to, int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(to.AsSpan(at), (ushort)value);

    private static void Put32(byte[] to, int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(to.AsSpan(at), value);

    private static void Put64(byte[] to, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(to.AsSpan(at), value);
}
