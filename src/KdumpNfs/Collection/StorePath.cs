namespace KdumpNfs.Collection;

/// <summary>Path of a crash directory on a store, taken apart; a pure look at the text, the store is asked later what is really there.</summary>
/// <param name="Root">The directory that it is in.</param>
/// <param name="Name">Its name.</param>
/// <param name="File">A file in it, where the path names one.</param>
internal sealed record StorePath(string Root, string Name, string? File)
{
    /// <summary>Path of the crash directory.</summary>
    public string Directory => $"{Root.TrimEnd('/')}/{Name}";

    /// <summary>Takes a path apart.</summary>
    /// <exception cref="HostException">InvalidInput: not absolute, with "." or "..", or no crash directory by its name.</exception>
    public static StorePath Parse(string hostName, string path)
    {
        var parts = (path ?? "").Split('/');
        if (parts.Length < 2 || parts[0].Length > 0 || parts.Any(p => p is "." or ".." || p.Any(char.IsControl)))
        {
            throw Refused(hostName, path, "is not an absolute path without '.' and '..'");
        }

        // Blank parts are double or final slashes.
        var names = parts.Where(p => p.Length > 0).ToList();
        for (var fromEnd = 1; fromEnd <= Math.Min(2, names.Count); fromEnd++)
        {
            if (IsCrashDirectory(names[^fromEnd]))
            {
                return new StorePath("/" + string.Join('/', names[..^fromEnd]), names[^fromEnd], fromEnd == 2 ? names[^1] : null);
            }
        }

        throw Refused(hostName, path, "does not name a crash directory");
    }

    /// <summary>Whether a name is one of the families' and made of the characters that the scripts take.</summary>
    public static bool IsCrashDirectory(string name) =>
        CrashDirectoryName.Parse(name) is not null && name[0] != '-' && name.All(c => char.IsAsciiLetterOrDigit(c) || "._:%-".Contains(c, StringComparison.Ordinal));

    /// <summary>The name of a crash directory that is right under a root.</summary>
    /// <exception cref="HostException">InvalidInput: it is somewhere else.</exception>
    public static string Under(string hostName, string root, string path)
    {
        var place = Parse(hostName, path);
        return place.File is null && (place.Root == root || place.Root == root.TrimEnd('/')) ? place.Name
            : throw Refused(hostName, path, $"is not a crash directory right under {Printable.Escape(root)}");
    }

    private static HostException Refused(string hostName, string? path, string why) => new(ErrorIds.InvalidInput, hostName, $"'{Printable.Escape(path ?? "")}' {why}.")
    {
        Remedy = "Give the path as Get-Vmcore shows it: /data/nfs_share/var/crash/192.168.122.1-2026-11-22-10:05:50",
    };
}
