using KdumpNfs.Collection;

namespace KdumpNfs.Crash;

/// <summary>Whether a crash left its dump.</summary>
public enum CaptureVerdict
{
    /// <summary>A complete dump of it is on the store.</summary>
    Captured,

    /// <summary>There is none, or it is not complete.</summary>
    Uncaptured,

    /// <summary>It cannot be told. The evidence says why.</summary>
    Unknown,
}

/// <summary>A boot of a host that did not end in good order: a crash, a reset or a power cut.</summary>
public sealed record UncleanBoot
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>The boot's id; null where only wtmp or pstore tells of it.</summary>
    public string? BootId { get; init; }

    /// <summary>Release of the kernel that ran; null where that is not known.</summary>
    public string? KernelRelease { get; init; }

    /// <summary>When the boot began, by the host's clock.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the host last wrote something to its journal: shortly before the end.</summary>
    public DateTimeOffset? LastSeenAt { get; init; }

    /// <summary>When the next boot began: the end was before that.</summary>
    public DateTimeOffset? NextBootAt { get; init; }

    /// <summary>Why the kernel panicked, where the journal or pstore has it; null where there is no sign of a panic (a power cut leaves none, many crashes neither).</summary>
    public string? PanicReason { get; init; }

    /// <summary>The last lines of the host's journal, controls escaped.</summary>
    public IReadOnlyList<string> LastWords { get; init; } = [];

    /// <summary>Whether a dump of it is there.</summary>
    public required CaptureVerdict Verdict { get; init; }

    /// <summary>What the verdict and the boot's end are known from.</summary>
    public required IReadOnlyList<string> Evidence { get; init; }

    /// <summary>The dump that matches by host and time; null for none.</summary>
    public VmcoreDump? Dump { get; init; }

    /// <summary>The best time known for the end.</summary>
    public DateTimeOffset? EndedAt => Dump?.CrashTimeSource == CrashTimeSource.Dump ? Dump.CrashTime : LastSeenAt ?? NextBootAt;
}
