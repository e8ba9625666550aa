using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using KdumpNfs.Vmcore;

namespace KdumpNfs.Tests.Unit.Vmcore;

/// <summary>Pieces of real dumps, as sources and as sparse files of the true length.</summary>
internal static class Samples
{
    public static readonly Sample Flattened = new(18751004, ("debian-flattened.head", 0), ("record 24576 18725800", 24772), ("record 520720 384", 18750588), ("debian-flattened.tail", 18750956));
    public static readonly Sample Lzo = new(28516451, ("rhel-lzo.head", 0), ("rhel-lzo.first", 40960), ("rhel-lzo.last", 586984));
    public static readonly Sample Zstd = new(18309684, ("zstd.head", 0), ("zstd.first", 32768), ("zstd.last", 498944));

    public static string Dmesg(string name) => System.IO.File.ReadAllText(PathOf(name + ".dmesg.txt"));

    /// <summary>A piece of a sample, or "record OFFSET SIZE": the head of a flattened record, to bridge what was left out.</summary>
    public static byte[] Piece(string name)
    {
        if (!name.StartsWith("record ", StringComparison.Ordinal))
        {
            return System.IO.File.ReadAllBytes(PathOf(name));
        }

        var bytes = new byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, long.Parse(name.Split(' ')[1], CultureInfo.InvariantCulture));
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), long.Parse(name.Split(' ')[2], CultureInfo.InvariantCulture));
        return bytes;
    }

    public static string File(string name) => PathOf(name);

    private static string PathOf(string name, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "samples", name);

    public sealed record Sample(long Length, params (string Name, long At)[] Pieces)
    {
        public IByteSource Source(long? length = null)
        {
            var source = new ExcerptByteSource(length ?? Length);
            foreach (var (name, at) in Pieces)
            {
                source.Add(at, Piece(name));
            }

            return source;
        }

        /// <summary>Writes a file of the sample's length that reads as a dump (the small one of the same host, the rest zeros); cut, only the pieces of the sample.</summary>
        public string Write(string path, long? length = null)
        {
            using var file = System.IO.File.Create(path);
            if (length is null)
            {
                WriteWhole(file);
                return path;
            }

            foreach (var (name, at) in Pieces)
            {
                file.Position = at;
                file.Write(Piece(name));
            }

            file.SetLength(length.Value);
            return path;
        }

        private void WriteWhole(FileStream file)
        {
            var dump = System.IO.File.ReadAllBytes(PathOf(this == Zstd ? "zstd.mini" : "lzo.mini"));
            if (this != Flattened)
            {
                file.Write(dump);
                file.SetLength(Length);
                return;
            }

            // The descriptors come last, as makedumpfile leaves them; one long record of zeros makes up the length.
            using var source = new MemoryStream(dump);
            var header = VmcoreHeader.ReadAsync(new StreamByteSource(source)).AsTask().GetAwaiter().GetResult();
            var table = (int)header.DiskDump!.FirstDescriptor;
            var data = (int)BinaryPrimitives.ReadInt64LittleEndian(dump.AsSpan(table));
            file.Write(System.IO.File.ReadAllBytes(PathOf("debian-flattened.head")).AsSpan(0, 4096));
            var zeros = Length - 4096 - dump.Length - (5 * 16);
            Record(file, 0, dump.AsSpan(0, table));
            Record(file, dump.Length, [], zeros);
            Record(file, data, dump.AsSpan(data));
            Record(file, table, dump.AsSpan(table, data - table));
            file.Write(Enumerable.Repeat((byte)0xff, 16).ToArray());
        }

        private static void Record(FileStream file, long offset, ReadOnlySpan<byte> bytes, long zeros = 0)
        {
            var head = new byte[16];
            BinaryPrimitives.WriteInt64BigEndian(head, offset);
            BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(8), bytes.Length + zeros);
            file.Write(head);
            file.Write(bytes);
            file.Position += zeros;
        }
    }
}
