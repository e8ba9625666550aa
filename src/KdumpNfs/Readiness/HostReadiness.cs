using KdumpNfs.Kdump;

namespace KdumpNfs.Readiness;

/// <summary>Whether a crash of a host now would end as a usable vmcore: what Test-KdumpReadiness gives for each host. Sizes are bytes.</summary>
public sealed record HostReadiness
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>Whether no check failed. Warnings and checks that were not made do not change it; <see cref="State"/> tells how much was proven.</summary>
    public required bool Passed { get; init; }

    /// <summary>NotReady with a failed check; Probed when the export was mounted and written from the host just now; Proven when a drill's
    /// dump was read and kernel, image and target are still those of the drill; else Configured.</summary>
    public required KdumpState State { get; init; }

    /// <summary>Every check, in the order of <see cref="ReadinessCheckNames.All"/>; empty when the host could not be asked.</summary>
    public IReadOnlyList<ReadinessCheck> Checks { get; init; } = [];

    /// <summary>The names of the checks that failed.</summary>
    public IReadOnlyList<string> Failed => NamesOf(CheckOutcome.Fail);

    /// <summary>The names of the checks with a warning.</summary>
    public IReadOnlyList<string> Warned => NamesOf(CheckOutcome.Warn);

    /// <summary>The names of the checks that were not made.</summary>
    public IReadOnlyList<string> NotChecked => NamesOf(CheckOutcome.NotChecked);

    /// <summary>Whether the export was to be mounted and written.</summary>
    public bool Probe { get; init; }

    /// <summary>Where dumps go; null if that is not known.</summary>
    public KdumpTarget? Target { get; init; }

    /// <summary>Addresses of the store as the host resolves its name, the first one first; empty if it does not.</summary>
    public IReadOnlyList<string> StoreAddresses { get; init; } = [];

    /// <summary>Free bytes on the target as the host sees it; null if it was not asked.</summary>
    public long? StoreFreeBytes { get; init; }

    /// <summary>Size of the target's file system as the host sees it; null if it was not asked.</summary>
    public long? StoreTotalBytes { get; init; }

    /// <summary>How large a dump would be at most; null if that is not known.</summary>
    public long? EstimateBytes { get; init; }

    /// <summary><see cref="EstimateBytes"/> comes from the kernel's counters, because makedumpfile could not count pages: wider, on the safe side.</summary>
    public bool EstimateCoarse { get; init; }

    /// <summary>The last drill as the host keeps it; null if there was none.</summary>
    public DrillRecord? LastDrill { get; init; }

    /// <summary>What Get-KdumpStatus would give; null when the host could not be asked.</summary>
    public KdumpStatus? Status { get; init; }

    /// <summary>The error's id when the host could not be asked; null otherwise.</summary>
    public string? ErrorId { get; init; }

    /// <summary>Why it could not be asked; null otherwise.</summary>
    public string? Message { get; init; }

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Boot that was looked at.</summary>
    public string BootId { get; init; } = "";

    /// <summary>When the host was looked at, by the controller's clock.</summary>
    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>A check by its name; null where there is none (a host that could not be asked).</summary>
    public ReadinessCheck? Check(string name) => Checks.FirstOrDefault(check => string.Equals(check.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The object for a host that could not be asked: it does not pass.</summary>
    public static HostReadiness NotAsked(HostException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new() { HostName = error.HostName, Passed = false, State = KdumpState.Unknown, ErrorId = error.ErrorId, Message = error.What, CheckedAt = DateTimeOffset.Now };
    }

    private List<string> NamesOf(CheckOutcome outcome) => [.. Checks.Where(check => check.Outcome == outcome).Select(check => check.Name)];
}
