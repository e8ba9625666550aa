namespace KdumpNfs.Vmcore;

/// <summary>What a dump file is by its first bytes; names and suffixes say nothing here.</summary>
public enum VmcoreFormat
{
    /// <summary>None of the known ones.</summary>
    Unknown,

    /// <summary>makedumpfile's kdump-compressed format ("KDUMP   " or "DISKDUMP").</summary>
    KdumpCompressed,

    /// <summary>makedumpfile's flattened format (-F): a stream of records that <c>makedumpfile -R</c> turns into one of the others.</summary>
    Flattened,

    /// <summary>An ELF core: /proc/vmcore as the kernel gives it, or makedumpfile -E.</summary>
    Elf,

    /// <summary>gzip around a dump.</summary>
    Gzip,

    /// <summary>xz around a dump.</summary>
    Xz,

    /// <summary>An lz4 frame around a dump.</summary>
    Lz4,

    /// <summary>bzip2 around a dump.</summary>
    Bzip2,
}

/// <summary>How the pages in a kdump-compressed dump are compressed. Pages that do not get smaller are stored as they are with any of them.</summary>
public enum PageCompression
{
    /// <summary>Not at all, or not known (ELF).</summary>
    None,

    /// <summary>zlib, makedumpfile -c.</summary>
    Zlib,

    /// <summary>LZO, makedumpfile -l.</summary>
    Lzo,

    /// <summary>snappy, makedumpfile -p.</summary>
    Snappy,

    /// <summary>zstd, makedumpfile -z.</summary>
    Zstd,
}

/// <summary>Recognizes formats by their signatures.</summary>
public static class VmcoreSignature
{
    /// <summary>Bytes that <see cref="Identify"/> wants to see; it works with fewer where a signature is shorter.</summary>
    public const int Length = 16;

    /// <summary>The format of a file that starts with these bytes.</summary>
    /// <remarks>
    /// Sources: makedumpfile's makedumpfile.h (MAKEDUMPFILE_SIGNATURE) and diskdump_mod.h (KDUMP_SIGNATURE, DISK_DUMP_SIGNATURE), elf(5),
    /// RFC 1952, the .xz file format 1.2, the LZ4 frame format 1.6, bzip2's manual.
    /// </remarks>
    public static VmcoreFormat Identify(ReadOnlySpan<byte> start) => start switch
    {
        _ when start.StartsWith("makedumpfile"u8) => VmcoreFormat.Flattened,
        _ when start.StartsWith("KDUMP   "u8) || start.StartsWith("DISKDUMP"u8) => VmcoreFormat.KdumpCompressed,
        _ when start.StartsWith("\u007fELF"u8) => VmcoreFormat.Elf,
        [0x1f, 0x8b, 0x08, ..] => VmcoreFormat.Gzip,
        [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, ..] => VmcoreFormat.Xz,
        [0x04, 0x22, 0x4d, 0x18, ..] => VmcoreFormat.Lz4,
        [0x42, 0x5a, 0x68, >= 0x31 and <= 0x39, ..] => VmcoreFormat.Bzip2,
        _ => VmcoreFormat.Unknown,
    };

    /// <summary>Whether the format is a general compression around a dump.</summary>
    public static bool IsEnvelope(this VmcoreFormat format) =>
        format is VmcoreFormat.Gzip or VmcoreFormat.Xz or VmcoreFormat.Lz4 or VmcoreFormat.Bzip2;
}
