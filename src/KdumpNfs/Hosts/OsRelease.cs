namespace KdumpNfs.Hosts;

/// <summary>What os-release(5) says of a distribution.</summary>
/// <param name="Id">Lower-case identifier, such as <c>rhel</c> or <c>debian</c>.</param>
/// <param name="VersionId">Version, such as <c>9.4</c>; empty where the distribution rolls.</param>
/// <param name="Like">Identifiers of the distributions it derives from.</param>
/// <param name="Name">Name for people.</param>
public sealed record OsRelease(string Id, string VersionId, IReadOnlyList<string> Like, string Name)
{
    /// <summary>The family whose tools this distribution would install.</summary>
    public HostFamily Family
    {
        get
        {
            foreach (var id in Like.Prepend(Id))
            {
                switch (id)
                {
                    case "rhel" or "fedora" or "centos" or "rocky" or "almalinux" or "ol" or "amzn" or "openEuler" or "anolis" or "kylin":
                        return HostFamily.RedHat;
                    case "debian" or "ubuntu":
                        return HostFamily.Debian;
                    case "suse" or "sles" or "opensuse" or "opensuse-leap" or "opensuse-tumbleweed":
                        return HostFamily.Suse;
                }
            }

            return HostFamily.Unknown;
        }
    }

    /// <summary>Reads the file's text; unknown lines are ignored, as os-release(5) asks.</summary>
    public static OsRelease Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line[0] != '#')
            {
                values[line[..equals].Trim()] = line[(equals + 1)..].Trim().Trim('"', '\'');
            }
        }

        string Value(string name) => values.GetValueOrDefault(name, "");
        return new OsRelease(Value("ID"), Value("VERSION_ID"), Value("ID_LIKE").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Value("PRETTY_NAME") is { Length: > 0 } pretty ? pretty : Value("NAME"));
    }
}
