namespace KdumpNfs.Kdump;

/// <summary>How large a dump of a host would be if it crashed as it is now.</summary>
/// <param name="Level">What the dump leaves out.</param>
/// <param name="Compression">How its pages are compressed.</param>
/// <param name="PageBytes">Bytes of the pages that are kept, before compression.</param>
/// <param name="LowBytes">The low end of the file's size.</param>
/// <param name="HighBytes">The high end of the file's size; plan space for this much.</param>
/// <param name="TotalBytes">The host's memory, in bytes.</param>
/// <param name="Basis">Where the range comes from.</param>
public sealed record VmcoreEstimate(DumpLevel Level, VmcoreCompression Compression, long PageBytes, long LowBytes, long HighBytes, long TotalBytes, string Basis)
{
    // In a dump: two bits a page of the system, 24 bytes of description a page kept (makedumpfile IMPLEMENTATION, "kdump-compressed format"),
    // and a few header blocks.
    private const int HeaderBytes = 16 * 4096;
    private const int DescriptionBytes = 24;

    /// <summary>The estimate of a dump at a level.</summary>
    /// <param name="usage">The host's memory by kind.</param>
    /// <param name="level">What the dump leaves out; 4 leaves out what 2 does.</param>
    /// <param name="compression">How pages are compressed.</param>
    public static VmcoreEstimate Of(MemUsage usage, DumpLevel level, VmcoreCompression compression)
    {
        ArgumentNullException.ThrowIfNull(usage);
        var excluded = DumpLevels.Excluded(level);
        long Kept(DumpLevel kind) => excluded.HasFlag(kind) ? 0 : usage.Pages(kind);
        var data = Kept(DumpLevel.NonPrivateCache) + Kept(DumpLevel.PrivateCache) + Kept(DumpLevel.User) + Kept(DumpLevel.Free);
        var zero = Kept(DumpLevel.Zero);
        var pages = usage.Kernel + data + zero;
        var (kernelLow, kernelHigh, dataLow, zeroHigh) = Ratios(compression);
        var overhead = HeaderBytes + (usage.TotalPages / 4);
        var low = overhead + (((usage.Kernel * kernelLow) + (data * dataLow)) * usage.PageSize);
        var high = overhead + (pages * (long)DescriptionBytes) + (((usage.Kernel * kernelHigh) + data + (zero * zeroHigh)) * usage.PageSize);
        return new VmcoreEstimate(level, compression, pages * usage.PageSize, (long)low, (long)high, usage.TotalBytes, BasisOf(compression));
    }

    // Measured against the pages that --mem-usage had counted before the crash; the dumps themselves held 0.72 to 0.84 of those pages, because
    // a kernel's memory changes until the crash and the capture kernel's own is counted too. The high end leaves room for kernels with less
    // compressible data. Anything may be in cache and user pages: from nearly nothing to their full size.
    private static (double KernelLow, double KernelHigh, double DataLow, double ZeroHigh) Ratios(VmcoreCompression compression) => compression switch
    {
        VmcoreCompression.Zlib or VmcoreCompression.Zstd => (0.10, 0.45, 0.01, 0.02),
        VmcoreCompression.Lzo or VmcoreCompression.Snappy => (0.15, 0.55, 0.02, 0.05),
        // Pages alike are written once, zero pages among them (write_kdump_pages).
        _ => (0.60, 1.0, 0.60, 1.0),
    };

    private static string BasisOf(VmcoreCompression compression) => compression switch
    {
        VmcoreCompression.Zlib => "real dumps at level 31, kernel 6.1 x86_64: zlib 0.17 of the kernel pages counted, 0.23 of those dumped; range 0.10 to 0.45, other pages up to their full size",
        VmcoreCompression.Zstd => "a real dump at level 31, kernel 6.1 x86_64: zstd 0.23 of the pages dumped; range 0.10 to 0.45, other pages up to their full size",
        VmcoreCompression.Lzo => "real dumps at level 31, kernel 6.1 x86_64: lzo 0.26 of the kernel pages counted, 0.31 of those dumped; range 0.15 to 0.55, other pages up to their full size",
        VmcoreCompression.Snappy => "no dump of our own; snappy is taken to be like lzo, of which real dumps had 0.26 to 0.31: range 0.15 to 0.55, other pages up to their full size",
        _ => "uncompressed pages: from 0.60 of those counted (real dumps held 0.72 to 0.84) to all of them",
    };
}
