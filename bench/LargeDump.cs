using System.Buffers.Binary;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Formats;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Bench;

/// <summary>Makes a dump of a host with much memory out of a small one: bitmaps of full length, in a sparse file. Pages may be changed and added on the way.</summary>
internal static class LargeDump
{
    private const int DescriptorBytes = 24;

    /// <summary>Writes it.</summary>
    /// <param name="small">A kdump-compressed dump of header version 6.</param>
    /// <param name="large">The new file.</param>
    /// <param name="pages">Pages of the host.</param>
    /// <param name="changed">New content of pages that the small dump has, by their numbers.</param>
    /// <param name="firstAdded">Number of the first page that is added, behind all of the small dump's; a multiple of eight.</param>
    /// <param name="added">The content of the pages that are added, a multiple of eight pages.</param>
    public static void Write(string small, string large, ulong pages, IReadOnlyDictionary<ulong, byte[]>? changed = null, ulong firstAdded = 0, byte[]? added = null)
    {
        using var source = new FileSource(small);
        var header = VmcoreHeader.ReadAsync(source).AsTask().GetAwaiter().GetResult();
        var headers = KdumpHeaders.Read(source, header.DiskDump!, header.Machine);
        var page = headers.BlockSize;
        added ??= [];
        var half = (int)(headers.BitmapBytes / 2);
        var bits = source.ReadExactly(headers.BitmapOffset, 2 * half, "bitmaps");
        var newHalf = (long)((pages + (ulong)(page * 8) - 1) / (ulong)(page * 8)) * page;
        var rest = source.ReadExactly(headers.Descriptors, (int)(source.Length - headers.Descriptors), "pages");
        var tableBytes = (int)(BinaryPrimitives.ReadInt64LittleEndian(rest) - headers.Descriptors);
        var table = headers.BitmapOffset + (2 * newHalf);
        var data = table + tableBytes + (added.Length / page * DescriptorBytes);
        var shift = data - (headers.Descriptors + tableBytes);

        using var file = File.Create(large);
        var head = source.ReadExactly(0, (int)headers.BitmapOffset, "headers");
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(436), (int)(2 * newHalf / page));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(page + 96), pages);
        file.Write(head);
        var ones = new byte[added.Length / page / 8];
        ones.AsSpan().Fill(0xff);
        for (var i = 0; i < 2; i++)
        {
            file.Position = headers.BitmapOffset + (i * newHalf);
            file.Write(bits, i * half, half);
            file.Position = headers.BitmapOffset + (i * newHalf) + (long)(firstAdded / 8);
            file.Write(ones);
        }

        // Descriptors stand in the order of the second bitmap's bits. What is new lies behind what was there, and is not compressed.
        var end = data + rest.Length - tableBytes;
        void Place(Span<byte> descriptor, ReadOnlySpan<byte> content)
        {
            descriptor.Clear();
            BinaryPrimitives.WriteInt64LittleEndian(descriptor, end);
            BinaryPrimitives.WriteInt32LittleEndian(descriptor[8..], page);
            file.Position = end;
            file.Write(content);
            end += page;
        }

        var number = 0UL;
        for (var i = 0; i < tableBytes; i += DescriptorBytes, number++)
        {
            while ((bits[half + (int)(number >> 3)] & (1 << (int)(number & 7))) == 0)
            {
                number++;
            }

            var descriptor = rest.AsSpan(i, DescriptorBytes);
            if (changed?.TryGetValue(number, out var content) == true)
            {
                Place(descriptor, content);
            }
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(descriptor, BinaryPrimitives.ReadInt64LittleEndian(descriptor) + shift);
            }
        }

        var more = new byte[added.Length / page * DescriptorBytes];
        for (var i = 0; i < added.Length / page; i++)
        {
            Place(more.AsSpan(i * DescriptorBytes, DescriptorBytes), added.AsSpan(i * page, page));
        }

        file.Position = table;
        file.Write(rest, 0, tableBytes);
        file.Write(more);
        file.Write(rest, tableBytes, rest.Length - tableBytes);
    }
}
