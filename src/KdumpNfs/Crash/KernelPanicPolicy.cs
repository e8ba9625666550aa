namespace KdumpNfs.Crash;

/// <summary>One panic setting of a host.</summary>
/// <param name="Setting">Which.</param>
/// <param name="Key">The kernel parameter.</param>
/// <param name="Value">In force now; null where the running kernel does not know it.</param>
/// <param name="BootValue">What a file gives it at the next boot; null where none does (the kernel's own default then, or its command line).</param>
/// <param name="BootFile">That file.</param>
/// <param name="DropInValue">What our drop-in says; null where it says nothing.</param>
/// <param name="Before">The value before Set-KernelPanicPolicy; null where we did not change it.</param>
public sealed record KernelPanicSetting(PanicSetting Setting, string Key, int? Value, int? BootValue, string? BootFile, int? DropInValue, int? Before);

/// <summary>When the kernel of a host panics by itself.</summary>
public sealed record KernelPanicPolicy
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>A soft lockup panics; null where the kernel does not know the setting, here and below.</summary>
    public bool? SoftlockupPanic => Flag(PanicSetting.SoftlockupPanic);

    /// <summary>A hard lockup panics.</summary>
    public bool? HardlockupPanic => Flag(PanicSetting.HardlockupPanic);

    /// <summary>A hung task panics.</summary>
    public bool? HungTaskPanic => Flag(PanicSetting.HungTaskPanic);

    /// <summary>An NMI because of an I/O error panics.</summary>
    public bool? PanicOnIoNmi => Flag(PanicSetting.PanicOnIoNmi);

    /// <summary>An NMI that was not recovered from panics.</summary>
    public bool? PanicOnUnrecoveredNmi => Flag(PanicSetting.PanicOnUnrecoveredNmi);

    /// <summary>An NMI of unknown cause panics.</summary>
    public bool? UnknownNmiPanic => Flag(PanicSetting.UnknownNmiPanic);

    /// <summary>An oops panics.</summary>
    public bool? PanicOnOops => Flag(PanicSetting.PanicOnOops);

    /// <summary>A warning panics.</summary>
    public bool? PanicOnWarn => Flag(PanicSetting.PanicOnWarn);

    /// <summary>Seconds from a panic to the reboot; 0 never, negative at once.</summary>
    public int? PanicTimeout => Value(PanicSetting.PanicTimeout);

    /// <summary>The detector of hard lockups runs.</summary>
    public bool? NmiWatchdog => Flag(PanicSetting.NmiWatchdog);

    /// <summary>All settings with where they come from.</summary>
    public required IReadOnlyList<KernelPanicSetting> Settings { get; init; }

    /// <summary>Since when something of before is remembered, so that Restore-KernelPanicPolicy has something to do; null where nothing is, or the account may not see it.</summary>
    public DateTimeOffset? ChangedSince { get; init; }

    private int? Value(PanicSetting setting) => Settings.FirstOrDefault(s => s.Setting == setting)?.Value;

    private bool? Flag(PanicSetting setting) => Value(setting) is { } value ? value != 0 : null;
}

/// <summary>What Set-KernelPanicPolicy or Restore-KernelPanicPolicy did.</summary>
public sealed record KernelPanicPolicyChange
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when everything was as asked for.</summary>
    public required bool Changed { get; init; }

    /// <summary>How long it lasts.</summary>
    public required SettingScope Scope { get; init; }

    /// <summary>What is in force now and was not before.</summary>
    public IReadOnlyList<SysctlValueChange> Values { get; init; } = [];

    /// <summary>Parameters that the running kernel does not know; they were not written.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <summary>Parameters that somebody else changed since; a restore left them alone.</summary>
    public IReadOnlyList<string> Foreign { get; init; } = [];

    /// <summary>Parameters that another file takes away from our drop-in at the next boot, with that file.</summary>
    public IReadOnlyList<SysctlWinner> OverriddenBy { get; init; } = [];

    /// <summary>The image tree that was changed on the host, which is a build host then; null where the host itself was.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>The drop-in as it was before this change; null if it did not change or did not exist.</summary>
    public string? Backup { get; init; }

    /// <summary>The change of the drop-in as a unified diff.</summary>
    public string Diff { get; init; } = "";
}
