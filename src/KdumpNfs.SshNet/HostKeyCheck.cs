using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Config;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace KdumpNfs.SshNet;

/// <summary>Checks one host's key against known_hosts, with the policy asked for.</summary>
internal sealed class HostKeyCheck(SshHost host, ResolvedHost target, SshOptions options)
{
    private readonly KnownHosts _known = KnownHosts.Load(options.HostKeyPolicy == HostKeyPolicy.Off ? [] : target.KnownHostsFiles);

    /// <summary>Why the key was refused; null when it was not.</summary>
    public HostException? Refusal { get; private set; }

    /// <summary>Asks for the algorithms of the keys that known_hosts holds first, and for no host certificates.</summary>
    public void Prefer(ConnectionInfo info)
    {
        var plain = info.HostKeyAlgorithms.Where(a => !a.Key.Contains("-cert-", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        var order = _known.Order(target.KeyName, target.KeyPort, [.. info.HostKeyAlgorithms.Keys.Where(plain.ContainsKey)]);
        info.HostKeyAlgorithms.Clear();
        foreach (var name in order)
        {
            info.HostKeyAlgorithms.Add(name, plain[name]);
        }
    }

    /// <summary>The library has a key and asks whether to go on.</summary>
    public void OnReceived(object? sender, HostKeyEventArgs e)
    {
        if (options.HostKeyPolicy == HostKeyPolicy.Off)
        {
            e.CanTrust = true;
            return;
        }

        var lookup = KnownHosts.LookupName(target.KeyName, target.KeyPort);
        var fingerprint = $"{KnownHostsEntry.TypeOf(e.HostKey)} {KnownHosts.Fingerprint(e.HostKey)}";
        var finding = _known.Check(target.KeyName, target.KeyPort, e.HostKey);
        Refusal = finding.Verdict switch
        {
            HostKeyVerdict.Match => null,
            HostKeyVerdict.Revoked => SshErrors.HostKeyRevoked(host.HostName, lookup, fingerprint),
            HostKeyVerdict.Changed => SshErrors.HostKeyChanged(host.HostName, lookup, fingerprint, finding.Where),
            _ when options.HostKeyPolicy == HostKeyPolicy.AcceptNew && target.KnownHostsFiles.Count > 0 => Accept(lookup, e.HostKey),
            _ when _known.HasAuthority(target.KeyName, target.KeyPort) => SshErrors.HostCertificateNotSupported(host.HostName, lookup),
            _ => SshErrors.HostKeyUnknown(host.HostName, lookup, fingerprint),
        };
        e.CanTrust = Refusal is null;
    }

    private HostException? Accept(string lookup, byte[] key)
    {
        try
        {
            KnownHosts.Add(target.KnownHostsFiles[0], lookup, key);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // ssh goes on with a warning; a key that is not remembered would be taken on faith each time.
            return new HostException(ErrorIds.HostKeyUnknown, host.HostName, $"The new host key could not be added to {target.KnownHostsFiles[0]}: {e.Message}", e)
            {
                Remedy = "Make the file writable, or name another one with -KnownHostsFile.",
            };
        }
    }
}
