using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Vmcores;

/// <summary>A file in a bundle.</summary>
/// <param name="Name">Its name in the archive, below the archive's one directory.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">SHA-256, lower-case hex, of what is in the archive (so of the masked text).</param>
public sealed record VmcoreBundleEntry(string Name, long Bytes, string Sha256)
{
    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}

/// <summary>What was packed for whoever gets the case.</summary>
public sealed record VmcoreBundle
{
    /// <summary>The storage server that the dump lies on; null for a file of this machine.</summary>
    public string? StoreHost { get; init; }

    /// <summary>Path of the dump or log that was packed.</summary>
    public required string Path { get; init; }

    /// <summary>The archive on this machine.</summary>
    public required string Archive { get; init; }

    /// <summary>Its length.</summary>
    public long Bytes { get; init; }

    /// <summary>Its SHA-256, lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Host name of the machine that crashed.</summary>
    public string? CrashedHost { get; init; }

    /// <summary>When it crashed.</summary>
    public DateTimeOffset? CrashTime { get; init; }

    /// <summary>Why it went down.</summary>
    public PanicKind Kind { get; init; }

    /// <summary>The signature of the crash.</summary>
    public string? Signature { get; init; }

    /// <summary>Whether the dump itself is in it. It is the memory of a server, and nothing in it is masked.</summary>
    public bool DumpIncluded { get; init; }

    /// <summary>How many different secrets were masked in the texts.</summary>
    public int MaskedSecrets { get; init; }

    /// <summary>What is in it, SHA256SUMS last.</summary>
    public IReadOnlyList<VmcoreBundleEntry> Entries { get; init; } = [];

    /// <summary>What is not in it and why, one sentence each.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>The archive.</summary>
    public override string ToString() => Archive;
}
