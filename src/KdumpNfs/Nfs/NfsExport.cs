namespace KdumpNfs.Nfs;

/// <summary>One export to one client on a storage server.</summary>
public sealed record NfsExport
{
    /// <summary>The storage server as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>The exported directory.</summary>
    public required string ExportPath { get; init; }

    /// <summary>The client as the table names it: host, subnet, wildcard or netgroup.</summary>
    public required string Client { get; init; }

    /// <summary>Export options.</summary>
    public IReadOnlyList<string> Option { get; init; } = [];

    /// <summary>Whether it is exported now.</summary>
    public bool Live { get; init; }

    /// <summary>The file that holds it; null when it is in none (a cluster's, or made by hand) and is gone after a restart.</summary>
    public string? File { get; init; }

    /// <summary>Whether root of the client stays root: what a dump needs unless the directory is writable for nobody.</summary>
    public bool RootAllowed => Option.Contains("no_root_squash", StringComparer.Ordinal);

    /// <summary>Whether the path is a mount of its own on the server.</summary>
    public bool OwnMount { get; init; }

    /// <summary>Services of NFS that a running firewalld does not let in: clients may not get through. Empty where none runs.</summary>
    public IReadOnlyList<string> FirewallLacks { get; init; } = [];
}

/// <summary>What Enable-NfsExport did.</summary>
public sealed record NfsExportChange
{
    /// <summary>The storage server as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when everything was as asked for.</summary>
    public required bool Changed { get; init; }

    /// <summary>The exported directory.</summary>
    public required string ExportPath { get; init; }

    /// <summary>The directory for dumps inside it; null if none was asked for.</summary>
    public string? DumpPath { get; init; }

    /// <summary>The client.</summary>
    public required string Client { get; init; }

    /// <summary>Export options as asked for.</summary>
    public IReadOnlyList<string> Option { get; init; } = [];

    /// <summary>Directories that were made.</summary>
    public IReadOnlyList<string> Created { get; init; } = [];

    /// <summary>Services that were enabled.</summary>
    public IReadOnlyList<string> Enabled { get; init; } = [];

    /// <summary>Services that were started.</summary>
    public IReadOnlyList<string> Started { get; init; } = [];

    /// <summary>Packages that were installed.</summary>
    public IReadOnlyList<Setup.HostPackage> Installed { get; init; } = [];

    /// <summary>Services that the firewall lets in since.</summary>
    public IReadOnlyList<string> FirewallOpened { get; init; } = [];

    /// <summary>The copy of /etc/exports as it was; null where nothing was written.</summary>
    public string? Backup { get; init; }

    /// <summary>The change of /etc/exports as a unified diff.</summary>
    public string Diff { get; init; } = "";
}

/// <summary>What Disable-NfsExport did.</summary>
public sealed record NfsExportRemoval
{
    /// <summary>The storage server as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when there was no such export.</summary>
    public required bool Changed { get; init; }

    /// <summary>The directory that was exported. It and its dumps stay.</summary>
    public required string ExportPath { get; init; }

    /// <summary>The client.</summary>
    public required string Client { get; init; }

    /// <summary>The files that it was taken out of.</summary>
    public IReadOnlyList<string> File { get; init; } = [];

    /// <summary>Whether it was in the table of live exports.</summary>
    public bool WasLive { get; init; }

    /// <summary>Hosts that had it mounted, as far as the server knows.</summary>
    public IReadOnlyList<string> MountedBy { get; init; } = [];

    /// <summary>Copies of the files as they were.</summary>
    public IReadOnlyList<string> Backup { get; init; } = [];

    /// <summary>The change of the files as a unified diff.</summary>
    public string Diff { get; init; } = "";
}
