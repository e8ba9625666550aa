using KdumpNfs.Vmcore;

namespace KdumpNfs.Collection;

/// <summary>What to list.</summary>
public sealed record StoreQuery
{
    /// <summary>Leaves out directories that last changed before this, by the store's clock; null for all.</summary>
    public DateTimeOffset? ChangedSince { get; init; }

    /// <summary>At most so many directories, the newest.</summary>
    public int Maximum { get; init; } = 1000;

    /// <summary>Looks into the files; without it names, sizes and times only (enough for a listing before a trigger).</summary>
    public bool Content { get; init; } = true;

    /// <summary>Name of one directory whose compressed dump is unpacked, however large, to see whether it is whole; null for none.</summary>
    public string? Unpack { get; init; }

    /// <summary>Name of the only directory to list; null for all.</summary>
    public string? Only { get; init; }

    /// <summary>
    /// How many records of flattened dumps may be walked in all. Each costs a store without perl a process, about 1.5 ms; makedumpfile puts about 32 KiB in each.
    /// Dumps for which that is not enough are judged by their ends. The newest come first.
    /// </summary>
    public int ChainRecords { get; init; } = 4000;
}

/// <summary>The crash directories of a store at one moment, as they are; <see cref="VmcoreAssessment"/> makes sense of them.</summary>
/// <param name="Now">The store's clock.</param>
/// <param name="Directories">Crash directories, the one that changed last first.</param>
public sealed record StoreListing(DateTimeOffset Now, IReadOnlyList<CrashDirectory> Directories)
{
    /// <summary>There were more directories than <see cref="StoreQuery.Maximum"/>.</summary>
    public bool Truncated { get; init; }

    /// <summary>Some names of directories that are no crash directories, escaped for showing.</summary>
    public IReadOnlyList<string> Ignored { get => field ?? []; init; } = [];

    /// <summary>How many such directories there are.</summary>
    public int IgnoredCount { get; init; }

    /// <summary>The controller's clock less the store's, measured with this listing; to a second or the time the listing took.</summary>
    public TimeSpan ControllerAhead { get; init; }
}

/// <summary>A crash directory as it was found.</summary>
/// <param name="Name">Its name under the store's root.</param>
/// <param name="Modified">Its own last change: a file came, went or was renamed.</param>
/// <param name="Files">What is in it.</param>
public sealed record CrashDirectory(string Name, DateTimeOffset Modified, IReadOnlyList<VmcoreFile> Files)
{
    /// <summary>The dump files that were looked into.</summary>
    public IReadOnlyList<DumpFinding> Dumps { get => field ?? []; init; } = [];

    /// <summary>Lines of the dmesg file that may tell the panic; null when there is no such file.</summary>
    public string? DmesgLines { get; init; }

    /// <summary>Whether the capture left its log, which it does after the dump, however that went.</summary>
    public bool HasCaptureLog { get; init; }

    /// <summary>Lines of the capture's log that may tell why there is no dump; its last line is the last one here.</summary>
    public string? CaptureLogLines { get; init; }

    /// <summary>README.txt, SUSE's account of the dump.</summary>
    public string? Readme { get; init; }

    /// <summary>The words in the directory's .hold marker; empty where it has none to read, null where there is no marker.</summary>
    public string? Hold { get; init; }
}

/// <summary>What a look into one dump file gave.</summary>
/// <param name="FileName">Its name in the crash directory.</param>
/// <param name="Check">The outcome; null when the file could not be read.</param>
public sealed record DumpFinding(string FileName, VmcoreCheckResult? Check)
{
    /// <summary>How far the look went.</summary>
    public VmcoreCheckDepth Depth { get; init; } = Check is null ? VmcoreCheckDepth.None : VmcoreCheckDepth.Ends;
}

/// <summary>A place with crash directories right under it.</summary>
public interface IVmcoreStore : IAsyncDisposable
{
    /// <summary>The storage server; null for a local path.</summary>
    string? StoreHost { get; }

    /// <summary>The directory that the crash directories are in.</summary>
    string Root { get; }

    /// <summary>
    /// Lists them: one round trip, however many there are, and a few more for all dumps together that were not read before: what is whole by its ends is
    /// opened with the reader (<see cref="VmcoreImage.CheckStructure"/>).
    /// </summary>
    /// <exception cref="HostException">VmcoreDirectoryMissing, NotRoot (not readable), NotSupported, and what a connection can throw.</exception>
    Task<StoreListing> ListAsync(StoreQuery query, Fleet.HostContext context, CancellationToken cancellationToken);
}
