namespace KdumpNfs.Kdump;

/// <summary>What the capture kernel does when a dump failed (kdump.conf(5), failure_action).</summary>
public enum FailureAction
{
    /// <summary>Starts the host again: the default of every family.</summary>
    Reboot,

    /// <summary>Stops the machine; somebody has to come.</summary>
    Halt,

    /// <summary>Switches the machine off.</summary>
    PowerOff,

    /// <summary>A shell on the console; the host stays down until somebody leaves it.</summary>
    Shell,

    /// <summary>Saves the dump on the host's own root file system, then does the final action.</summary>
    DumpToRootFs,
}

/// <summary>The words of the families for <see cref="FailureAction"/>.</summary>
internal static class FailureActions
{
    /// <summary>The word of kdump.conf.</summary>
    public static string Word(FailureAction action) => action switch
    {
        FailureAction.Halt => "halt",
        FailureAction.PowerOff => "poweroff",
        FailureAction.Shell => "shell",
        FailureAction.DumpToRootFs => "dump_to_rootfs",
        _ => "reboot",
    };

    /// <summary>The refusal of a family that has no such action.</summary>
    public static HostException Refused(FailureAction action, string file, string instead) =>
        new(ErrorIds.NotExpressible, "", $"{file} has no failure action '{Word(action)}'.") { Remedy = instead };
}
