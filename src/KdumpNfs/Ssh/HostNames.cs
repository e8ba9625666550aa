using KdumpNfs.Ssh.Config;

namespace KdumpNfs.Ssh;

/// <summary>A host that this machine's own files name.</summary>
/// <param name="Name">The name or address.</param>
/// <param name="Source">Where it is named: <c>ssh_config</c> or <c>known_hosts</c>, with the port if that is not 22.</param>
public sealed record NamedHost(string Name, string Source);

/// <summary>The hosts that ssh_config and known_hosts name, for completion. Files are read, nothing is contacted.</summary>
public static class HostNames
{
    /// <summary>The names, each once: those of ssh_config first, in the order of the files.</summary>
    /// <param name="configFile">An ssh_config instead of the user's and the system's.</param>
    /// <param name="knownHostsFiles">known_hosts files instead of OpenSSH's.</param>
    /// <remarks>Patterns, negations and hashed entries (HashKnownHosts) name nobody; files that cannot be read are empty, as with OpenSSH.</remarks>
    public static IReadOnlyList<NamedHost> Read(string? configFile = null, IReadOnlyList<string>? knownHostsFiles = null)
    {
        var files = knownHostsFiles is { Count: > 0 } given ? given : KnownHosts.DefaultFiles;
        return [.. SshConfig.Load(configFile).HostAliases().Select(name => new NamedHost(name, "ssh_config"))
            .Concat(files.SelectMany(OfKnownHosts))
            .DistinctBy(host => host.Name, StringComparer.OrdinalIgnoreCase)];
    }

    private static IEnumerable<NamedHost> OfKnownHosts(string file)
    {
        string[] lines;
        try
        {
            lines = File.Exists(file) ? File.ReadAllLines(file) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        foreach (var line in lines)
        {
            var text = line.Trim();

            // Marked lines are revoked keys and authorities, not hosts.
            if (text.Length == 0 || text[0] is '#' or '@' or '|')
            {
                continue;
            }

            foreach (var name in text.Split((char[]?)null, 2)[0].Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                var end = name[0] == '[' ? name.IndexOf("]:", StringComparison.Ordinal) : -1;
                var plain = end > 0 ? name[1..end] : name;
                if (IsName(plain))
                {
                    yield return new NamedHost(plain, end > 0 ? $"known_hosts, port {name[(end + 2)..]}" : "known_hosts");
                }
            }
        }
    }

    /// <summary>Whether a word is a name and no pattern; nothing that a terminal should not get is one.</summary>
    internal static bool IsName(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '@' or '%' || (c > '\u00a0' && char.IsLetterOrDigit(c)));
}
