namespace KdumpNfs.Readiness;

/// <summary>How much room a store has for the hosts that dump to it: given after the hosts with -Summary. Sizes are bytes.</summary>
public sealed record StoreReadiness
{
    /// <summary>The store and its export (<c>server:/export</c>), or the account and directory of an ssh target. All of them, with commas between, where
    /// hosts go to one file system by several names or exports.</summary>
    public required string Store { get; init; }

    /// <summary>Hosts of this run that dump there.</summary>
    public required IReadOnlyList<string> Hosts { get; init; }

    /// <summary>Those that passed.</summary>
    public required int Passed { get; init; }

    /// <summary>Free bytes, the least that a host saw; null where no host was probed.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>Size of the file system; null where it is not known.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>What the dumps of all hosts that were counted need at most, together.</summary>
    public long NeededBytes { get; init; }

    /// <summary>Hosts whose dump could not be estimated; they are not in the figures.</summary>
    public int NotEstimated { get; init; }

    /// <summary>So many of the hosts may crash at the same time, whichever they are; null where it is not known.</summary>
    public int? SimultaneousCrashes { get; init; }

    /// <summary>Whether the dumps of all of them fit at once; null where it is not known.</summary>
    public bool? AllFit => SimultaneousCrashes is { } fit ? fit >= Hosts.Count - NotEstimated : null;

    /// <summary>A sentence where not all fit; null otherwise.</summary>
    public string? Warning => AllFit == false
        ? $"{Store} has {HostChecks.MiB(FreeBytes!.Value)} free: {SimultaneousCrashes} of {Hosts.Count - NotEstimated} hosts may crash at the same time, all of them need up to {HostChecks.MiB(NeededBytes)}."
        : null;

    /// <summary>Puts the hosts of a run together by the file system that their dumps go to: the same store and export, or one server's address with a
    /// file system of one size, as probed hosts see it.</summary>
    public static IReadOnlyList<StoreReadiness> Of(IEnumerable<HostReadiness> hosts)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        return [.. StorePlaces.Of(hosts).Select(place => Add(place.Texts, place.Hosts))];
    }

    private static StoreReadiness Add(IReadOnlyList<string> texts, IReadOnlyList<HostReadiness> hosts)
    {
        var free = hosts.Min(host => host.StoreFreeBytes);
        // The largest first: what fits then fits in any order.
        var dumps = hosts.Select(host => host.EstimateBytes).OfType<long>().OrderDescending().ToList();
        int? fit = null;
        if (free is { } room && dumps.Count > 0)
        {
            fit = 0;
            foreach (var dump in dumps)
            {
                room -= dump;
                if (room < 0)
                {
                    break;
                }

                fit++;
            }
        }

        return new StoreReadiness
        {
            Store = string.Join(", ", texts),
            Hosts = [.. hosts.Select(host => host.HostName)],
            Passed = hosts.Count(host => host.Passed),
            FreeBytes = free,
            TotalBytes = hosts.Max(host => host.StoreTotalBytes) is > 0 and var total ? total : null,
            NeededBytes = dumps.Sum(),
            NotEstimated = hosts.Count - dumps.Count,
            SimultaneousCrashes = fit,
        };
    }
}
