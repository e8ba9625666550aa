using KdumpNfs.Fleet;

namespace KdumpNfs.Collection;

/// <summary>Which dumps to give.</summary>
public sealed record VmcoreFilter
{
    /// <summary>Only dumps of these hosts: addresses or host names, as the directory or the dump itself has them; empty for all.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Only dumps in these states; empty for all.</summary>
    public IReadOnlyList<VmcoreState> States { get; init; } = [];

    /// <summary>Only crashes at or after this time; what has no known time is given.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>At most so many directories are looked into, those that changed last.</summary>
    public int Maximum { get; init; } = 1000;
}

/// <summary>Lists the dumps of a store.</summary>
public static class GetVmcoreOperation
{
    // Crash times are the crashed hosts' clocks, directory times the store's: clocks may differ by this much and nothing is missed.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromDays(1);

    /// <summary>Lists dumps, the newest crash first.</summary>
    public static async Task<IReadOnlyList<VmcoreDump>> RunAsync(
        IVmcoreStore store, VmcoreFilter filter, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentNullException.ThrowIfNull(context);
        var query = new StoreQuery { Maximum = filter.Maximum, ChangedSince = filter.Since - ClockSlack };
        var listing = await store.ListAsync(query, context, cancellationToken).ConfigureAwait(false);
        Tell(listing, store, context);
        var hosts = filter.Hosts.Count > 0 ? new HostIdentity(filter.Hosts) : null;
        return
        [
            .. from directory in listing.Directories
               let dump = VmcoreAssessment.Assess(directory, listing.Now, store.StoreHost, store.Root)
               where dump is not null
               where hosts is null || hosts.Is(dump.CrashedHost) || (dump.NodeName is { } node && hosts.Is(node))
               where filter.States.Count == 0 || filter.States.Contains(dump.State)
               where filter.Since is not { } since || dump.CrashTime is not { } time || time >= since
               orderby dump.CrashTime ?? dump.LastChange descending, dump.Path
               select dump,
        ];
    }

    internal static void Tell(StoreListing listing, IVmcoreStore store, HostContext context)
    {
        var unknown = listing.Directories.Where(d => CrashDirectoryName.Parse(d.Name) is null).Select(d => d.Name).ToList();
        var count = listing.IgnoredCount + unknown.Count;
        if (count > 0)
        {
            context.Verbose($"{count} directories in {Printable.Escape(store.Root)} are no crash directories: {string.Join(", ", unknown.Concat(listing.Ignored).Take(20))}");
        }

        if (listing.Truncated)
        {
            context.Warning($"There are more than {listing.Directories.Count} crash directories in {Printable.Escape(store.Root)}; only those that changed last were looked into.");
        }
    }
}
