using KdumpNfs.Hosts;

namespace KdumpNfs.Setup;

/// <summary>A piece of memory that is reserved for the capture kernel (/proc/iomem, "Crash kernel").</summary>
/// <param name="Start">First physical address.</param>
/// <param name="End">Last physical address.</param>
public sealed record ReservedRange(long Start, long End)
{
    /// <summary>Its size.</summary>
    public long Bytes => End - Start + 1;

    /// <summary>Whether it lies below 4 GiB, where devices with 32-bit DMA reach it.</summary>
    public bool IsLow => End < 1L << 32;

    /// <inheritdoc/>
    public override string ToString() => System.FormattableString.Invariant($"0x{Start:x}-0x{End:x}");
}

/// <summary>Where the kernel's command line comes from.</summary>
public enum BootSource
{
    /// <summary>From the host's own boot loader: an entry of it has the running kernel.</summary>
    OwnBootLoader,

    /// <summary>From elsewhere: a boot server (PXE, iPXE), a hypervisor that starts the kernel itself, a live medium, a diskless root.</summary>
    Elsewhere,
}

/// <summary>What Get-CrashKernelReservation gives for each host. Sizes are bytes.</summary>
public sealed record CrashKernelReservation
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>Bytes reserved now, all regions; 0 for none, null where the kernel has no kdump.</summary>
    public long? ReservedBytes { get; init; }

    /// <summary>Where; empty without root, because the kernel hides addresses.</summary>
    public IReadOnlyList<ReservedRange> Ranges { get; init; } = [];

    /// <summary>The <c>crashkernel=</c> words that the running kernel was started with.</summary>
    public IReadOnlyList<string> CommandLine { get; init; } = [];

    /// <summary>What these words should give on a host of this memory; null where the kernel decides (auto).</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>The words that the next boot's kernel gets; null where that is decided elsewhere or cannot be read.</summary>
    public IReadOnlyList<string>? NextBoot { get; init; }

    /// <summary>What they will give on a host of this memory; null where it is not known.</summary>
    public long? NextBootBytes { get; init; }

    /// <summary>Whether the reservation changes with the next boot; null where that is decided elsewhere.</summary>
    public bool? RebootRequired { get; init; }

    /// <summary>What the host's distribution sets by default (its tools say it); null where they do not tell.</summary>
    public string? Default { get; init; }

    /// <summary>What that default gives on a host of this memory; 0 where it leaves hosts of this size without.</summary>
    public long? DefaultBytes { get; init; }

    /// <summary>What the host's tools think it needs as it is now (kdumpctl estimate, kdumptool calibrate); null where they were not asked or do not tell.</summary>
    public long? RecommendedBytes { get; init; }

    /// <summary>Where the kernel's command line comes from.</summary>
    public BootSource BootSource { get; init; }

    /// <summary>How that is known.</summary>
    public string BootEvidence { get; init; } = "";

    /// <summary>Every kernel that the host's own boot loader can start.</summary>
    public IReadOnlyList<BootEntry> Entries { get; init; } = [];

    /// <summary>What an admin should look at, a sentence each.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Memory of the host: /proc/iomem's System RAM, or what the kernel manages and reserves where that is hidden.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Running kernel.</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>Which tools manage kdump here.</summary>
    public HostFamily Family { get; init; }

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }
}
