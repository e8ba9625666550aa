using KdumpNfs.Vmcore;

namespace KdumpNfs.Collection;

/// <summary>A file in a crash directory.</summary>
/// <param name="Name">Name in the directory; characters that no terminal should get are escaped.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Modified">Last change; by the store's clock, but where the capture kernel moved the file there with its own time (kexec-dmesg.log).</param>
public sealed record VmcoreFile(string Name, long Bytes, DateTimeOffset Modified);

/// <summary>One crash of one host: what its directory on the store holds.</summary>
public sealed record VmcoreDump
{
    /// <summary>The crashed host as the directory names it, an address or a host name; the dump's own host name where the directory names none.</summary>
    public required string CrashedHost { get; init; }

    /// <summary>Host name inside the dump; null when no dump could be read.</summary>
    public string? NodeName { get; init; }

    /// <summary>When it crashed, as well as that is known; <see cref="CrashTimeSource"/> says how well.</summary>
    public DateTimeOffset? CrashTime { get; init; }

    /// <summary>Where <see cref="CrashTime"/> comes from.</summary>
    public CrashTimeSource CrashTimeSource { get; init; }

    /// <summary>The time in the directory's name: the capture kernel's local time in an unknown zone. Null for <c>kdump-test-ID</c>.</summary>
    public DateTime? DirectoryTime { get; init; }

    /// <summary>Where it stands.</summary>
    public required VmcoreState State { get; init; }

    /// <summary>Why it is not complete; null when it is.</summary>
    public string? Reason { get; init; }

    /// <summary>What the look into the dump gave.</summary>
    public VmcoreIntegrity Verdict { get; init; }

    /// <summary>How far that look went.</summary>
    public VmcoreCheckDepth CheckDepth { get; init; }

    /// <summary>Whether the capture is known to be over, so that nothing more will come: it said so itself, or it gave the dump its final name.</summary>
    public bool CaptureOver { get; init; }

    /// <summary>Whose layout the directory has.</summary>
    public required VmcoreFamily Family { get; init; }

    /// <summary>Format of the dump by its first bytes.</summary>
    public VmcoreFormat Format { get; init; }

    /// <summary>Compression of the dump's pages.</summary>
    public PageCompression Compression { get; init; }

    /// <summary>Release of the kernel that crashed; null when no dump could be read.</summary>
    public string? KernelRelease { get; init; }

    /// <summary>Why the kernel panicked, in its own words from the dmesg file; null where there is none or it does not tell.</summary>
    public string? PanicReason { get; init; }

    /// <summary>The storage server the directory was listed on; null for a local path.</summary>
    public string? StoreHost { get; init; }

    /// <summary>Path of the crash directory on the store.</summary>
    public required string Path { get; init; }

    /// <summary>Path of the dump; null while there is none.</summary>
    public string? DumpFile { get; init; }

    /// <summary>Length of the dump.</summary>
    public long Bytes { get; init; }

    /// <summary>When the directory last changed: the newest time of its dump, its dmesg and of itself, by the store's clock.</summary>
    public DateTimeOffset LastChange { get; init; }

    /// <summary>Whether somebody put a .hold marker into the directory (Set-VmcoreHold): it is not removed.</summary>
    public bool Held { get; init; }

    /// <summary>The words in the marker: who and why; null where it has none.</summary>
    public string? HoldReason { get; init; }

    /// <summary>All files in the directory.</summary>
    public IReadOnlyList<VmcoreFile> Files { get => field ?? []; init; } = [];

    /// <summary>Host and directory.</summary>
    public override string ToString() => $"{CrashedHost} {State} {Path}";
}
