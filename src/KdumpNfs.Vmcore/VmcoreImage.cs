using System.Globalization;
using KdumpNfs.Vmcore.Formats;
using KdumpNfs.Vmcore.Log;
using KdumpNfs.Vmcore.Memory;
using KdumpNfs.Vmcore.Sources;
using KdumpNfs.Vmcore.Symbols;

namespace KdumpNfs.Vmcore;

/// <summary>
/// An open dump: its header, VMCOREINFO, memory, kernel log and symbols. Only the pages that are asked for are read. For one thread at a time; the scan
/// of all pages uses many.
/// </summary>
/// <remarks>
/// Everything in a dump is untrusted. Whatever it holds, only <see cref="VmcoreFormatException"/> (and what the source itself throws) comes out of here, sizes
/// that it claims are checked before memory is taken, and walks through its structures end.
/// </remarks>
public sealed class VmcoreImage : IDisposable
{
    private readonly RandomSource _source;
    private readonly PhysicalMemory _memory;
    private readonly AddressSpace? _space;
    private KernelLog? _log;
    private Kallsyms? _symbols;
    private bool _symbolsTried;

    private VmcoreImage(RandomSource source, VmcoreHeader header, DumpPages pages, DumpNotes notes, VmcoreInfo info, AddressSpace? space, PhysicalMemory memory)
    {
        _source = source;
        _memory = memory;
        _space = space;
        Pages = pages;
        Notes = notes;
        Header = header;
        Info = info;
        Damage = (source as FlattenedReader)?.Damage;
    }

    private string? NotesProblem { get; init; }

    /// <summary>What the dump's beginning says.</summary>
    public VmcoreHeader Header { get; }

    /// <summary>VMCOREINFO; empty where the dump has none.</summary>
    public VmcoreInfo Info { get; }

    /// <summary>What is wrong with the file as a whole: a flattened file without its end; null when nothing is.</summary>
    public string? Damage { get; }

    /// <summary>CPUs whose registers the dump has.</summary>
    public int CpuCount => Notes.PrStatus.Count;

    /// <summary>The pages.</summary>
    internal DumpPages Pages { get; }

    /// <summary>The notes.</summary>
    internal DumpNotes Notes { get; }

    /// <summary>Collects the numbers of the pages that are read, to cut small dumps out of large ones.</summary>
    internal ISet<ulong>? PagesRead
    {
        set => _memory.PagesRead = value;
    }

    /// <summary>The kernel's virtual memory.</summary>
    /// <exception cref="VmcoreFormatException">The machine is not one whose page tables are known, or VMCOREINFO lacks what is needed.</exception>
    internal AddressSpace Space => _space ?? throw new VmcoreFormatException(
        Info.Values.Count == 0 ? "The dump has no VMCOREINFO; the kernel's memory cannot be found without it."
        : $"The kernel's memory cannot be read: page tables of {Header.Machine ?? "an unknown machine"} are not known, or VMCOREINFO does not name them.");

    /// <summary>Opens a file of this machine.</summary>
    /// <exception cref="VmcoreFormatException">Not a dump, or its headers are cut or damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">No permission, or a directory.</exception>
    public static VmcoreImage Open(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Open(new FileSource(path), cancellationToken);
    }

    /// <summary>Opens a dump from any source, through a bounded cache. The source is closed with the image if it can be.</summary>
    /// <exception cref="VmcoreFormatException">Not a dump, or its headers are cut or damaged.</exception>
    public static VmcoreImage Open(IByteSource source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Open(source as RandomSource ?? new CachedSource(source, ownsSource: true, cancellationToken), cancellationToken);
    }

    /// <summary>Reads the kernel's log.</summary>
    /// <exception cref="VmcoreFormatException">It cannot be found.</exception>
    public KernelLog ReadLog() => _log ??= KernelLogReader.Read(Info, Space);

    /// <summary>The symbols that the kernel carries; null where VMCOREINFO does not name them (before 6.0) or they cannot be read.</summary>
    internal Kallsyms? Symbols
    {
        get
        {
            if (!_symbolsTried)
            {
                _symbolsTried = true;
                _symbols = _space is null ? null : Kallsyms.TryOpen(Info, _space);
            }

            return _symbols;
        }
    }

    /// <summary>Looks whether the end of the dump is there (<see cref="VmcoreCheck"/>).</summary>
    /// <returns>Why the dump is cut, one sentence; null when nothing shows that it is.</returns>
    public string? CheckEnd()
    {
        var check = VmcoreCheck.ReadAsync(_source).AsTask().GetAwaiter().GetResult();
        return check.Integrity is VmcoreIntegrity.Cut or VmcoreIntegrity.NotADump ? check.Reason : null;
    }

    /// <summary>
    /// Looks whether the dump can be read: its notes and VMCOREINFO are where the headers say, bitmap, page descriptors or segments lie inside the file and agree,
    /// and four pages, spread over the file, can be unpacked. A few KB are read; only <see cref="VmcoreScan"/> reads everything.
    /// </summary>
    /// <remarks>
    /// A local bitmap of up to 32 MiB (hosts with up to 1 TiB of 4 KiB pages) is counted and compared with the descriptors; through a connection one of up to 128 KiB.
    /// Whether the end of the file is there is <see cref="CheckEnd"/>'s question.
    /// </remarks>
    /// <returns>What is wrong, one sentence; null when nothing is.</returns>
    public string? CheckStructure()
    {
        if ((Damage ?? NotesProblem) is { } problem)
        {
            return problem;
        }

        try
        {
            return Pages.CheckStructure();
        }
        catch (VmcoreFormatException e)
        {
            return e.Message;
        }
    }

