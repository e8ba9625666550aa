using KdumpNfs.Fleet;
using KdumpNfs.Hosts;

namespace KdumpNfs.Setup;

/// <summary>What the operations of this room check alike.</summary>
internal static class SetupProbe
{
    /// <summary>The service that loads the crash kernel in a family.</summary>
    public static string UnitOf(HostFamily family) => family == HostFamily.Debian ? "kdump-tools.service" : "kdump.service";

    public static void CheckSystemd(HostFacts facts)
    {
        if (facts.Tool("systemctl") is null)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, "There is no systemd here, which all supported distributions have.");
        }
    }

    public static void WarnOfDiskless(HostContext context, HostFacts facts)
    {
        HostRequirement.TellUnfinished(facts, context);
        if (facts.LostAtReboot is { } lost)
        {
            context.Warning(lost);
        }
    }
}
