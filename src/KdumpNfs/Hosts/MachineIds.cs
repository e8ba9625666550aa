using System.Collections.Concurrent;

namespace KdumpNfs.Hosts;

/// <summary>Notices machine ids that cannot tell hosts apart: the same one on two hosts of a run (a cloned disk), or none.</summary>
public sealed class MachineIds
{
    private readonly ConcurrentDictionary<string, string> _seen = new(StringComparer.Ordinal);

    /// <summary>What is wrong with a host's machine id; null when nothing is. Safe to call from many threads.</summary>
    public string? Notice(HostFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.MachineId is not { } id)
        {
            return $"{facts.HostName} has no machine id (/etc/machine-id is {(facts.RawMachineId.Length == 0 ? "empty or missing" : $"'{Printable.Escape(facts.RawMachineId)}'")}): " +
                "nothing can make sure that a later command meets the same machine. systemd-machine-id-setup gives it one.";
        }

        var first = _seen.GetOrAdd(id, facts.HostName);
        return string.Equals(first, facts.HostName, StringComparison.OrdinalIgnoreCase) ? null
            : $"{facts.HostName} and {first} have the same machine id {id}: two names of one machine, or a clone. " +
                "On a clone, empty /etc/machine-id and run systemd-machine-id-setup.";
    }
}
