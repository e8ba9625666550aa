using KdumpNfs.Vmcore.Compression;

namespace KdumpNfs.Vmcore.Formats;

/// <summary>What a dump has of a page of memory.</summary>
internal enum PageState
{
    /// <summary>Its bytes.</summary>
    Present,

    /// <summary>makedumpfile left it out (dump level), or the machine has no memory there. Reads as zeros.</summary>
    Excluded,

    /// <summary>It should be there and is not: the file is cut, or makedumpfile ran out of space.</summary>
    Missing,

    /// <summary>It is there and cannot be unpacked.</summary>
    Damaged,
}

/// <summary>What a scan of all pages found.</summary>
internal sealed class ScanCounts
{
    public long Pages, Missing, Damaged, Bytes;
    public string? FirstProblem;

    public void Add(ScanCounts other)
    {
        lock (this)
        {
            Pages += other.Pages;
            Missing += other.Missing;
            Damaged += other.Damaged;
            Bytes += other.Bytes;
            FirstProblem ??= other.FirstProblem;
        }
    }
}

/// <summary>The pages of a dump by their number. Reading is safe for many threads, each with its own decoder.</summary>
internal abstract class DumpPages
{
    /// <summary>Bytes in a page of the dump.</summary>
    public abstract int PageSize { get; }

    /// <summary>Page numbers go from 0 to below this.</summary>
    public abstract ulong PageLimit { get; }

    /// <summary>Reads a page; what is not there is filled with zeros.</summary>
    public abstract PageState Read(ulong page, Span<byte> buffer, PageDecoder decoder);

    /// <summary>Tells which pages will be read next.</summary>
    public virtual void Prefetch(List<ulong> pages)
    {
    }

    /// <summary>Looks whether the parts of the dump fit together and some pages, spread over the file, can be unpacked.</summary>
    /// <returns>What is wrong, one sentence; null when nothing is.</returns>
    public abstract string? CheckStructure();

    /// <summary>Units of work of a full scan.</summary>
    public abstract long ScanUnits { get; }

    /// <summary>Reads everything of one unit.</summary>
    public abstract void Scan(long unit, PageDecoder decoder, ScanCounts counts);
}
