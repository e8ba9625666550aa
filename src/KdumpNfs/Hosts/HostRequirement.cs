using KdumpNfs.Fleet;

namespace KdumpNfs.Hosts;

/// <summary>What operations ask of a host before they go on, and what they tell of it, in the same words everywhere.</summary>
internal static class HostRequirement
{
    /// <summary>The account is not root.</summary>
    /// <param name="hostName">The host.</param>
    /// <param name="what">What needs root.</param>
    public static HostException NotRoot(string hostName, string what = "The change needs root.") => new(ErrorIds.NotRoot, hostName, what)
    {
        Remedy = "Connect as root, or use -Sudo with an account that may run sudo (with -SudoPassword where sudo asks).",
    };

    /// <summary>Refuses another machine than the one that an earlier object of the pipeline saw.</summary>
    /// <param name="hostName">The host.</param>
    /// <param name="found">Its machine id.</param>
    /// <param name="wanted">The one that was seen; null to take what is there.</param>
    /// <exception cref="HostException">MachineIdMismatch.</exception>
    public static void SameMachine(string hostName, string? found, string? wanted)
    {
        if (wanted is not null && found != wanted)
        {
            throw new HostException(ErrorIds.MachineIdMismatch, hostName, $"This is another machine: machine-id {found ?? "(none)"} instead of {wanted}.")
            {
                Remedy = "The name leads to a different host than when it was looked at. Nothing was done to it; find out which one you mean.",
            };
        }
    }

    /// <summary>Tells how an earlier change ended whose controller was gone.</summary>
    public static void TellUnfinished(HostFacts facts, HostContext context)
    {
        if (facts.Unfinished is { Running: false } earlier)
        {
            context.Warning($"An earlier change of {facts.HostName}, whose controller was gone, {earlier}.");
        }
    }
}
