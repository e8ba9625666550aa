using System.Text;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>known_hosts of a host with the keys of its store. The keys come over a connection to the store that is verified already.</summary>
internal static class PinnedHostKeys
{
    /// <summary>The file with every key of the store, or null when it has them all.</summary>
    /// <param name="content">The file as it is; empty where there is none.</param>
    /// <param name="server">The store, as the host calls it.</param>
    /// <param name="keys">Its public keys, as in *.pub files.</param>
    /// <param name="hostName">The host, for the error.</param>
    /// <exception cref="HostException">DumpKeyFailed: the file has a key of the store that the store does not have, or none was given.</exception>
    public static byte[]? Add(ReadOnlySpan<byte> content, string server, IReadOnlyList<string> keys, string hostName)
    {
        var name = KnownHosts.LookupName(server, 22);
        var wanted = keys.Select(k => k.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length >= 2)
            .Select(w => KnownHostsEntry.Parse($"{name} {w[0]} {w[1]}", "", 0)).OfType<KnownHostsEntry>().ToList();
        if (wanted.Count == 0)
        {
            throw new HostException(ErrorIds.DumpKeyFailed, hostName, "The store shows no host keys, so none could be pinned.") { Remedy = "Look for /etc/ssh/ssh_host_*_key.pub on the store." };
        }

        var text = ByteText.FromBytes(content);
        var known = text.Split('\n').Select((line, i) => KnownHostsEntry.Parse(line, "/root/.ssh/known_hosts", i + 1)).OfType<KnownHostsEntry>().Where(e => e.Matches(name)).ToList();
        foreach (var entry in known)
        {
            var stores = wanted.Exists(w => w.Key.AsSpan().SequenceEqual(entry.Key));
            if (entry.Mark == KnownHostsMark.CertificateAuthority || (entry.Mark == KnownHostsMark.None && stores))
            {
                continue;
            }

            if (stores || entry.Mark == KnownHostsMark.None)
            {
                throw new HostException(ErrorIds.DumpKeyFailed, hostName,
                    $"{entry.Where} has {(stores ? "a key of the store as revoked" : $"another key of {server} ({entry.KeyType}) than the store has")}. Nothing was changed.")
                {
                    Remedy = $"Find out why. If the store has new keys: ssh-keygen -R {server} on the host, then run the command again.",
                };
            }
        }

        var missing = wanted.Where(w => !known.Exists(k => k.Mark == KnownHostsMark.None && k.Key.AsSpan().SequenceEqual(w.Key))).ToList();
        if (missing.Count == 0)
        {
            return null;
        }

        var result = new StringBuilder(text);
        if (text.Length > 0 && text[^1] != '\n')
        {
            result.Append('\n');
        }

        foreach (var key in missing)
        {
            result.Append(name).Append(' ').Append(key.KeyType).Append(' ').Append(Convert.ToBase64String(key.Key)).Append('\n');
        }

        return ByteText.ToBytes(result.ToString());
    }
}
