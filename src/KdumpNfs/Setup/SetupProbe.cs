using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Setup;

/// <summary>What the operations of this room check alike.</summary>
internal static class SetupProbe
{
    /// <summary>The service that loads the crash kernel in a family.</summary>
    public static string UnitOf(HostFamily family) => family == HostFamily.Debian ? "kdump-tools.service" : "kdump.service";

    public static void CheckMachine(SshHost host, string? found, string? wanted)
    {
        if (wanted is not null && found != wanted)
        {
            throw new HostException(ErrorIds.MachineIdMismatch, host.HostName, $"This is another machine: machine-id {found ?? "(none)"} instead of {wanted}.")
            {
                Remedy = "The name leads to a different host than when it was looked at. Nothing was changed; find out which one you mean.",
            };
        }
    }

    public static void CheckRoot(SshHost host, bool isRoot)
    {
        if (!isRoot)
        {
            throw new HostException(ErrorIds.NotRoot, host.HostName, "The change needs root.")
            {
                Remedy = "Connect as root, or use -Sudo with an account that may run sudo without a password.",
            };
        }
    }

    public static void CheckSystemd(HostFacts facts)
    {
        if (facts.Tool("systemctl") is null)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, "There is no systemd here, which all supported distributions have.");
        }
    }

    public static void WarnOfDiskless(HostContext context, HostFacts facts)
    {
        if (facts.Unfinished is { Running: false } earlier)
        {
            context.Warning($"An earlier change of {facts.HostName}, whose controller was gone, {earlier}.");
        }

        if (!facts.ChangesSurviveReboot)
        {
            context.Warning($"The root file system of {facts.HostName} is {facts.RootMount?.FileSystem}: this change is gone after a reboot. Make it in the image the host boots from, too.");
        }
    }
}
