using KdumpNfs.Ssh;

namespace KdumpNfs.Fleet;

/// <summary>Defaults of a fleet for the parameters of the same name. What is null says nothing: the parameter's own default holds.</summary>
public sealed record KdumpPreference
{
    /// <summary>Login name on hosts and stores.</summary>
    public string? UserName { get; init; }

    /// <summary>Private key file; a relative one of a file is taken from that file's directory.</summary>
    public string? KeyFilePath { get; init; }

    /// <summary>Name of a secret of Microsoft.PowerShell.SecretManagement that holds the credential. The secret itself is never kept here.</summary>
    public string? CredentialName { get; init; }

    /// <summary>Which SSH implementation carries the connections.</summary>
    public SshTransport? Transport { get; init; }

    /// <summary>What to do about a host whose key is not known yet.</summary>
    public HostKeyPolicy? HostKeyPolicy { get; init; }

    /// <summary>known_hosts files instead of OpenSSH's.</summary>
    public IReadOnlyList<string>? KnownHostsFile { get; init; }

    /// <summary>An ssh_config file instead of the user's.</summary>
    public string? SshConfigFile { get; init; }

    /// <summary>Whether commands run through sudo.</summary>
    public bool? Sudo { get; init; }

    /// <summary>How many hosts are worked on at once.</summary>
    public int? ThrottleLimit { get; init; }

    /// <summary>Time until a connection is up.</summary>
    public TimeSpan? ConnectingTimeout { get; init; }

    /// <summary>Time that one command on a host may take.</summary>
    public TimeSpan? OperationTimeout { get; init; }

    /// <summary>The storage server, for cmdlets that look at its dumps.</summary>
    public string? StoreHost { get; init; }

    /// <summary>The exported directory, as a path on the store.</summary>
    public string? ExportPath { get; init; }

    /// <summary>Directory for dumps inside the export.</summary>
    public string? DumpPath { get; init; }

    /// <summary>The file that the values were read from; null where they were set at the prompt.</summary>
    public string? Source { get; init; }

    /// <summary>The store that was named, or that of the settings where none was.</summary>
    /// <param name="storeHost">The store that was named; null when none was.</param>
    /// <param name="exportPath">The export that was named; null when none was.</param>
    /// <param name="dumpPath">The directory in it that was named; null when none was.</param>
    /// <remarks>A store that was named has its own export; only the one of the settings has theirs.</remarks>
    /// <exception cref="HostException">InvalidInput: neither names a store with its export.</exception>
    public (string StoreHost, string ExportPath, string? DumpPath) StoreOr(string? storeHost, string? exportPath, string? dumpPath)
    {
        storeHost ??= StoreHost ?? throw Refused("No store was given.");
        if (exportPath is not null)
        {
            return (storeHost, exportPath, dumpPath);
        }

        return string.Equals(storeHost, StoreHost, StringComparison.OrdinalIgnoreCase) && ExportPath is { } preferred
            ? (storeHost, preferred, dumpPath ?? DumpPath)
            : throw Refused($"The export of {Printable.Escape(storeHost)} was not given.");
    }

    // What to write instead is for the front end to say: its parameters have their names.
    private static HostException Refused(string what) => new(ErrorIds.InvalidInput, "", what);
}
