using System.Globalization;
using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>Pages by kind from the kernel's own counters (/proc/meminfo), where makedumpfile cannot count them.</summary>
/// <remarks>Sources: Documentation/filesystems/proc.rst ("meminfo"); __exclude_unnecessary_pages in makedumpfile.c, by which cache is what is in
/// the page cache and not anonymous (shared memory and tmpfs among it), and user data is what is anonymous or in huge pages. What is
/// zero, or in the cache with the private flag, no counter tells.</remarks>
internal static class CoarseUsage
{
    /// <summary>The counts, with the cache taken for pages without or with the private flag.</summary>
    /// <param name="meminfo">The file.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="iomem">System RAM and the crash kernel of /proc/iomem; zero addresses where only root may see them.</param>
    /// <exception cref="HostException">EstimateNotPossible: it lacks what is needed.</exception>
    public static (MemUsage WithoutFlag, MemUsage WithFlag) Parse(string meminfo, long pageSize, string iomem)
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in meminfo.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[0].EndsWith(':') && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                // More than any machine has; sums stay within a long.
                values[words[0][..^1]] = Math.Min(value, 1L << 43);
            }
        }

        long Pages(string name) => values.GetValueOrDefault(name) * 1024 / pageSize;
        var total = Pages("MemTotal");
        if (total == 0 || !values.ContainsKey("MemFree") || pageSize is < 1024 or > 1 << 20)
        {
            throw new HostException(ErrorIds.EstimateNotPossible, "", "The host's /proc/meminfo does not tell its memory.") { HostSaid = meminfo.Length > 500 ? meminfo[..500] : meminfo, Remedy = "look at /proc/meminfo on the host." };
        }

        var huge = Pages("Hugetlb") is > 0 and var every ? every : values.GetValueOrDefault("HugePages_Total") * values.GetValueOrDefault("Hugepagesize") * 1024 / pageSize;
        var free = Math.Min(Pages("MemFree"), total);
        var user = Math.Min(Pages("AnonPages") + huge, total - free);
        var cache = Math.Min(Pages("Cached") + Pages("Buffers") + Pages("SwapCached"), total - free - user);
        // What the kernel keeps for itself before it counts (its image, the description of each page) is not in MemTotal; a dump has it. The
        // memory map tells how much that is, to root; else 48 MiB and a 64th of the memory, as seen and as 64 bytes a page make it.
        var (ram, reserved) = IoMemory.Parse(iomem);
        var all = ram > 0 ? (ram - reserved.Sum(r => r.End - r.Start + 1)) / pageSize : 0;
        all = all > total ? all : total + (total / 64) + ((48L << 20) / pageSize);
        var usage = new MemUsage(pageSize, all, 0, cache, 0, user, free, Math.Max(all - free - user - cache, 1));
        return (usage, usage with { NonPrivateCache = 0, PrivateCache = cache });
    }

    /// <summary>The estimate: from the smaller of both, with half, to the larger with as much again.</summary>
    public static VmcoreEstimate Estimate(MemUsage withoutFlag, MemUsage withFlag, DumpLevel level, VmcoreCompression compression)
    {
        var (one, other) = (VmcoreEstimate.Of(withoutFlag, level, compression), VmcoreEstimate.Of(withFlag, level, compression));
        var high = Math.Max(one.HighBytes, other.HighBytes);
        // Uncompressed, a dump cannot be larger than the memory and its own tables.
        var most = (long)(one.TotalBytes * 1.05);
        return one with
        {
            PageBytes = Math.Max(one.PageBytes, other.PageBytes),
            LowBytes = Math.Min(one.LowBytes, other.LowBytes) / 2,
            HighBytes = Math.Max(high, Math.Min((long)(high * 1.5), most)),
            Basis = "coarse, from /proc/meminfo (memory that is neither free, nor cache, nor of users); " + one.Basis + "; then half as much to half as much again",
        };
    }
}
