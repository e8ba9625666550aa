namespace KdumpNfs.Collection;

/// <summary>Which dumps may go. Each limit that is set counts for itself: a dump goes when one of them says so.</summary>
/// <remarks>
/// <para>Ages are by the store's clock and the times of the files there: clocks of crashed hosts are wrong too often.</para>
/// <para>Whatever the limits say, these stay: what is being written; what somebody holds (.hold); of each host the first dump, the newest one, and the
/// newest complete one. A host is what the directory's name says it is; a host that has an address there and a name elsewhere counts as two,
/// so that too much is kept rather than too little.</para>
/// </remarks>
public sealed record RetentionPolicy
{
    /// <summary>Dumps that did not change for longer than this may go.</summary>
    public TimeSpan? OlderThan { get; init; }

    /// <summary>Dumps of a host beyond its newest so many may go.</summary>
    public int? KeepLast { get; init; }

    /// <summary>The oldest dumps of a host go until all its directories together have at most so many bytes.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Dumps chosen by hand, by their paths; null where the limits choose.</summary>
    public IReadOnlySet<string>? Chosen { get; init; }

    /// <summary>Lets dumps chosen by hand go even when they are the first or the newest of their host.</summary>
    public bool AllowFirstAndNewest { get; init; }

    /// <summary>Checks that the limits mean something.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public RetentionPolicy Validated()
    {
        if (Chosen is null && OlderThan is null && KeepLast is null && MaxBytes is null)
        {
            throw Refused("There is no limit.", "Give -OlderThan, -KeepLast or -MaxBytes, or name dumps.");
        }

        if (Chosen is not null && (OlderThan is not null || KeepLast is not null || MaxBytes is not null))
        {
            throw Refused("Dumps are named, and limits are given as well.", "Either name dumps or give limits.");
        }

        // PowerShell reads a plain number as ticks: 90 would be everything.
        return OlderThan < TimeSpan.FromMinutes(1) ? throw Refused("The age is less than a minute.", "Give a time span: -OlderThan 90.00:00:00 is 90 days.")
            : KeepLast < 1 ? throw Refused("-KeepLast is less than 1.", "The newest dump of a host always stays; give 1 or more.")
            : MaxBytes < 0 ? throw Refused("-MaxBytes is less than 0.", "Give bytes: -MaxBytes 200GB")
            : this;
    }

    /// <summary>Decides about every dump of a store.</summary>
    /// <param name="dumps">All of them; with a part of them the first and the newest of a host would not be known.</param>
    /// <param name="now">The store's clock.</param>
    public IReadOnlyList<RetentionDecision> Decide(IEnumerable<VmcoreDump> dumps, DateTimeOffset now) =>
        [.. dumps.GroupBy(HostOf, StringComparer.OrdinalIgnoreCase).SelectMany(host => OfHost([.. host.OrderBy(AgedBy).ThenBy(d => d.Path, StringComparer.Ordinal)], now))];

    /// <summary>The time that counts: the newest of the dump and the kernel log, by the store. A marker that comes or goes does not make a dump younger.</summary>
    public static DateTimeOffset AgedBy(VmcoreDump dump)
    {
        ArgumentNullException.ThrowIfNull(dump);
        var files = dump.Files.Where(f => CrashFile.RoleOf(f.Name) is not (CrashFileRole.Other or CrashFileRole.CaptureLog)).Select(f => f.Modified).ToList();
        return files.Count > 0 ? files.Max() : dump.LastChange;
    }

    /// <summary>Bytes of all files in the directory.</summary>
    public static long BytesOf(VmcoreDump dump) => dump?.Files.Sum(f => f.Bytes) ?? 0;

    private static string HostOf(VmcoreDump dump) => dump.CrashedHost.Length > 0 ? dump.CrashedHost : dump.Path;

    private IEnumerable<RetentionDecision> OfHost(List<VmcoreDump> dumps, DateTimeOffset now)
    {
        var newestComplete = dumps.LastOrDefault(d => d.State == VmcoreState.Complete);
        var left = dumps.Sum(BytesOf);
        for (var i = 0; i < dumps.Count; i++)
        {
            var dump = dumps[i];
            var asked = Asks(dump, dumps.Count - i, left, now);
            var keeps = asked is null ? null
                : dump.Held ? $"it is held{(dump.HoldReason is { } reason ? ": " + reason : "")}"
                : dump.State == VmcoreState.Writing ? "it is being written"
                : Chosen is not null && AllowFirstAndNewest ? null
                : i == 0 ? "it is the first of its host"
                : i == dumps.Count - 1 ? "it is the newest of its host"
                : dump == newestComplete ? "it is the newest complete one of its host"
                : null;
            if (asked is not null && keeps is null)
            {
                left -= BytesOf(dump);
            }

            yield return new RetentionDecision(dump, asked is not null && keeps is null, keeps ?? asked, AgedBy(dump), asked is not null);
        }
    }

    // Why a dump should go, for people; null when nothing says so.
    private string? Asks(VmcoreDump dump, int fromNewest, long bytesOfHost, DateTimeOffset now) =>
        Chosen is not null ? (Chosen.Contains(dump.Path) ? "it was named" : null)
        : OlderThan is { } limit && now - AgedBy(dump) > limit ? $"it is older than {Readable(limit)}"
        : KeepLast is { } count && fromNewest > count ? $"{fromNewest - 1} of its host are newer"
        : MaxBytes is { } bytes && bytesOfHost > bytes ? "its host has more bytes than allowed"
        : null;

    private static string Readable(TimeSpan time) => time.TotalDays >= 1 ? FormattableString.Invariant($"{time.TotalDays:0.#} days") : FormattableString.Invariant($"{time.TotalHours:0.##} hours");

    private static HostException Refused(string what, string remedy) => new(ErrorIds.InvalidInput, "", what) { Remedy = remedy };
}

/// <summary>What a policy says of a dump.</summary>
/// <param name="Dump">The dump.</param>
/// <param name="Remove">Whether it goes.</param>
/// <param name="Reason">Why it goes, or why it stays although a limit asks for it; null when nothing does.</param>
/// <param name="AgedBy">The time that its age was taken from, by the store's clock.</param>
/// <param name="Asked">Whether a limit, or a person, asked for it to go.</param>
public sealed record RetentionDecision(VmcoreDump Dump, bool Remove, string? Reason, DateTimeOffset AgedBy, bool Asked);
