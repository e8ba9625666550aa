using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>A host's pages by kind and the dump they make: makedumpfile's own count, or the kernel's counters where it cannot count.</summary>
/// <param name="Usage">Pages by kind; coarse ones count all cache as pages without the private flag.</param>
/// <param name="Estimate">The dump.</param>
/// <param name="CoarseReason">Why it is coarse; null where makedumpfile counted.</param>
internal sealed record PageCount(MemUsage Usage, VmcoreEstimate Estimate, string? CoarseReason)
{
    /// <summary>Reads what memusage.sh said.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="level">What the dump leaves out.</param>
    /// <param name="compression">How its pages are compressed.</param>
    /// <param name="coarse">The kernel's counters were asked for.</param>
    /// <exception cref="HostException">EstimateNotPossible: not even the counters tell.</exception>
    public static PageCount Read(HostReply reply, DumpLevel level, VmcoreCompression compression, bool coarse = false)
    {
        var (usage, reason) = coarse ? (null, "it was asked for") : Count(reply);
        if (usage is not null)
        {
            return new PageCount(usage, VmcoreEstimate.Of(usage, level, compression), null);
        }

        var (withoutFlag, withFlag) = CoarseUsage.Parse(reply.Text("meminfo.all") ?? "", reply.Number("page.size") ?? 4096, reply.Text("iomem") ?? "");
        return new PageCount(withoutFlag, CoarseUsage.Estimate(withoutFlag, withFlag, level, compression), reason);
    }

    // makedumpfile's own count, or why there is none.
    private static (MemUsage? Usage, string? Reason) Count(HostReply reply)
    {
        if (reply.Text("memusage") is not { } said)
        {
            return (null, "makedumpfile is not installed");
        }

        try
        {
            return (MemUsage.Parse(said), null);
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.EstimateNotPossible)
        {
            // Its last words are the cause; the lines before are about versions.
            var words = said.Trim().Split('\n').LastOrDefault(l => l.Trim().Length > 0 && !l.StartsWith("makedumpfile ", StringComparison.Ordinal) && !l.StartsWith("The ", StringComparison.Ordinal)) ?? "";
            return (null, $"{e.What} {Printable.Escape(words.Trim())} - {e.Remedy}".Replace("  ", " ", StringComparison.Ordinal));
        }
    }
}
