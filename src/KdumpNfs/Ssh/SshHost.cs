namespace KdumpNfs.Ssh;

/// <summary>A host as an admin names it, with the connection details that differ from host to host.</summary>
/// <param name="HostName">Name or address to connect to; it is also the host's identity in results and errors.</param>
/// <param name="UserName">Login name; null for what ssh_config or the local account says.</param>
/// <param name="Port">TCP port of the SSH server; null for what ssh_config says, else 22.</param>
/// <param name="KeyFilePath">Private key file; null for the default identities.</param>
public sealed record SshHost(string HostName, string? UserName = null, int? Port = null, string? KeyFilePath = null)
{
    /// <summary>A kept connection to use instead of making one; null to connect.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public Sessions.KdumpSession? Session { get; init; }

    /// <summary>Refuses what can never be connected to, before anything is contacted.</summary>
    /// <exception cref="HostException">InvalidInput: empty or odd host name, port out of range, key file missing.</exception>
    public SshHost Validated()
    {
        if (string.IsNullOrWhiteSpace(HostName))
        {
            throw Refused("The host name is empty.", "Name a host: -HostName web01");
        }

        // A leading dash would be an option to the ssh client; blanks and controls are in no host name.
        if (HostName[0] == '-' || HostName.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '\'' or '"' or '`' or '$' or ';' or '/'))
        {
            throw Refused($"'{Printable.Escape(HostName)}' is not a host name.", "Give a DNS name, an address or a Host of ssh_config.");
        }

        if (UserName is { } user && (user.Length == 0 || user[0] == '-' || user.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))))
        {
            throw Refused($"'{Printable.Escape(user)}' is not a user name.", "Give the login name on the host.");
        }

        if (Port is < 1 or > 65535)
        {
            throw Refused($"Port {Port} is not between 1 and 65535.", "Give the TCP port of the SSH server.");
        }

        if (KeyFilePath is { } key && !File.Exists(key))
        {
            throw Refused($"The key file '{Printable.Escape(key)}' does not exist.", "Give the path of a private key that this account can read.");
        }

        return this;
    }

    private HostException Refused(string message, string remedy) =>
        new(ErrorIds.InvalidInput, HostName ?? "", message) { Remedy = remedy };
}
