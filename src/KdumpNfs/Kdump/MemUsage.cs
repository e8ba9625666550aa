using System.Globalization;

namespace KdumpNfs.Kdump;

/// <summary>A host's memory by kind, as <c>makedumpfile --mem-usage /proc/kcore</c> counts it. All counts are pages.</summary>
/// <param name="PageSize">Bytes in a page.</param>
/// <param name="TotalPages">All pages of the system, without holes.</param>
/// <param name="Zero">Pages filled with zero.</param>
/// <param name="NonPrivateCache">Cache pages without private flag.</param>
/// <param name="PrivateCache">Cache pages with private flag.</param>
/// <param name="User">User process pages.</param>
/// <param name="Free">Free pages.</param>
/// <param name="Kernel">What every dump keeps.</param>
/// <remarks>Source of the format: print_mem_usage in makedumpfile.c; releases before 1.6 called the caches CACHE and CACHE_PRIVATE.</remarks>
public sealed record MemUsage(long PageSize, long TotalPages, long Zero, long NonPrivateCache, long PrivateCache, long User, long Free, long Kernel)
{
    /// <summary>The command that prints it, as root.</summary>
    public const string Command = "makedumpfile --mem-usage /proc/kcore";

    /// <summary>Bytes of memory.</summary>
    public long TotalBytes => TotalPages * PageSize;

    /// <summary>The pages of one kind.</summary>
    /// <param name="kind">One bit of a level; <see cref="DumpLevel.None"/> for what cannot be left out.</param>
    public long Pages(DumpLevel kind) => kind switch
    {
        DumpLevel.None => Kernel,
        DumpLevel.Zero => Zero,
        DumpLevel.NonPrivateCache => NonPrivateCache,
        DumpLevel.PrivateCache => PrivateCache,
        DumpLevel.User => User,
        DumpLevel.Free => Free,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "One kind of page at a time."),
    };

    /// <summary>Reads the command's output; warnings before the table do not matter.</summary>
    /// <param name="output">Standard output and standard error, in whatever order they came.</param>
    /// <exception cref="HostException">EstimateNotPossible: the command failed or printed no table; with its words and what to do.</exception>
    public static MemUsage Parse(string output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in output.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            var (name, number) = colon > 0 ? (line[..colon].Trim(), line[(colon + 1)..].Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault())
                : words.Length >= 3 && words[2] is "yes" or "no" ? (words[0], words[1]) : ("", null);
            if (long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                rows[name] = value;
            }
        }

        long Row(params string[] names) => names.Select(n => rows.GetValueOrDefault(n)).Max();
        var total = Row("Total pages on system");
        var bytes = Row("Total size on system");
        var pageSize = Row("page size") is var size and > 0 ? size : total > 0 ? bytes / total : 0;
        var usage = new MemUsage(pageSize, total, Row("ZERO"), Row("NON_PRI_CACHE", "CACHE"), Row("PRI_CACHE", "CACHE_PRIVATE"), Row("USER"), Row("FREE"), Row("KERN_DATA"));
        var counted = new[] { usage.Zero, usage.NonPrivateCache, usage.PrivateCache, usage.User, usage.Free, usage.Kernel };
        // Twice the largest machine that Linux runs on (4 PiB); more is no count, and sums stay within a long.
        const long Sane = 1L << 53;
        if (usage.Kernel == 0 || pageSize is < 1024 or > 1 << 20 || total == 0 || total > Sane / pageSize || counted.Any(p => p > total))
        {
            throw NotPossible(output);
        }

        return usage;
    }

    private static HostException NotPossible(string output)
    {
        bool Says(string words) => output.Contains(words, StringComparison.OrdinalIgnoreCase);
        var remedy = Says("No memory is reserved") ? "reserve memory for the capture kernel (crashkernel=) and reboot; makedumpfile counts only then."
            : Says("command not found") || Says("not found\n") ? "install makedumpfile (package makedumpfile, or kexec-tools)."
            : Says("invalid option") || Says("unrecognized option") || Says("parameter is invalid") ? "install makedumpfile 1.5.8 or newer: this one has no --mem-usage."
            : Says("Operation not permitted") || Says("Permission denied") ? "run as root; with kernel lockdown (Secure Boot) /proc/kcore cannot be read at all."
            : "see that crash memory is reserved (/sys/kernel/kexec_crash_size is not 0), that you are root, and that makedumpfile is not much older than the kernel.";
        return new HostException(ErrorIds.EstimateNotPossible, "", "makedumpfile could not count the host's memory.")
        {
            HostSaid = output.Length > 2000 ? output[..2000] : output,
            Remedy = remedy,
        };
    }
}
