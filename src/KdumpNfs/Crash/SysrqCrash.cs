namespace KdumpNfs.Crash;

/// <summary>A crash that was triggered.</summary>
public sealed record SysrqCrash
{
    /// <summary>The host as it was asked for.</summary>
    public required string CrashedHost { get; init; }

    /// <summary>The address by which the store sees the host; null where there is no network target.</summary>
    public string? SourceAddress { get; init; }

    /// <summary>Every name and address by which the store may know the host.</summary>
    public IReadOnlyList<string> Identities { get => field ?? []; init; } = [];

    /// <summary>Where the dump is to arrive, as the host is configured.</summary>
    public Kdump.KdumpTarget? Target { get; init; }

    /// <summary>Machine id of the host that was crashed.</summary>
    public string? MachineId { get; init; }

    /// <summary>Kernel that was crashed.</summary>
    public string KernelRelease { get => field ?? ""; init; } = "";

    /// <summary>Boot that was ended.</summary>
    public required string BootIdBefore { get; init; }

    /// <summary>When the trigger was pulled, by the controller's clock.</summary>
    public DateTimeOffset TriggeredAt { get; init; }

    /// <summary>Whether file systems were synced before; false where sync hung for longer than its limit.</summary>
    public bool Synced { get; init; }

    /// <summary>Boot that the host came back with; null if that was not waited for.</summary>
    public string? BootIdAfter { get; init; }

    /// <summary>How long the host was away from SSH; null if that was not waited for.</summary>
    public TimeSpan? Away { get; init; }

    /// <summary>The serial console over which it was crashed; null where that was done over SSH.</summary>
    public string? Console { get; init; }

    /// <summary>What the console said from the break on: the panic, then the capture kernel, as long as was listened. Escape control characters before showing it.</summary>
    public string? ConsoleText { get; init; }

    /// <summary>Why the listening ended.</summary>
    public ConsoleEnd? ConsoleEnd { get; init; }

    /// <summary>Whether the console was proved to be this host's before the break; null without a console.</summary>
    public bool? ConsoleProven { get; init; }
}
