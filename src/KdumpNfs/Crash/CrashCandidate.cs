using KdumpNfs.Kdump;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>A host that was looked at and may be crashed.</summary>
/// <param name="Host">How it is reached.</param>
/// <param name="Status">What was found.</param>
/// <param name="SourceAddress">The address by which its store sees it.</param>
public sealed record CrashCandidate(SshHost Host, KdumpStatus Status, string? SourceAddress)
{
    /// <summary>The serial console over which it is crashed; null to crash it over SSH.</summary>
    public SerialConsole? Console { get; init; }

    /// <summary>What the checks of its readiness found (<see cref="ReadinessCheckNames.All"/>); empty where they were not made.</summary>
    public IReadOnlyList<ReadinessCheck> Checks { get; init; } = [];

    /// <summary>Set where kernel.sysrq is to be raised for the crash over its console.</summary>
    public SysrqRaise? SysrqRaise { get; init; }

    /// <summary>One line for the question before the crash.</summary>
    public override string ToString() =>
        $"{Host.HostName} ({Status.NodeName}, {Status.State}" +
        (Status.NotReadyReason.Count == 0 ? "" : ": " + string.Join(", ", Status.NotReadyReason)) +
        (Status.Target is null ? ")" : $", dumps to {Status.Target})") + (Console is null ? "" : $" over {Console}") +
        (SysrqRaise is null ? "" : $", kernel.sysrq is raised from {SysrqRaise.Before} to {SysrqRaise.Raised} for this boot") +
        (Checks.Any(check => check.Outcome == CheckOutcome.Fail) ? $"; fails {string.Join(", ", Checks.Where(check => check.Outcome == CheckOutcome.Fail).Select(check => check.Name))}" : "") +
        (Status.ErrorId is null ? "" : $"; it does not answer over SSH ({Status.ErrorId}): not checked is whether it is ready and whether that is its console");
}
