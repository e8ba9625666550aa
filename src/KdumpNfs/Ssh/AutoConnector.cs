using System.Collections.Concurrent;
using KdumpNfs.Ssh.Config;
using KdumpNfs.Ssh.OpenSsh;

namespace KdumpNfs.Ssh;

/// <summary>The connector that -Transport speaks to: takes the transport asked for, or for each host the cheapest that can do what its configuration asks.</summary>
/// <remarks>
/// Auto means SSH.NET unless it is not part of this build, ssh_config asks for more than it can do (ProxyJump, an agent, certificates and
/// such), known_hosts vouches for the host through a certificate authority only, or there is no key file that it could use. When the host
/// refuses the key files and an agent runs that may hold the right key, OpenSSH gets a second try.
/// </remarks>
/// <param name="sshNet">SSH.NET where it is part of this build, else null.</param>
/// <param name="openSsh">The OpenSSH client; null for the one on PATH.</param>
public sealed class AutoConnector(IHostConnector? sshNet = null, IHostConnector? openSsh = null) : IHostConnector
{
    private readonly IHostConnector _openSsh = openSsh ?? new OpenSshConnector();
    private readonly ConcurrentDictionary<string, SshConfig> _configs = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public SshTransport Transport => SshTransport.Auto;

    /// <inheritdoc/>
    public async Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        var (transport, reason) = Choose(host, options);
        if (transport == SshTransport.OpenSsh)
        {
            var connection = await _openSsh.ConnectAsync(host, options, cancellationToken).ConfigureAwait(false);
            return reason is null ? connection : new Reasoned(connection, reason);
        }

        if (sshNet is null)
        {
            throw new HostException(ErrorIds.TransportNotAvailable, host.HostName, "SSH.NET is not part of this build.")
            {
                Remedy = options.Credential is null
                    ? "Use -Transport OpenSsh (or Auto)."
                    : "A password needs SSH.NET; use a key file, an agent or Kerberos with the OpenSSH client.",
            };
        }

        try
        {
            return await sshNet.ConnectAsync(host, options, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.AuthenticationFailed && MayHelp(host, options))
        {
            try
            {
                var connection = await _openSsh.ConnectAsync(host, options, cancellationToken).ConfigureAwait(false);
                return new Reasoned(connection, "OpenSSH because the host refused the key files and an agent is there.");
            }
            catch (HostException second) when (second.ErrorId is ErrorIds.SshClientMissing or ErrorIds.AuthenticationFailed)
            {
                throw e;
            }
        }
    }

    /// <summary>Which transport a host gets, without contacting it.</summary>
    /// <returns>The transport, and for Auto a sentence that says why it is not SSH.NET.</returns>
    public (SshTransport Transport, string? Reason) Choose(SshHost host, SshOptions options)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Transport != SshTransport.Auto)
        {
            return (options.Transport, null);
        }

        if (options.Credential is not null)
        {
            return (SshTransport.SshNet, null);
        }

        if (sshNet is null)
        {
            return (SshTransport.OpenSsh, null);
        }

        var target = _configs.GetOrAdd(options.ConfigFile ?? "", _ => SshConfig.Load(options.ConfigFile)).Resolve(host, options);
        var reason = target.OpenSshReason ?? AuthorityReason(target, options) ?? KeyReason(target, options.KeyPassphrase is not null);
        return reason is null ? (SshTransport.SshNet, null) : (SshTransport.OpenSsh, $"OpenSSH because {reason}.");
    }

    private static bool MayHelp(SshHost host, SshOptions options) =>
        options.Transport == SshTransport.Auto && options.Credential is null && host.KeyFilePath is null && HasAgent;

    private static bool HasAgent => OperatingSystem.IsWindows()
        ? File.Exists(@"\\.\pipe\openssh-ssh-agent")
        : !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("SSH_AUTH_SOCK"));

    private static string? AuthorityReason(ResolvedHost target, SshOptions options)
    {
        if (options.HostKeyPolicy == HostKeyPolicy.Off)
        {
            return null;
        }

        var known = KnownHosts.Load(target.KnownHostsFiles);
        return known.HasAuthority(target.KeyName, target.KeyPort) && !known.HasKey(target.KeyName, target.KeyPort)
            ? "known_hosts trusts the host through @cert-authority" : null;
    }

    private static string? KeyReason(ResolvedHost target, bool hasPassphrase)
    {
        var kinds = target.IdentityFiles.Select(file => (File: file, Kind: PrivateKeyProbe.Look(file)))
            .Select(k => hasPassphrase && k.Kind == PrivateKeyKind.Encrypted ? (k.File, Kind: PrivateKeyKind.Usable) : k).ToList();
        if (kinds.FirstOrDefault(k => k.Kind == PrivateKeyKind.Usable && File.Exists(k.File + "-cert.pub")) is { File: not null } certified)
        {
            return $"{certified.File} has a certificate";
        }

        if (kinds.Any(k => k.Kind == PrivateKeyKind.Usable))
        {
            return null;
        }

        return kinds.FirstOrDefault(k => k.Kind is PrivateKeyKind.Encrypted or PrivateKeyKind.Hardware or PrivateKeyKind.Public) is { File: not null } other
            ? $"{other.File} needs an agent{(other.Kind == PrivateKeyKind.Encrypted ? " or -KeyPassphrase" : "")} ({other.Kind})"
            : target.Gssapi && !HasAgent ? "there is no key file and ssh_config allows Kerberos" : "there is no key file that SSH.NET could use";
    }

    /// <summary>A connection that says why it is what it is.</summary>
    private sealed class Reasoned(IHostConnection inner, string reason) : IHostConnection
    {
        public SshHost Host => inner.Host;

        public SshTransport Transport => inner.Transport;

        public string? TransportReason => reason;

        public bool IsOpen => inner.IsOpen;

        public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default) => inner.RunAsync(script, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
