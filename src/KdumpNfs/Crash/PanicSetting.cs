namespace KdumpNfs.Crash;

/// <summary>A kernel parameter that decides when a kernel panics by itself, and what it does then.</summary>
public enum PanicSetting
{
    /// <summary>kernel.softlockup_panic: a processor that runs kernel code for 2 * watchdog_thresh seconds (20) without giving it up.</summary>
    SoftlockupPanic,

    /// <summary>kernel.hardlockup_panic: a processor that takes no interrupts for watchdog_thresh seconds; needs the NMI watchdog.</summary>
    HardlockupPanic,

    /// <summary>kernel.hung_task_panic: a task that waits uninterruptibly for hung_task_timeout_secs (120). Kernels since 6.19 read it as a number of tasks.</summary>
    HungTaskPanic,

    /// <summary>kernel.panic_on_io_nmi: an NMI because of an I/O error; the dump button of some servers.</summary>
    PanicOnIoNmi,

    /// <summary>kernel.panic_on_unrecovered_nmi: an NMI because of memory, or of unknown cause, that was not recovered from.</summary>
    PanicOnUnrecoveredNmi,

    /// <summary>kernel.unknown_nmi_panic: any NMI of unknown cause; how most BMCs' "diagnostic interrupt" arrives.</summary>
    UnknownNmiPanic,

    /// <summary>kernel.panic_on_oops: an oops or BUG.</summary>
    PanicOnOops,

    /// <summary>kernel.panic_on_warn: every WARN(), also those that the kernel would live through.</summary>
    PanicOnWarn,

    /// <summary>kernel.panic: seconds until a panicked kernel reboots; 0 never, negative at once. A loaded crash kernel comes first.</summary>
    PanicTimeout,

    /// <summary>kernel.nmi_watchdog: the detector of hard lockups.</summary>
    NmiWatchdog,
}

/// <summary>Names and ranges of the settings.</summary>
/// <remarks>Source: the kernel's Documentation/admin-guide/sysctl/kernel.rst.</remarks>
public static class PanicSettings
{
    /// <summary>All settings, in the order in which they are shown.</summary>
    public static IReadOnlyList<PanicSetting> All { get; } = Enum.GetValues<PanicSetting>();

    /// <summary>What a change to <c>panic_on_warn</c> has to be agreed to with, beside the change itself.</summary>
    public const string PanicOnWarnDanger =
        "kernel.panic_on_warn=1 makes the kernel panic at every WARN(), also at the many that are harmless and that the host would live through " +
        "(Documentation/admin-guide/sysctl/kernel.rst). Programs and devices can cause warnings. It is meant for hunting one bug on a few hosts, not for production.";

    /// <summary>The parameter's name, with dots.</summary>
    public static string Key(this PanicSetting setting) => setting switch
    {
        PanicSetting.SoftlockupPanic => "kernel.softlockup_panic",
        PanicSetting.HardlockupPanic => "kernel.hardlockup_panic",
        PanicSetting.HungTaskPanic => "kernel.hung_task_panic",
        PanicSetting.PanicOnIoNmi => "kernel.panic_on_io_nmi",
        PanicSetting.PanicOnUnrecoveredNmi => "kernel.panic_on_unrecovered_nmi",
        PanicSetting.UnknownNmiPanic => "kernel.unknown_nmi_panic",
        PanicSetting.PanicOnOops => "kernel.panic_on_oops",
        PanicSetting.PanicOnWarn => "kernel.panic_on_warn",
        PanicSetting.PanicTimeout => "kernel.panic",
        PanicSetting.NmiWatchdog => "kernel.nmi_watchdog",
        _ => throw new ArgumentOutOfRangeException(nameof(setting)),
    };

    /// <summary>The setting of a parameter; null where it is none of these.</summary>
    public static PanicSetting? Of(string key) => All.Where(s => s.Key() == key).Cast<PanicSetting?>().FirstOrDefault();

    /// <summary>Refuses what no kernel takes.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static void Check(PanicSetting setting, int value)
    {
        if (setting != PanicSetting.PanicTimeout && value is not (0 or 1))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"{setting.Key()} is 0 or 1, not {value}.") { Remedy = "1 turns it on, 0 turns it off." };
        }

        if (setting == PanicSetting.PanicTimeout && value is < -1 or > 86400)
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"A panic timeout of {value} s is not between -1 and 86400.")
            {
                Remedy = "0 never reboots, -1 reboots at once, other numbers are seconds.",
            };
        }
    }
}
