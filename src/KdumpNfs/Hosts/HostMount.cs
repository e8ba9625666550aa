using System.Text;

namespace KdumpNfs.Hosts;

/// <summary>A mounted file system, as /proc/self/mounts lists it (proc(5), fstab(5): blanks in names are octal escapes).</summary>
/// <param name="Source">Device or <c>server:/export</c>.</param>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="FileSystem">Type, such as <c>ext4</c> or <c>nfs4</c>.</param>
public sealed record HostMount(string Source, string MountPoint, string FileSystem)
{
    /// <summary>Whether it is an NFS mount.</summary>
    public bool IsNfs => FileSystem is "nfs" or "nfs4";

    /// <summary>Reads the table; lines that are not mounts are left out.</summary>
    public static IReadOnlyList<HostMount> ParseAll(string table)
    {
        var mounts = new List<HostMount>();
        foreach (var line in table.Split('\n'))
        {
            var words = line.Split(' ');
            if (words.Length >= 3)
            {
                mounts.Add(new HostMount(Unescape(words[0]), Unescape(words[1]), words[2]));
            }
        }

        return mounts;
    }

    /// <summary>The mount that a path lives on: the last one whose mount point is the path or above it.</summary>
    public static HostMount? Of(IEnumerable<HostMount> mounts, string path) =>
        mounts.Where(m => m.MountPoint == "/" || path == m.MountPoint || path.StartsWith(m.MountPoint + "/", StringComparison.Ordinal))
            .OrderBy(m => m.MountPoint.Length).LastOrDefault();

    /// <summary>A sentence where a change of a host's files is gone after a reboot (root on a tmpfs, overlay or NFS); null where it stays.</summary>
    public static string? LostAtReboot(IEnumerable<HostMount> mounts, string hostName) => mounts.LastOrDefault(m => m.MountPoint == "/") is { IsLost: true } root
        ? $"The root file system of {hostName} is {root.FileSystem}: this change is gone after a reboot. Make it in the image the host boots from, too"
        : null;

    /// <summary>Whether what is written there is gone after a reboot, or is not this host's own: a root file system of a diskless host or a live image.</summary>
    public bool IsLost => FileSystem is "tmpfs" or "ramfs" or "rootfs" or "overlay" or "aufs" or "squashfs" or "nfs" or "nfs4";

    /// <summary>Resolves the octal escapes that the kernel and nfs-utils put for blanks in names.</summary>
    internal static string Unescape(string word)
    {
        if (!word.Contains('\\', StringComparison.Ordinal))
        {
            return word;
        }

        var result = new StringBuilder();
        for (var i = 0; i < word.Length; i++)
        {
            if (word[i] == '\\' && i + 3 < word.Length && word.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)Convert.ToInt32(word.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                result.Append(word[i]);
            }
        }

        return result.ToString();
    }
}
