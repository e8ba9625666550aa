using System.Buffers.Binary;
using System.IO.Compression;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Compression;
using KdumpNfs.Vmcore.Formats;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Bench;

/// <summary>Makes a dump with another compression out of a kdump-compressed one: the same pages, packed anew as makedumpfile would.</summary>
internal static class Transcoder
{
    /// <summary>Writes it.</summary>
    /// <param name="path">The dump.</param>
    /// <param name="target">The new file.</param>
    /// <param name="flag">The compression by its flag; 0 for none.</param>
    public static void Write(string path, string target, uint flag)
    {
        using var source = new FileSource(path);
        var header = VmcoreHeader.ReadAsync(source).AsTask().GetAwaiter().GetResult();
        var headers = KdumpHeaders.Read(source, header.DiskDump!, header.Machine);
        var table = source.ReadExactly(headers.Descriptors, (int)(TableEnd(source, headers) - headers.Descriptors), "descriptors");
        var head = source.ReadExactly(0, (int)headers.Descriptors, "headers and bitmaps");
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(424), flag);
        using var decoder = new PageDecoder();
        using var file = File.Create(target);
        var page = new byte[headers.BlockSize];
        var at = headers.Descriptors + table.Length;
        file.Position = at;
        var stored = new Dictionary<long, (long, int, uint)>();
        for (var i = 0; i < table.Length; i += 24)
        {
            var offset = BinaryPrimitives.ReadInt64LittleEndian(table.AsSpan(i));
            if (!stored.TryGetValue(offset, out var place))
            {
                var size = BinaryPrimitives.ReadInt32LittleEndian(table.AsSpan(i + 8));
                if (!decoder.Decode(source.ReadExactly(offset, size, "a page"), size, BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(i + 12)), page))
                {
                    throw new InvalidOperationException($"The page at {offset} cannot be unpacked.");
                }

                var packed = flag switch { 1 => Deflate(page), 4 => Snappy(page), _ => page };
                var plain = packed.Length >= page.Length;
                stored[offset] = place = (at, plain ? page.Length : packed.Length, plain ? 0 : flag);
                file.Write(plain ? page : packed);
                at += place.Item2;
            }

            BinaryPrimitives.WriteInt64LittleEndian(table.AsSpan(i), place.Item1);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(i + 8), place.Item2);
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(i + 12), place.Item3);
        }

        file.Position = 0;
        file.Write(head);
        file.Write(table);
    }

    private static long TableEnd(FileSource source, KdumpHeaders headers)
    {
        var bitmap = new PfnBitmap(source, headers.BitmapOffset + (headers.BitmapBytes / 2), headers.FirstPage, headers.EndPage);
        return headers.Descriptors + (bitmap.Total() * 24);
    }

    private static byte[] Deflate(byte[] page)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(page);
        }

        return packed.ToArray();
    }

    // Google's format description: a length, then literals and copies; here copies of 4 to 64 bytes with offsets of two bytes.
    private static byte[] Snappy(ReadOnlySpan<byte> page)
    {
        using var packed = new MemoryStream();
        for (var rest = page.Length; ; rest >>= 7)
        {
            packed.WriteByte((byte)(rest < 128 ? rest : rest | 128));
            if (rest < 128)
            {
                break;
            }
        }

        var last = new int[4096];
        Array.Fill(last, -1);
        var (at, from) = (0, 0);
        while (at + 4 <= page.Length)
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(page[at..]);
            var hash = (int)((word * 0x1e35a7bd) >> 20);
            var before = last[hash];
            last[hash] = at;
            if (before < 0 || BinaryPrimitives.ReadUInt32LittleEndian(page[before..]) != word)
            {
                at++;
                continue;
            }

            Literal(packed, page[from..at]);
            var length = 4;
            while (length < 64 && at + length < page.Length && page[before + length] == page[at + length])
            {
                length++;
            }

            packed.WriteByte((byte)(((length - 1) << 2) | 2));
            packed.WriteByte((byte)(at - before));
            packed.WriteByte((byte)((at - before) >> 8));
            from = at += length;
        }

        Literal(packed, page[from..]);
        return packed.ToArray();
    }

    private static void Literal(MemoryStream to, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, 256);
            if (count <= 60)
            {
                to.WriteByte((byte)((count - 1) << 2));
            }
            else
            {
                to.WriteByte(60 << 2);
                to.WriteByte((byte)(count - 1));
            }

            to.Write(bytes[..count]);
            bytes = bytes[count..];
        }
    }
}
