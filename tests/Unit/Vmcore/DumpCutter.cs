using System.Buffers.Binary;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Formats;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Cuts a kdump-compressed dump down to the pages that a report reads. Headers and packed pages stay as they are.</summary>
internal static class DumpCutter
{
    public static byte[] Cut(string path)
    {
        var wanted = new SortedSet<ulong>();
        using (var image = VmcoreImage.Open(path))
        {
            image.PagesRead = wanted;
            ReportBuilder.FromDump(image, path);
        }

        using var file = new FileSource(path);
        var header = VmcoreHeader.ReadAsync(file).AsTask().GetAwaiter().GetResult();
        var headers = KdumpHeaders.Read(file, header.DiskDump!, header.Machine);
        var bitmap = new PfnBitmap(file, headers.BitmapOffset + (headers.BitmapBytes / 2), 0, headers.MaximumPage);
        var result = new MemoryStream();
        result.Write(file.ReadExactly(0, (int)headers.BitmapOffset, "headers"));

        // Memory that exists is as it was; of the pages only those that were read are there.
        result.Write(file.ReadExactly(headers.BitmapOffset, (int)(headers.BitmapBytes / 2), "bitmap"));
        var bits = new byte[headers.BitmapBytes / 2];
        var pages = wanted.Where(p => bitmap.Rank(p) >= 0).ToList();
        foreach (var page in pages)
        {
            bits[page / 8] |= (byte)(1 << (int)(page % 8));
        }

        result.Write(bits);
        var at = headers.Descriptors + (pages.Count * 24);
        var data = new MemoryStream();
        foreach (var page in pages)
        {
            var descriptor = file.ReadExactly(headers.Descriptors + (bitmap.Rank(page) * 24), 24, "descriptor");
            var size = BinaryPrimitives.ReadInt32LittleEndian(descriptor.AsSpan(8));
            data.Write(file.ReadExactly(BinaryPrimitives.ReadInt64LittleEndian(descriptor), size, "page"));
            BinaryPrimitives.WriteInt64LittleEndian(descriptor, at);
            at += size;
            result.Write(descriptor);
        }

        data.WriteTo(result);
        return result.ToArray();
    }
}
