namespace KdumpNfs.Collection;

/// <summary>How a file came to be on this machine.</summary>
public enum ReceiveOutcome
{
    /// <summary>It was fetched now.</summary>
    Received,

    /// <summary>The rest of it was fetched now; an earlier run had begun.</summary>
    Resumed,

    /// <summary>It was here already, with the store's size and time.</summary>
    AlreadyHere,
}

/// <summary>A file of a crash directory on this machine.</summary>
/// <param name="Name">Its name on the store.</param>
/// <param name="Path">Where it is here.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">As the store computed it and this machine too, lower-case hex; null where the file was here already and was not read again.</param>
/// <param name="Outcome">How it came here.</param>
public sealed record ReceivedFile(string Name, string Path, long Bytes, string? Sha256, ReceiveOutcome Outcome);

/// <summary>A crash directory that was fetched.</summary>
public sealed record ReceivedVmcore
{
    /// <summary>The crashed host as the directory names it.</summary>
    public required string CrashedHost { get; init; }

    /// <summary>The store it came from.</summary>
    public required string StoreHost { get; init; }

    /// <summary>Path of the crash directory on the store.</summary>
    public required string StorePath { get; init; }

    /// <summary>The directory on this machine. Its name is the one on the store with what Windows refuses percent-encoded (<see cref="LocalName"/>).</summary>
    public required string LocalPath { get; init; }

    /// <summary>The dump on this machine; null where the directory has none.</summary>
    public string? DumpFile { get; init; }

    /// <summary>Where the dump stands on the store.</summary>
    public VmcoreState State { get; init; }

    /// <summary>Whether anything was fetched.</summary>
    public bool Changed { get; init; }

    /// <summary>Bytes that came over the network in this run.</summary>
    public long BytesReceived { get; init; }

    /// <summary>How long it took, the check of the hashes included.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The files, the dump last.</summary>
    public IReadOnlyList<ReceivedFile> Files { get; init; } = [];
}
