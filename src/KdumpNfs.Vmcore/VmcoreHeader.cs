using System.IO.Compression;

namespace KdumpNfs.Vmcore;

/// <summary>What the beginning of a dump says about itself. Everything in it comes from the crashed host and is checked for form only.</summary>
public sealed record VmcoreHeader
{
    /// <summary>The outermost format.</summary>
    public required VmcoreFormat Format { get; init; }

    /// <summary>The format of the dump itself: inside the flattened stream or the compression; equal to <see cref="Format"/> without either.</summary>
    public VmcoreFormat InnerFormat { get; init; }

    /// <summary>Release of the crashed kernel (<c>uname -r</c>); null where the beginning does not tell.</summary>
    public string? Release { get; init; }

    /// <summary>Build of the crashed kernel (<c>uname -v</c>); null where the beginning does not tell.</summary>
    public string? KernelVersion { get; init; }

    /// <summary>Host name of the crashed host; null where the beginning does not tell.</summary>
    public string? NodeName { get; init; }

    /// <summary>Machine as uname or ELF name it, "x86_64"; null where the beginning does not tell.</summary>
    public string? Machine { get; init; }

    /// <summary>Time of the crash by the crashed host's clock: VMCOREINFO's CRASHTIME, which makedumpfile also writes into its own header. To the second.</summary>
    public DateTimeOffset? CrashTime { get; init; }

    /// <summary>Compression of the pages.</summary>
    public PageCompression Compression { get; init; }

    /// <summary>makedumpfile's dump level (-d); null where the beginning does not tell.</summary>
    public int? DumpLevel { get; init; }

    /// <summary>makedumpfile marked the dump as incomplete (DUMP_DH_COMPRESSED_INCOMPLETE, DUMP_ELF_INCOMPLETE): the target was full.</summary>
    public bool MarkedIncomplete { get; init; }

    internal string? Damage { get; init; }

    internal DiskDumpLayout? DiskDump { get; init; }

    internal ElfLayout? Elf { get; init; }

    /// <summary>Reads the beginning of a dump: some small reads, at most a few MB, whatever the file claims.</summary>
    /// <exception cref="VmcoreFormatException">Not a dump, or cut inside its header.</exception>
    public static ValueTask<VmcoreHeader> ReadAsync(IByteSource source, CancellationToken cancellationToken = default) =>
        ReadAsync(source, depth: 0, cancellationToken);

    private static async ValueTask<VmcoreHeader> ReadAsync(IByteSource source, int depth, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var start = await source.ReadUpToAsync(0, VmcoreSignature.Length, cancellationToken).ConfigureAwait(false);
        var format = VmcoreSignature.Identify(start);
        switch (format)
        {
            case VmcoreFormat.KdumpCompressed:
                return await DiskDumpHeader.ReadAsync(source, cancellationToken).ConfigureAwait(false);
            case VmcoreFormat.Elf:
                return await ElfCore.ReadAsync(source, cancellationToken).ConfigureAwait(false);
            case VmcoreFormat.Flattened when depth < MaximumDepth:
                var flattened = await FlattenedSource.OpenAsync(source, cancellationToken).ConfigureAwait(false);
                return (await ReadAsync(flattened, MaximumDepth, cancellationToken).ConfigureAwait(false)) with { Format = format, Damage = flattened.Damage };
            case VmcoreFormat.Gzip when depth == 0:
                return await InsideGzipAsync(source, cancellationToken).ConfigureAwait(false);
            case VmcoreFormat.Xz or VmcoreFormat.Lz4 or VmcoreFormat.Bzip2:
                return new VmcoreHeader { Format = format, InnerFormat = VmcoreFormat.Unknown };
            default:
                throw new VmcoreFormatException(start.Length == 0 ? "The file is empty." :
                    $"The file does not start like any dump: {Convert.ToHexString(start)}.");
        }
    }

    /// <summary>A flattened dump in gzip is two envelopes; nothing writes more, and a file may not make us go on for ever.</summary>
    private const int MaximumDepth = 2;

    private const int GzipInput = 1 << 20;
    private const int GzipOutput = 64 << 10;

    // .NET has inflate, so the inside of a gzip file can be read here from the same first bytes; the other compressions need their own tool.
    private static async ValueTask<VmcoreHeader> InsideGzipAsync(IByteSource source, CancellationToken cancellationToken)
    {
        var envelope = new VmcoreHeader { Format = VmcoreFormat.Gzip, InnerFormat = VmcoreFormat.Unknown };
        var packed = await source.ReadUpToAsync(0, GzipInput, cancellationToken).ConfigureAwait(false);
        var plain = new byte[GzipOutput];
        var known = 0;
        try
        {
            using var inflate = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            for (int read; known < plain.Length && (read = inflate.Read(plain, known, plain.Length - known)) > 0; known += read)
            {
            }
        }
        catch (InvalidDataException)
        {
            // The excerpt ends inside the stream, or the stream is damaged: what came out so far is all there is to see.
        }

        try
        {
            // The true length is not known without unpacking everything; nothing that is read from the beginning depends on it.
            var inside = new ExcerptByteSource(long.MaxValue).Add(0, plain.AsMemory(0, known));
            return (await ReadAsync(inside, 1, cancellationToken).ConfigureAwait(false)) with { Format = VmcoreFormat.Gzip };
        }
        catch (VmcoreFormatException)
        {
            return envelope;
        }
    }
}
