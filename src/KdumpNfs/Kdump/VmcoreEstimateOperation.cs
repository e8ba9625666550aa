using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>How large a dump of a host would be: what Get-VmcoreEstimate gives. Sizes are bytes.</summary>
public sealed record HostVmcoreEstimate
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>What the dump would leave out, with what follows from it.</summary>
    public required DumpLevel DumpLevel { get; init; }

    /// <summary>How its pages would be compressed: as the host is configured.</summary>
    public required VmcoreCompression Compression { get; init; }

    /// <summary>Bytes of the pages kept, before compression.</summary>
    public required long KeptBytes { get; init; }

    /// <summary>The low end of the dump's size.</summary>
    public required long CompressedLowBytes { get; init; }

    /// <summary>The high end of the dump's size; plan space for this much.</summary>
    public required long CompressedHighBytes { get; init; }

    /// <summary>The host's memory as makedumpfile counts it.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Where the range comes from.</summary>
    public required string Basis { get; init; }

    /// <summary>Pages by kind; where <see cref="Coarse"/>, all cache is counted as NonPrivateCache and no zero pages are known.</summary>
    public required MemUsage Pages { get; init; }

    /// <summary>Made from the kernel's own counters instead of makedumpfile's count of pages: the range is wider.</summary>
    public bool Coarse { get; init; }

    /// <summary>Why it is coarse; null where it is not.</summary>
    public string? CoarseReason { get; init; }

    /// <summary>Running kernel.</summary>
    public string KernelRelease { get; init; } = "";
}

/// <summary>Get-VmcoreEstimate: makedumpfile's own count of pages, and what a dump at a level keeps of them.</summary>
public sealed class VmcoreEstimateOperation(HostAccess access)
{
    /// <summary>The level to estimate for; null for the one that the host is configured with.</summary>
    public DumpLevel? DumpLevel { get; init; }

    /// <summary>Takes the kernel's own counters at once: quick, no root needed, a wider range.</summary>
    public bool Coarse { get; init; }

    /// <summary>Estimates for one host; coarsely where makedumpfile cannot count.</summary>
    /// <exception cref="HostException">NotRoot, EstimateNotPossible.</exception>
    public async Task<HostVmcoreEstimate> RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var script = new RemoteScript(HostScript.Load("facts", ("coarse", Coarse ? "1" : "0")).Text + HostScript.Read("memusage"));
            var reply = await HostReply.RunAsync(connection, script, cancellationToken).ConfigureAwait(false);
            var facts = new HostFacts(host.HostName, reply);
            if (!facts.IsRoot && !Coarse)
            {
                throw HostRequirement.NotRoot(host.HostName, "The kernel's memory map is readable for root only.");
            }

            var collector = KdumpConfiguration.Read(facts)?.Collector;
            var level = DumpLevel ?? collector?.DumpLevel ?? Kdump.DumpLevel.All;
            var compression = collector?.Compression ?? VmcoreCompression.None;
            var (usage, estimate, reason) = PageCount.Read(reply, level, compression, Coarse);
            if (reason is not null && !Coarse)
            {
                context.Warning($"The estimate of {host.HostName} is coarse: {reason}");
            }

            context.Verbose(estimate.Basis);
            return new HostVmcoreEstimate
            {
                HostName = host.HostName,
                DumpLevel = DumpLevels.Excluded(level),
                Compression = estimate.Compression,
                KeptBytes = estimate.PageBytes,
                CompressedLowBytes = estimate.LowBytes,
                CompressedHighBytes = estimate.HighBytes,
                MemoryBytes = estimate.TotalBytes,
                Basis = estimate.Basis,
                Pages = usage,
                Coarse = reason is not null,
                CoarseReason = reason,
                KernelRelease = facts.KernelRelease,
            };
        }
    }
}
