namespace KdumpNfs.Collection;

/// <summary>Which dump to wait for, and how long.</summary>
public sealed record WaitVmcoreRequest
{
    /// <summary>All addresses and names of the crashed host.</summary>
    public required HostIdentity Host { get; init; }

    /// <summary>
    /// The listing from before the crash (<see cref="VmcoreWatch.BeforeAsync"/>): the surest way to know a new dump. Without it (null)
    /// <see cref="CrashedAfter"/> decides by clocks; without either, what is being written now or comes later counts.
    /// </summary>
    public StoreListing? Before { get; init; }

    /// <summary>When the crash was triggered, by this machine's clock; used only without <see cref="Before"/>. The difference to the store's clock is measured.</summary>
    public DateTimeOffset? CrashedAfter { get; init; }

    /// <summary>How long to wait in all.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// How long an unfinished dump may be silent before the wait gives it up. More than the two minutes after which it counts as Incomplete: makedumpfile
    /// says nothing for minutes while it looks through the memory of a large host.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Expected bytes of the dump (Get-VmcoreEstimate), for the progress bar; null when unknown.</summary>
    public long? EstimatedBytes { get; init; }

    /// <summary>Time between listings while something happens.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Time between listings when nothing has happened for a minute.</summary>
    public TimeSpan IdleInterval { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Finds the directory of one crash among all directories of a store.</summary>
/// <remarks>
/// New is what was not in the earlier listing, or has a dump, dmesg or log file that is new or changed since: Debian's directories are named to the
/// minute, so two crashes in one minute share one. In such a directory only the new and changed files are looked at. Clocks only break
/// ties: of several new directories of the host the one that changed last by the store's clock is meant.
/// </remarks>
internal sealed class VmcoreMatch
{
    private readonly HostIdentity _host;
    private readonly Dictionary<string, CrashDirectory> _before;
    private readonly DateTimeOffset? _after;

    private VmcoreMatch(HostIdentity host, IEnumerable<CrashDirectory> before, DateTimeOffset? after)
    {
        _host = host;
        _before = before.ToDictionary(d => d.Name, StringComparer.Ordinal);
        _after = after;
    }

    /// <summary>From which time on directories matter, by the store's clock.</summary>
    public DateTimeOffset? Since { get; private init; }

    public static VmcoreMatch From(WaitVmcoreRequest request, StoreListing first)
    {
        if (request.Before is { } before)
        {
            return new VmcoreMatch(request.Host, before.Directories, null) { Since = before.Now - Slack };
        }

        if (request.CrashedAfter is { } crashed)
        {
            var after = crashed - first.ControllerAhead - Slack;
            return new VmcoreMatch(request.Host, [], after) { Since = after };
        }

        // Nothing is known: what is finished now is old, what is being written is meant.
        var finished = first.Directories.Where(d => VmcoreAssessment.Assess(d, first.Now, null, "")?.State != VmcoreState.Writing);
        return new VmcoreMatch(request.Host, finished, null) { Since = first.Now - TimeSpan.FromDays(1) };
    }

    /// <summary>The dump of the crash; null while there is none.</summary>
    public (VmcoreDump Dump, string Directory)? Find(StoreListing listing, IVmcoreStore store)
    {
        var candidates =
            from directory in listing.Directories
            let name = CrashDirectoryName.Parse(directory.Name)
            where name is not null
            let fresh = Fresh(directory)
            where fresh is not null
            let dump = VmcoreAssessment.Assess(fresh, listing.Now, store.StoreHost, store.Root)
            where dump is not null && _host.Owns(name.Host, dump.NodeName) && (_after is null || dump.LastChange >= _after)
            orderby dump.LastChange descending, directory.Name descending
            select (dump with { Files = directory.Files }, directory.Name);
        return candidates.Select(c => ((VmcoreDump, string)?)c).FirstOrDefault();
    }

    // Seconds of whole-second clocks and of the way to the store and back.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(5);

    // The directory without the files that were the same before; null when all were.
    private CrashDirectory? Fresh(CrashDirectory directory)
    {
        if (!_before.TryGetValue(directory.Name, out var before))
        {
            return directory;
        }

        var known = before.Files.ToHashSet();
        var files = directory.Files.Where(f => !known.Contains(f)).ToList();
        if (files.TrueForAll(f => CrashFile.RoleOf(f.Name) == CrashFileRole.Other))
        {
            return null;
        }

        return directory with
        {
            Files = files,
            HasCaptureLog = directory.HasCaptureLog && files.Exists(f => CrashFile.RoleOf(f.Name) == CrashFileRole.CaptureLog),
            Readme = files.Exists(f => CrashFile.RoleOf(f.Name) == CrashFileRole.Readme) ? directory.Readme : null,
        };
    }
}