    /// <summary>The name of a code address as the kernel writes it, "do_idle+0xa7/0x2c0"; null when no symbol is known.</summary>
    public string? SymbolAt(ulong address) => Symbols?.Find(address)?.ToString();

    /// <summary>Reads kernel memory; false when not all of it is in the dump (the rest of the buffer is zero then).</summary>
    public bool TryReadVirtual(ulong address, Span<byte> buffer) => Space.TryRead(address, buffer);

    /// <summary>Reads physical memory; false when not all of it is in the dump (the rest of the buffer is zero then).</summary>
    public bool TryReadPhysical(ulong address, Span<byte> buffer) => _memory.Read(address, buffer) == 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Dispose();
        _source.Dispose();
    }

    internal static VmcoreImage Open(RandomSource file, CancellationToken cancellationToken)
    {
        var source = file;
        try
        {
            var start = new byte[VmcoreSignature.Length];
            var format = VmcoreSignature.Identify(start.AsSpan(0, file.Read(0, start)));
            if (format.IsEnvelope())
            {
                throw new VmcoreFormatException($"The dump is inside {format}; unpack it first.");
            }

            if (format == VmcoreFormat.Flattened)
            {
                source = FlattenedReader.Open(file, cancellationToken);
            }

            return OpenInner(source, format, cancellationToken);
        }
        catch (Exception)
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Opens a flattened dump whose records somebody else found.</summary>
    internal static VmcoreImage Open(FlattenedReader source, CancellationToken cancellationToken) => OpenInner(source, VmcoreFormat.Flattened, cancellationToken);

    private static VmcoreImage OpenInner(RandomSource source, VmcoreFormat outer, CancellationToken cancellationToken)
    {
        // A source that reads without waiting completes at once.
        var header = VmcoreHeader.ReadAsync(source, cancellationToken).AsTask().GetAwaiter().GetResult() with { Format = outer };
        DumpPages pages;
        DumpNotes notes;
        VmcoreInfo info;
        long physicalBase;
        string? problem = null;
        if (header.DiskDump is { } layout)
        {
            var headers = KdumpHeaders.Read(source, layout, header.Machine);
            notes = DumpNotes.Read(source, headers.Order, [headers.Notes]);
            info = VmcoreInfo.Parse(Text(source, headers.VmcoreInfo) ?? notes.VmcoreInfo);
            pages = new KdumpCompressedPages(source, headers);
            problem = headers.VmcoreInfo.Size != 0 && info.Values.Count == 0 ? Nowhere("VMCOREINFO", headers.VmcoreInfo)
                : headers.Notes.Size != 0 && notes is { PrStatus.Count: 0, VmcoreInfo: null } ? Nowhere("The notes", headers.Notes)
                : info.Values.ContainsKey("PAGESIZE") && info.PageSize != headers.BlockSize
                    ? $"The header says that pages have {headers.BlockSize} bytes, and VMCOREINFO says {info.PageSize?.ToString(CultureInfo.InvariantCulture) ?? "something else"}."
                : null;
            physicalBase = headers.PhysicalBase;
        }
        else if (header.Elf is not null)
        {
            var elf = ElfHeaders.Read(source);
            notes = DumpNotes.Read(source, elf.Order, elf.Notes);
            info = VmcoreInfo.Parse(notes.VmcoreInfo);
            pages = new ElfPages(source, elf.Segments, info.PageSize ?? 4096);
            problem = elf.Notes.Count > 0 && notes is { PrStatus.Count: 0, VmcoreInfo: null } ? Nowhere("The notes", elf.Notes[0])
                : info.Values.ContainsKey("PAGESIZE") && info.PageSize is null ? "VMCOREINFO is damaged: its page size is none."
                : null;
            physicalBase = elf.Segments.Where(s => s.Virtual >= 0xffffffff80000000).Select(s => (long)(s.Physical - (s.Virtual - 0xffffffff80000000))).FirstOrDefault();
        }
        else
        {
            throw new VmcoreFormatException("The flattened file holds no dump that can be read.");
        }

        var memory = new PhysicalMemory(pages);
        AddressSpace? space = header.Machine switch
        {
            "x86_64" => X86AddressSpace.Create(memory, info, physicalBase),
            "aarch64" => Arm64AddressSpace.Create(memory, info),
            _ => null,
        };
        return new VmcoreImage(source, header, pages, notes, info, space, memory) { NotesProblem = problem };
    }

    private static string Nowhere(string what, (long Offset, long Size) place) =>
        $"{what} should be {place.Size} bytes at {place.Offset}, and nothing that can be read is there; the dump is cut or damaged.";

    private static byte[]? Text(RandomSource source, (long Offset, long Size) place)
    {
        const int Maximum = 256 << 10;
        if (place.Offset <= 0 || place.Size is <= 0 or > Maximum || place.Offset > source.Length - place.Size)
        {
            return null;
        }

        var bytes = new byte[place.Size];
        return source.Read(place.Offset, bytes) == bytes.Length ? bytes : null;
    }
}
