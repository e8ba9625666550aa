using System.Buffers.Binary;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Formats;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Bench;

/// <summary>Makes a dump of a host with much memory out of a small one: bitmaps of full length, in a sparse file.</summary>
internal static class LargeDump
{
    /// <summary>Writes it.</summary>
    /// <param name="small">A kdump-compressed dump of header version 6.</param>
    /// <param name="large">The new file.</param>
    /// <param name="pages">Pages of the host.</param>
    public static void Write(string small, string large, ulong pages)
    {
        using var source = new FileSource(small);
        var header = VmcoreHeader.ReadAsync(source).AsTask().GetAwaiter().GetResult();
        var headers = KdumpHeaders.Read(source, header.DiskDump!, header.Machine);
        var bitmap = (long)((pages + (ulong)(headers.BlockSize * 8) - 1) / (ulong)(headers.BlockSize * 8)) * headers.BlockSize;
        var shift = (2 * bitmap) - headers.BitmapBytes;
        using var file = File.Create(large);
        var head = source.ReadExactly(0, (int)headers.BitmapOffset, "headers");
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(436), (int)(2 * bitmap / headers.BlockSize));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(headers.BlockSize + 96), pages);
        file.Write(head);
        var half = (int)(headers.BitmapBytes / 2);
        file.Write(source.ReadExactly(headers.BitmapOffset, half, "bitmap"));
        file.Position = headers.BitmapOffset + bitmap;
        file.Write(source.ReadExactly(headers.BitmapOffset + half, half, "bitmap"));
        file.Position = headers.BitmapOffset + (2 * bitmap);
        var rest = source.ReadExactly(headers.Descriptors, (int)(source.Length - headers.Descriptors), "pages");
        var table = BinaryPrimitives.ReadInt64LittleEndian(rest) - headers.Descriptors;
        for (var at = 0; at < table; at += 24)
        {
            var offset = BinaryPrimitives.ReadInt64LittleEndian(rest.AsSpan(at));
            BinaryPrimitives.WriteInt64LittleEndian(rest.AsSpan(at), offset + shift);
        }

        file.Write(rest);
    }
}
