using System.Globalization;
using KdumpNfs.Collection;

namespace KdumpNfs.Crash;

/// <summary>Reconciles the boots of a host that ended badly with the dumps of its store.</summary>
internal static class UncleanBoots
{
    // The crashed kernel's clock is the one that wrote the journal; the store's is another one, and its files come a while after the crash.
    private static readonly TimeSpan OwnClock = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StoreClock = TimeSpan.FromMinutes(10);

    // wtmp does not tell a capture kernel's boot from another: it begins right after the crash and is over when the dump is.
    private static readonly TimeSpan CaptureBegins = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CaptureEnds = TimeSpan.FromHours(1);

    /// <summary>Gives one result for each unclean boot, the newest first.</summary>
    /// <param name="hostName">The host as it was asked for.</param>
    /// <param name="history">Its boots.</param>
    /// <param name="dumps">The dumps of this host.</param>
    /// <param name="maximum">At most so many boots are looked at, the newest.</param>
    /// <param name="since">Boots that ended before are left out; null for all.</param>
    public static IReadOnlyList<UncleanBoot> Reconcile(string hostName, BootHistory history, IReadOnlyList<VmcoreDump> dumps, int maximum, DateTimeOffset? since)
    {
        var free = dumps.ToList();
        var panics = history.Panics.ToList();
        var results = new List<UncleanBoot>();
        var boots = history.Boots.TakeLast(maximum).ToList();
        BootRecord? before = null;
        foreach (var boot in boots)
        {
            var previous = before;
            before = boot;
            if (boot.IsCapture || boot.Clean || IsCaptureOf(boot, previous, results))
            {
                continue;
            }

            var next = NextRealBoot(boots, boot);
            var panic = panics.FirstOrDefault(p => p.Time >= (boot.LastSeen ?? boot.Started) - OwnClock && p.Time <= next + OwnClock && IsNearest(boots, boot, next, p.Time));
            panics.RemoveAll(p => p == panic);
            var dump = free.Where(d => Matches(d, boot, next) && IsNearest(boots, boot, next, TimeOf(d))).OrderBy(d => (TimeOf(d) - (boot.LastSeen ?? next)).Duration()).FirstOrDefault();
            free.RemoveAll(d => d == dump);
            var captureRan = boots.SkipWhile(b => b != boot).Skip(1).FirstOrDefault() is { IsCapture: true };
            results.Add(Judge(hostName, boot, next, panic, dump, captureRan));
        }

        // pstore alone: a panic of a time that no boot is known of.
        results.AddRange(panics.Where(p => p.Time < history.BootedAt).Select(panic =>
        {
            var dump = free.Find(d => d.CrashTime is { } time && (time - panic.Time).Duration() < StoreClock);
            free.RemoveAll(d => d == dump);
            return Judge(hostName, new BootRecord(null, panic.Time, panic.Time, panic.Time) { Source = "pstore" }, panic.Time, panic, dump, false) with { StartedAt = null, NextBootAt = null };
        }));
        return [.. results.Where(r => since is not { } limit || (r.NextBootAt ?? r.EndedAt) is not { } end || end >= limit).OrderByDescending(r => r.EndedAt)];
    }

    // The capture kernel's own boot comes between the crash and the boot that people see.
    private static DateTimeOffset NextRealBoot(List<BootRecord> boots, BootRecord boot)
    {
        var last = boot;
        foreach (var later in boots.SkipWhile(b => b != boot).Skip(1).TakeWhile(b => b.IsCapture))
        {
            last = later;
        }

        return last.Next;
    }

    private static bool IsCaptureOf(BootRecord boot, BootRecord? previous, List<UncleanBoot> results) =>
        boot.Source == "wtmp" && previous is { Source: "wtmp", Clean: false } && results.Count > 0 && results[^1].StartedAt == previous.Started &&
        results[^1].Dump is { CrashTime: { } crash } && boot.Started >= crash - OwnClock && boot.Started - crash < CaptureBegins && boot.Next - boot.Started < CaptureEnds;

    private static bool Matches(VmcoreDump dump, BootRecord boot, DateTimeOffset next)
    {
        var own = dump.CrashTimeSource == CrashTimeSource.Dump;
        var slack = own ? OwnClock : StoreClock;
        var time = TimeOf(dump);

        // A crash before this boot began was another one's, which the journal may know nothing of. Unless the clock was set back meanwhile.
        if (own && time < boot.Started && (boot.LastSeen ?? boot.Next) >= boot.Started)
        {
            return false;
        }

        return time >= (boot.LastSeen ?? boot.Started) - slack && time <= next + slack;
    }

    private static DateTimeOffset TimeOf(VmcoreDump dump) => dump.CrashTime ?? dump.LastChange;

    // Boots that follow each other within minutes are all near a crash: it belongs to the one that ended then. Only the journal knows when a boot was last seen.
    private static bool IsNearest(List<BootRecord> boots, BootRecord boot, DateTimeOffset next, DateTimeOffset time)
    {
        var distance = Distance(boot, next, time);
        return boot.LastSeen is null || !boots.Exists(other => other != boot && other is { IsCapture: false, Clean: false, LastSeen: not null } && Distance(other, NextRealBoot(boots, other), time) < distance);
    }

    private static TimeSpan Distance(BootRecord boot, DateTimeOffset next, DateTimeOffset time)
    {
        var seen = boot.LastSeen ?? boot.Started;
        return time < seen ? seen - time : time > next ? time - next : TimeSpan.Zero;
    }

    private static UncleanBoot Judge(string hostName, BootRecord boot, DateTimeOffset next, StoredPanic? panic, VmcoreDump? dump, bool captureRan)
    {
        var evidence = new List<string>
        {
            boot.Source switch
            {
                "journal" => "The journal of that boot ends without a shutdown.",
                "wtmp" => "wtmp has the next boot without a shutdown before it.",
                _ => "pstore has a panic that nothing else tells of.",
            },
        };
        if (captureRan)
        {
            evidence.Add("A capture kernel ran right after it.");
        }

        if (panic is not null)
        {
            evidence.Add($"{panic.Path} was written at {Time(panic.Time)}: {panic.Header}");
        }

        var reason = boot.PanicReason ?? panic?.Reason ?? dump?.PanicReason;
        if (reason is null && !captureRan && dump is null)
        {
            evidence.Add("There is no sign of a panic: it may have been a reset or a power cut.");
        }

        evidence.Add(dump switch
        {
            null => "The store has no dump of this host from that time.",
            { CrashTimeSource: CrashTimeSource.Dump } => $"{dump.Path}: {dump.State}, crashed at {Time(dump.CrashTime!.Value)} by its own clock.",
            _ => $"{dump.Path}: {dump.State}, by the times of its files on the store.",
        });
        if (dump?.Reason is { } why)
        {
            evidence.Add(why);
        }

        return new UncleanBoot
        {
            HostName = hostName,
            BootId = boot.Id,
            KernelRelease = boot.Kernel ?? dump?.KernelRelease,
            StartedAt = boot.Started,
            LastSeenAt = boot.LastSeen,
            NextBootAt = next,
            PanicReason = reason,
            LastWords = boot.LastWords,
            Dump = dump,
            Evidence = evidence,
            Verdict = dump?.State switch
            {
                VmcoreState.Complete => CaptureVerdict.Captured,
                VmcoreState.NotChecked or VmcoreState.Writing => CaptureVerdict.Unknown,
                _ => CaptureVerdict.Uncaptured,
            },
        };
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
