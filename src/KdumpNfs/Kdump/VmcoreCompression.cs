namespace KdumpNfs.Kdump;

/// <summary>How makedumpfile compresses the pages of a dump (makedumpfile(8), "-c,-l,-p,-z").</summary>
public enum VmcoreCompression
{
    /// <summary>Not at all: no flag, or an ELF dump.</summary>
    None,

    /// <summary>zlib, <c>-c</c>.</summary>
    Zlib,

    /// <summary>lzo, <c>-l</c>.</summary>
    Lzo,

    /// <summary>snappy, <c>-p</c>.</summary>
    Snappy,

    /// <summary>zstd, <c>-z</c>.</summary>
    Zstd,
}

/// <summary>Compressions and makedumpfile's flags.</summary>
public static class VmcoreCompressions
{
    private const string Flags = "\0clpz";

    /// <summary>The letter of makedumpfile's option; null for no compression.</summary>
    public static char? Flag(VmcoreCompression compression) =>
        compression == VmcoreCompression.None ? null : Flags[(int)compression];

    /// <summary>The compression that a letter asks for; null for any other letter.</summary>
    public static VmcoreCompression? FromFlag(char flag)
    {
        var i = Flags.IndexOf(flag, StringComparison.Ordinal);
        return i > 0 ? (VmcoreCompression)i : null;
    }
}
