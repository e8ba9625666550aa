using KdumpNfs.Collection;
using KdumpNfs.Readiness;

namespace KdumpNfs.Drills;

/// <summary>How a drill ended.</summary>
public enum DrillVerdict
{
    /// <summary>The host crashed, its dump was read and is whole, and the host is back.</summary>
    Proven,

    /// <summary>The host crashed and left no whole dump; the reason says what is known of why.</summary>
    NotCaptured,

    /// <summary>The host was not ready; it was not crashed.</summary>
    NotReady,

    /// <summary>The trigger was pulled, or was about to be, and the kernel did not crash.</summary>
    NotCrashed,

    /// <summary>The host crashed and did not come back in time; whether a dump came is told beside it.</summary>
    HostNotBack,

    /// <summary>The host crashed and came back; whether its dump is whole could not be found out.</summary>
    Incomplete,

    /// <summary>It was not its turn: the drill was stopped before, or too many hosts had failed.</summary>
    NotStarted,
}

/// <summary>A part of a drill.</summary>
public enum DrillPhaseKind
{
    /// <summary>Is the host ready? Looked at again just before its turn.</summary>
    Readiness,

    /// <summary>Waiting for its turn: other hosts that are down, its group, a pause, the lease on the store.</summary>
    Turn,

    /// <summary>From the trigger to the host's silence.</summary>
    Crash,

    /// <summary>From the trigger to the whole dump on the store, or to the end of hope for it.</summary>
    Capture,

    /// <summary>From the trigger to the host's new boot.</summary>
    Return,

    /// <summary>A power cycle of a host that did not come back, until it was back.</summary>
    PowerCycle,

    /// <summary>From the new boot until the host is ready for the next crash.</summary>
    Rearm,
}

/// <summary>A part of a drill and how long it took.</summary>
/// <param name="Phase">Which part.</param>
/// <param name="StartedAt">When it began, by this machine's clock.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Succeeded">Whether it ended as hoped for.</param>
public sealed record DrillPhase(DrillPhaseKind Phase, DateTimeOffset StartedAt, TimeSpan Duration, bool Succeeded);

/// <summary>A drill of one host: what Invoke-KdumpDrill gives.</summary>
public sealed record KdumpDrill
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>How it ended.</summary>
    public required DrillVerdict Verdict { get; init; }

    /// <summary>Why it is not Proven, one sentence; null when it is.</summary>
    public string? Reason { get; init; }

    /// <summary>What the capture, the console or the host's pstore said about it; null where nothing was found.</summary>
    public string? Said { get; init; }

    /// <summary>Where <see cref="Said"/> comes from.</summary>
    public DrillWordsSource SaidBy { get; init; }

    /// <summary>The checks of its readiness that failed, with what was seen and what to do; after a crash only with -AllowNotReady.</summary>
    public IReadOnlyList<ReadinessCheck> FailedChecks { get => field ?? []; init; } = [];

    /// <summary>The checks of its readiness with a warning: they hold up no drill.</summary>
    public IReadOnlyList<ReadinessCheck> WarnedChecks { get => field ?? []; init; } = [];

    /// <summary>The dump on the store; null when none came.</summary>
    public VmcoreDump? Vmcore { get; init; }

    /// <summary>Every phase that was begun, in order.</summary>
    public IReadOnlyList<DrillPhase> Phases { get => field ?? []; init; } = [];

    /// <summary>From the trigger to the whole dump; null where there is none.</summary>
    public TimeSpan? CaptureTime { get; init; }

    /// <summary>From the trigger until the host was back; null where it is not.</summary>
    public TimeSpan? Away { get; init; }

    /// <summary>Whether the host was ready again after the drill.</summary>
    public bool Rearmed { get; init; }

    /// <summary>Whether the host keeps the outcome (/var/lib/kdumpnfs/drill.json).</summary>
    public bool KeptOnHost { get; init; }

    /// <summary>Kernel that was crashed.</summary>
    public string KernelRelease { get => field ?? ""; init; } = "";

    /// <summary>Where dumps go, as the host is configured.</summary>
    public string? Target { get; init; }

    /// <summary>Machine id of the host.</summary>
    public string? MachineId { get; init; }

    /// <summary>Boot that was to be ended.</summary>
    public string? BootIdBefore { get; init; }

    /// <summary>Boot that the host came back with; null if it is not back.</summary>
    public string? BootIdAfter { get; init; }

    /// <summary>The serial console over which it was crashed; null over SSH.</summary>
    public string? SerialConsole { get; init; }

    /// <summary>What that console said from the break on: the panic, the capture, the way back; null where nothing was listened to. Escape control characters
    /// before showing it.</summary>
    public string? ConsoleText { get; init; }

    /// <summary>What became of a kernel.sysrq that was raised for the drill; null where none was.</summary>
    public DrillSysrq? RaisedSysrq { get; init; }

    /// <summary>When the trigger was pulled, by this machine's clock; null if it was not.</summary>
    public DateTimeOffset? TriggeredAt { get; init; }

    /// <summary>When the verdict was reached, by this machine's clock.</summary>
    public DateTimeOffset CompletedAt { get; init; }

    /// <summary>Whether an earlier controller had begun it.</summary>
    public bool Resumed { get; init; }

    /// <summary>The journal of the drill on this machine.</summary>
    public string Journal { get => field ?? ""; init; } = "";

    /// <summary>Host and verdict.</summary>
    public override string ToString() => $"{HostName} {Verdict}";
}

/// <summary>Who said why there is no dump.</summary>
public enum DrillWordsSource
{
    /// <summary>Nobody.</summary>
    None,

    /// <summary>The capture's own log, or the file itself, on the store.</summary>
    Store,

    /// <summary>The host's serial console.</summary>
    Console,

    /// <summary>What the crashed kernel kept in the host's persistent memory.</summary>
    Pstore,

    /// <summary>The host's tools or kernel, while it was up.</summary>
    Host,
}
