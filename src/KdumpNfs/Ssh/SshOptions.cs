using System.Net;

namespace KdumpNfs.Ssh;

/// <summary>Which SSH implementation carries the connection.</summary>
public enum SshTransport
{
    /// <summary>SSH.NET where it is part of this build and can do what ssh_config asks for the host, else the OpenSSH client.</summary>
    Auto,

    /// <summary>The Renci.SshNet library: one process, the cheapest for a fleet.</summary>
    SshNet,

    /// <summary>The <c>ssh</c> program: knows ProxyJump, agents, certificates, Kerberos and hardware keys.</summary>
    OpenSsh,
}

/// <summary>What to do about a host key that known_hosts does not hold.</summary>
public enum HostKeyPolicy
{
    /// <summary>Only keys that known_hosts holds are accepted.</summary>
    Strict,

    /// <summary>A host seen for the first time is added; a changed key is refused.</summary>
    AcceptNew,

    /// <summary>Any key is accepted and nothing is recorded. For throw-away hosts only.</summary>
    Off,
}

/// <summary>How to connect: what is the same for all hosts of one command.</summary>
public sealed record SshOptions
{
    /// <summary>The transport asked for.</summary>
    public SshTransport Transport { get; init; } = SshTransport.Auto;

    /// <summary>Host key policy; keys are checked by default.</summary>
    public HostKeyPolicy HostKeyPolicy { get; init; } = HostKeyPolicy.Strict;

    /// <summary>known_hosts files to read; the first is the one AcceptNew adds to. Empty: those of ssh_config or OpenSSH's defaults.</summary>
    public IReadOnlyList<string> KnownHostsFiles { get; init; } = [];

    /// <summary>An ssh_config file used instead of the user's; null for the user's and the system's.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>User name and password (SSH.NET only); null for keys.</summary>
    public NetworkCredential? Credential { get; init; }

    /// <summary>Time until a connection is up and authenticated.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time one script may take; rebuilding a capture image takes minutes on slow hosts.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Runs scripts through sudo, which must not ask for a password unless there is one to give.</summary>
    public bool Sudo { get; init; }

    /// <summary>Given to sudo when it asks, once; null for the password of <see cref="Credential"/>, if there is one. Never part of a command line.</summary>
    public Secret? SudoPassword { get; init; }

    /// <summary>Opens encrypted private key files; null to use only keys that need none.</summary>
    public Secret? KeyPassphrase { get; init; }

    /// <summary>
    /// Whether a kept connection that died may be opened again. False for what must reach the very connection that was looked at: a trigger.
    /// New connections are not affected.
    /// </summary>
    public bool MayReconnect { get; init; } = true;

    /// <summary>What sudo is given if it asks; null when it must not ask.</summary>
    internal Secret? SecretForSudo =>
        !Sudo ? null : SudoPassword ?? (Credential is { SecurePassword.Length: > 0 } credential ? new Secret(credential.SecurePassword) : null);
}
