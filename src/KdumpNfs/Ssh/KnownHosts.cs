using System.Globalization;
using System.Security.Cryptography;

namespace KdumpNfs.Ssh;

/// <summary>What known_hosts says about a host key.</summary>
public enum HostKeyVerdict
{
    /// <summary>The host has this key.</summary>
    Match,

    /// <summary>The host is in no file.</summary>
    Unknown,

    /// <summary>The host has other keys, and not this one.</summary>
    Changed,

    /// <summary>The key is marked @revoked for this host.</summary>
    Revoked,
}

/// <summary>A verdict and the line that it comes from.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="Where"><c>file:line</c>, or null for <see cref="HostKeyVerdict.Unknown"/>.</param>
public sealed record HostKeyFinding(HostKeyVerdict Verdict, string? Where);

/// <summary>known_hosts files as OpenSSH keeps and reads them.</summary>
/// <remarks>
/// Follows hostfile.c and sshconnect.c of OpenSSH 9: lines that cannot be read are ignored; a key that the host does not have, while it
/// has others of whatever type, is a changed key; @revoked wins over everything; a host on another port than 22 may also be known by its
/// name alone. Names are compared in lower case. @cert-authority lines say nothing about plain keys.
/// </remarks>
public sealed class KnownHosts
{
    private readonly List<KnownHostsFile> _files;

    private KnownHosts(List<KnownHostsFile> files) => _files = files;

    /// <summary>The user's and the system's files when nothing else is asked for.</summary>
    public static IReadOnlyList<string> DefaultFiles
    {
        get
        {
            var user = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ssh", "known_hosts");
            var system = OperatingSystem.IsWindows()
                ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "ssh", "ssh_known_hosts")
                : "/etc/ssh/ssh_known_hosts";
            return [user, user + "2", system, system + "2"];
        }
    }

    /// <summary>Reads files; those that do not exist or cannot be read count as empty, as with OpenSSH.</summary>
    public static KnownHosts Load(IEnumerable<string> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        return new KnownHosts([.. files.Select(KnownHostsFile.Load)]);
    }

    /// <summary>The name under which a host is looked up: <c>name</c>, or <c>[name]:port</c> when the port is not 22.</summary>
    public static string LookupName(string hostName, int port)
    {
        ArgumentNullException.ThrowIfNull(hostName);
#pragma warning disable CA1308 // The format says lower case.
        var name = hostName.ToLowerInvariant();
#pragma warning restore CA1308
        return port == 22 ? name : string.Create(CultureInfo.InvariantCulture, $"[{name}]:{port}");
    }

    /// <summary>The SHA256 fingerprint of a key as ssh-keygen shows it.</summary>
    public static string Fingerprint(ReadOnlySpan<byte> key) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(key)).TrimEnd('=');

    /// <summary>What the files say about a key.</summary>
    /// <param name="hostName">Name or address of the host.</param>
    /// <param name="port">Its port.</param>
    /// <param name="key">The public key as it is on the wire.</param>
    public HostKeyFinding Check(string hostName, int port, ReadOnlySpan<byte> key)
    {
        var finding = Check(LookupName(hostName, port), key);
        if (finding.Verdict != HostKeyVerdict.Unknown || port == 22)
        {
            return finding;
        }

        // Known by its name alone counts only when the key is right.
        var plain = Check(LookupName(hostName, 22), key);
        return plain.Verdict == HostKeyVerdict.Changed ? finding : plain;
    }

    /// <summary>Whether a certificate authority vouches for the host.</summary>
    public bool HasAuthority(string hostName, int port) => Of(LookupName(hostName, port)).Any(e => e.Mark == KnownHostsMark.CertificateAuthority);

    /// <summary>Whether the host has a key of its own.</summary>
    public bool HasKey(string hostName, int port) => Of(LookupName(hostName, port)).Any(e => e.Mark == KnownHostsMark.None) ||
        (port != 22 && Of(LookupName(hostName, 22)).Any(e => e.Mark == KnownHostsMark.None));

    /// <summary>The host key algorithms to ask for: those for which the host has keys first, as OpenSSH does it.</summary>
    /// <param name="hostName">Name or address of the host.</param>
    /// <param name="port">Its port.</param>
    /// <param name="algorithms">What the client can do, best first.</param>
    public IReadOnlyList<string> Order(string hostName, int port, IReadOnlyList<string> algorithms)
    {
        ArgumentNullException.ThrowIfNull(algorithms);
        var entries = Of(LookupName(hostName, port)).ToList();

        // A type counts by its first key; one that is revoked does not count.
        var types = entries.Where(e => e.Mark == KnownHostsMark.None).DistinctBy(e => e.KeyType)
            .Where(e => !entries.Exists(r => r.Mark == KnownHostsMark.Revoked && r.Key.AsSpan().SequenceEqual(e.Key)))
            .Select(e => e.KeyType).ToHashSet(StringComparer.Ordinal);
        return algorithms.Count == 0 || types.Contains(KeyTypeOf(algorithms[0]))
            ? algorithms
            : [.. algorithms.OrderBy(a => types.Contains(KeyTypeOf(a)) ? 0 : 1)];
    }

    /// <summary>Adds a key, as one whole line; makes the file (0600) and its directory (0700) when they are missing.</summary>
    public static void Add(string file, string lookupName, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(file);
        KnownHostsFile.Append(file, $"{lookupName} {KnownHostsEntry.TypeOf(key)} {Convert.ToBase64String(key)}");
    }

    /// <summary>The type of key that a host key algorithm signs with.</summary>
    internal static string KeyTypeOf(string algorithm) => algorithm is "rsa-sha2-256" or "rsa-sha2-512" ? "ssh-rsa" : algorithm;

    private HostKeyFinding Check(string name, ReadOnlySpan<byte> key)
    {
        var finding = new HostKeyFinding(HostKeyVerdict.Unknown, null);
        foreach (var entry in Of(name))
        {
            var same = key.SequenceEqual(entry.Key);
            if (entry.Mark == KnownHostsMark.Revoked && same)
            {
                return new HostKeyFinding(HostKeyVerdict.Revoked, entry.Where);
            }

            if (entry.Mark == KnownHostsMark.None && finding.Verdict != HostKeyVerdict.Match)
            {
                finding = new HostKeyFinding(same ? HostKeyVerdict.Match : HostKeyVerdict.Changed, entry.Where);
            }
        }

        return finding;
    }

    private IEnumerable<KnownHostsEntry> Of(string name) => _files.SelectMany(file => file.Of(name));
}
