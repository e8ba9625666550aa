namespace KdumpNfs.Crash;

/// <summary>A file that gives kernel parameters at boot.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Content">What it holds; empty for a link to /dev/null, which masks files of the same name.</param>
public sealed record SysctlFile(string Path, ReadOnlyMemory<byte> Content);

/// <summary>Who has the last word on a kernel parameter.</summary>
/// <param name="Key">The parameter, with dots.</param>
/// <param name="Path">The file that decides; null where none sets it.</param>
/// <param name="Value">Its value; null where none sets it.</param>
public sealed record SysctlWinner(string Key, string? Path, string? Value);

/// <summary>Which of the files under /etc/sysctl.d and the like wins.</summary>
/// <remarks>sysctl.d(5) and sysctl(8), SYSTEM FILE PRECEDENCE: of files with the same name the one in the first directory counts; then all are
/// read in the order of their names, whatever their directory, and the last one that sets a key wins. systemd reads /etc/sysctl.conf only
/// where a link in /etc/sysctl.d names it (99-sysctl.conf on Debian and RHEL); procps reads it last of all. It is taken to be last.</remarks>
public static class SysctlPrecedence
{
    /// <summary>The directories, the strongest first.</summary>
    public static IReadOnlyList<string> Directories { get; } = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

    private const string SysctlConf = "/etc/sysctl.conf";

    /// <summary>The files that count, in the order in which they are applied.</summary>
    public static IReadOnlyList<SysctlFile> Order(IEnumerable<SysctlFile> files)
    {
        var known = files.Where(f => f.Path == SysctlConf || (f.Path.EndsWith(".conf", StringComparison.Ordinal) && Directories.Contains(DirectoryOf(f.Path)))).ToList();
        var dropIns = known.Where(f => f.Path != SysctlConf)
            .GroupBy(f => NameOf(f.Path), StringComparer.Ordinal)
            .Select(group => group.MinBy(f => Rank(DirectoryOf(f.Path)))!)
            .OrderBy(f => NameOf(f.Path), StringComparer.Ordinal);
        return [.. dropIns, .. known.Where(f => f.Path == SysctlConf)];
    }

    /// <summary>The file that decides a key at boot.</summary>
    /// <param name="files">What is found, ours in its new form among it; other places than <see cref="Directories"/> and /etc/sysctl.conf are left out.</param>
    /// <param name="key">The parameter, in either spelling.</param>
    public static SysctlWinner Winner(IEnumerable<SysctlFile> files, string key)
    {
        var normal = SysctlDropIn.Normal(key);
        var winner = new SysctlWinner(normal, null, null);
        var byName = false;
        foreach (var file in Order(files))
        {
            var (value, named) = SysctlDropIn.Parse(file.Content.Span).Effective(normal);
            // A glob does not touch a key that any file names.
            if (value is not null && (named || !byName))
            {
                winner = winner with { Path = file.Path, Value = value };
                byName |= named;
            }
        }

        return winner;
    }

    /// <summary>The file that takes a key away from ours; null when ours decides, or the other one says the same.</summary>
    /// <param name="files">What is found, ours in its new form among it.</param>
    /// <param name="ours">The path of our file.</param>
    /// <param name="key">The parameter.</param>
    public static SysctlWinner? OverriddenBy(IReadOnlyCollection<SysctlFile> files, string ours, string key)
    {
        var winner = Winner(files, key);
        var own = files.FirstOrDefault(f => f.Path == ours) is { } file ? SysctlDropIn.Parse(file.Content.Span).Get(key) : null;
        return winner.Path is null || winner.Path == ours || winner.Value == own ? null : winner;
    }

    private static int Rank(string directory) => Directories.ToList().IndexOf(directory);

    private static string DirectoryOf(string path) => path[..Math.Max(0, path.LastIndexOf('/'))];

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];
}
