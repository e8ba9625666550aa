using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace KdumpNfs.Vmcore;

/// <summary>Where things are in a kdump-compressed dump.</summary>
/// <param name="BlockSize">Bytes in a block (the crashed machine's page size).</param>
/// <param name="FirstDescriptor">Offset of the first page descriptor, just behind the bitmaps.</param>
/// <param name="BigEndian">Byte order of the crashed machine.</param>
internal sealed record DiskDumpLayout(int BlockSize, long FirstDescriptor, bool BigEndian)
{
    /// <summary>Whether its words have 64 bits.</summary>
    public bool Wide { get; init; }

    /// <summary>Version of the header.</summary>
    public int Version { get; init; }

    /// <summary>Blocks of the sub header.</summary>
    public long SubBlocks { get; init; }

    /// <summary>Blocks of both bitmaps.</summary>
    public long BitmapBlocks { get; init; }

    /// <summary>Number of pages, 32 bits; version 6 has the full number in its sub header.</summary>
    public uint MaximumPage { get; init; }

    /// <summary>CPUs of the machine.</summary>
    public int Cpus { get; init; }
}

/// <summary>The header of makedumpfile's kdump-compressed format.</summary>
/// <remarks>
/// Sources: makedumpfile's diskdump_mod.h (disk_dump_header, kdump_sub_header, the DUMP_DH_* flags) and write_kdump_header(); for
/// the 32-bit paddings libkdumpfile's diskdump.c. The structures are the crashed machine's own C structures, so word size and
/// byte order are its too and have to be found out: the header version is small in the right byte order only, and the block size is a
/// power of two at the right word size.
/// </remarks>
internal static class DiskDumpHeader
{
    private const int UtsField = 65;
    private const int UtsOffset = 12;
    private const int Size32 = 452;
    private const int Size64 = 464;
    private const int MaximumVersion = 64;
    private const int MaximumVmcoreInfo = 256 << 10;

    private const uint Zlib = 0x1, Lzo = 0x2, Snappy = 0x4, Incomplete = 0x8, Zstd = 0x20;

    public static async ValueTask<VmcoreHeader> ReadAsync(IByteSource source, CancellationToken cancellationToken)
    {
        var bytes = await source.ReadUpToAsync(0, Size64, cancellationToken).ConfigureAwait(false);
        if (bytes.Length < Size32)
        {
            throw new VmcoreFormatException($"The file is cut inside the dump header: {bytes.Length} of {Size64} bytes are there.");
        }

        var bigEndian = IsBigEndian(bytes);
        var machine = UtsText(bytes, 4);
        var fields = Fields(bytes, bigEndian, machine);
        var (status, blockSize, subBlocks, bitmapBlocks, seconds, wide) = fields;
        var layout = new DiskDumpLayout(blockSize, (1 + subBlocks + bitmapBlocks) * blockSize, bigEndian)
        {
            Wide = wide,
            Version = Int32(bytes, 8, bigEndian),
            SubBlocks = subBlocks,
            BitmapBlocks = bitmapBlocks,
            MaximumPage = (uint)Int32(bytes, (wide ? 424 : 412) + 16, bigEndian),
            Cpus = Int32(bytes, (wide ? 424 : 412) + 36, bigEndian),
        };

        var header = new VmcoreHeader
        {
            Format = VmcoreFormat.KdumpCompressed,
            InnerFormat = VmcoreFormat.KdumpCompressed,
            NodeName = UtsText(bytes, 1),
            Release = UtsText(bytes, 2),
            KernelVersion = UtsText(bytes, 3),
            Machine = machine,
            Compression = (status & Zlib) != 0 ? PageCompression.Zlib
                : (status & Lzo) != 0 ? PageCompression.Lzo
                : (status & Snappy) != 0 ? PageCompression.Snappy
                : (status & Zstd) != 0 ? PageCompression.Zstd : PageCompression.None,
            MarkedIncomplete = (status & Incomplete) != 0,
            CrashTime = CrashClock.FromSeconds(seconds),
            DiskDump = layout,
        };
        return await WithSubHeaderAsync(source, header, layout, Int32(bytes, 8, bigEndian), wide, cancellationToken).ConfigureAwait(false);
    }

