using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;

namespace KdumpNfs.Readiness;

/// <summary>Everything that the checks judge: what the host said, and when.</summary>
internal sealed record ReadinessInput
{
    public required HostFacts Facts { get; init; }

    public required KdumpStatus Status { get; init; }

    public required CrashKernelReservation Reservation { get; init; }

    public required ReadinessFacts More { get; init; }

    /// <summary>The configuration in common terms; null where there is none.</summary>
    public KdumpConfigurationView? View { get; init; }

    /// <summary>The RHEL family's configuration; null elsewhere.</summary>
    public KdumpConf? Conf { get; init; }

    /// <summary>Debian's configuration; null elsewhere.</summary>
    public KdumpToolsDefaults? Defaults { get; init; }

    /// <summary>What lies in the capture image; null where it cannot be looked into.</summary>
    public ImageContent? Image { get; init; }

    /// <summary>How large a dump would be; null where it was not counted.</summary>
    public VmcoreEstimate? Estimate { get; init; }

    /// <summary>Why <see cref="Estimate"/> is coarse; null where makedumpfile counted.</summary>
    public string? CoarseReason { get; init; }

    /// <summary>Whether the target was to be probed.</summary>
    public bool Probe { get; init; }

    /// <summary>When the second script was sent, by the controller's clock.</summary>
    public DateTimeOffset Sent { get; init; }

    /// <summary>When its answer was there.</summary>
    public DateTimeOffset Received { get; init; }

    public KdumpTarget? Target => Status.Target;

    public bool Supported => Status.State != KdumpState.NotSupported;

    public bool Has(NotReadyReason reason) => Status.NotReadyReason.Contains(reason);
}

/// <summary>The checks of a host as they are made.</summary>
internal sealed class ReadinessReport
{
    private readonly Dictionary<string, ReadinessCheck> _checks = new(StringComparer.Ordinal);

    public void Pass(string name, string evidence) => Add(name, CheckOutcome.Pass, evidence, null);

    public void Warn(string name, string evidence, string remedy) => Add(name, CheckOutcome.Warn, evidence, remedy);

    public void Fail(string name, string evidence, string remedy) => Add(name, CheckOutcome.Fail, evidence, remedy);

    public void NotChecked(string name, string why, string? remedy = null) => Add(name, CheckOutcome.NotChecked, why, remedy);

    /// <summary>Every check, in order; what nobody judged was not checked.</summary>
    public IReadOnlyList<ReadinessCheck> All(string otherwise) =>
        [.. ReadinessCheckNames.All.Select(name => _checks.GetValueOrDefault(name) ?? new ReadinessCheck(name, CheckOutcome.NotChecked, otherwise, null))];

    private void Add(string name, CheckOutcome outcome, string evidence, string? remedy) =>
        _checks[name] = new ReadinessCheck(name, outcome, Printable.EscapeLines(evidence), remedy);
}