    private static bool IsBigEndian(byte[] bytes)
    {
        if (Int32(bytes, 8, bigEndian: false) is >= 0 and <= MaximumVersion)
        {
            return false;
        }

        return Int32(bytes, 8, bigEndian: true) is >= 0 and <= MaximumVersion ? true
            : throw new VmcoreFormatException($"The dump header has version {Int32(bytes, 8, false)}, which no makedumpfile writes.");
    }

    private static (uint Status, int BlockSize, long SubBlocks, long BitmapBlocks, long Seconds, bool Wide) Fields(byte[] bytes, bool bigEndian, string? machine)
    {
        // struct timeval starts at the next multiple of its word size behind signature, version and six names of 65 bytes (402).
        var wide = bytes.Length >= Size64 && Plausible(bytes, 428, bigEndian);
        var narrow = Plausible(bytes, 416, bigEndian);
        if (wide && narrow)
        {
            wide = machine is null || machine.Contains("64", StringComparison.Ordinal) || machine == "s390x";
        }
        else if (!wide && !narrow)
        {
            throw new VmcoreFormatException("The dump header's block size and block counts make no sense; the file is damaged.");
        }

        var at = wide ? 424 : 412;
        var seconds = wide ? (bigEndian ? BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(408)) : BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(408)))
            : Int32(bytes, 404, bigEndian);
        return ((uint)Int32(bytes, at, bigEndian), Int32(bytes, at + 4, bigEndian), Int32(bytes, at + 8, bigEndian),
            (uint)Int32(bytes, at + 12, bigEndian), seconds, wide);
    }

    // A block is a page of any Linux port (4 to 256 KiB); the sub header takes at least a block; 2^32 bitmap blocks of 256 KiB still fit into a long.
    private static bool Plausible(byte[] bytes, int at, bool bigEndian) =>
        Int32(bytes, at, bigEndian) is >= 4096 and <= (256 << 10) and var block && BitOperations.IsPow2(block) &&
        Int32(bytes, at + 4, bigEndian) is >= 1 and <= (1 << 20) && Int32(bytes, at + 8, bigEndian) != 0;

    // The sub header adds the dump level and VMCOREINFO. It may lie outside an excerpt: then what the header said has to do.
    private static async ValueTask<VmcoreHeader> WithSubHeaderAsync(
        IByteSource source, VmcoreHeader header, DiskDumpLayout layout, int version, bool wide, CancellationToken cancellationToken)
    {
        if (version < 1 || await source.TryReadAsync(layout.BlockSize, 48, cancellationToken).ConfigureAwait(false) is not { } sub)
        {
            return header;
        }

        header = header with { DumpLevel = Int32(sub, wide ? 8 : 4, layout.BigEndian) };
        if (version < 3 || !wide)
        {
            // On 32-bit machines the position depends on the ABI's alignment of 64-bit members; the header's own release and time suffice.
            return header;
        }

        var offset = Int64(sub, 32, layout.BigEndian);
        var size = Int64(sub, 40, layout.BigEndian);
        if (offset < layout.BlockSize || size is <= 0 or > MaximumVmcoreInfo ||
            await source.TryReadAsync(offset, (int)size, cancellationToken).ConfigureAwait(false) is not { } text)
        {
            return header;
        }

        var info = VmcoreInfo.Parse(text);
        return header with { Release = info.Release ?? header.Release, CrashTime = info.CrashTime ?? header.CrashTime };
    }

    private static string? UtsText(byte[] bytes, int field) => HeaderText.Read(bytes.AsSpan(UtsOffset + (field * UtsField), UtsField));

    private static int Int32(byte[] bytes, int at, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at)) : BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private static long Int64(byte[] bytes, int at, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(at)) : BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
}

/// <summary>Texts and times of a header, which a hostile host may have filled with anything.</summary>
internal static class HeaderText
{
    /// <summary>A C string: up to its NUL; null when it is empty or has characters that no such name has (it is shown on terminals).</summary>
    public static string? Read(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        field = end < 0 ? field : field[..end];
        return field.IsEmpty || field.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e) >= 0 ? null : Encoding.ASCII.GetString(field);
    }
}

/// <summary>Seconds since 1970 as dumps carry them.</summary>
internal static class CrashClock
{
    /// <summary>The time; null for 0 (not set) and for what no calendar has.</summary>
    public static DateTimeOffset? FromSeconds(long seconds) =>
        seconds is > 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
}
