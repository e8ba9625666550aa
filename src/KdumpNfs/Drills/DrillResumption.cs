using KdumpNfs.Crash;

namespace KdumpNfs.Drills;

/// <summary>What a journal says is left to do.</summary>
/// <param name="Plan">The drill.</param>
/// <param name="InFlight">Hosts whose trigger was pulled or about to be, and whose verdict is open: to be looked at, never to be triggered.</param>
/// <param name="Untouched">Hosts whose turn had not come: to be looked at, agreed to and crashed.</param>
/// <param name="Finished">Verdicts that stand.</param>
public sealed record DrillResumption(DrillPlan Plan, IReadOnlyList<DrillEntry> InFlight, IReadOnlyList<DrillHost> Untouched, IReadOnlyList<KdumpDrill> Finished)
{
    /// <summary>Reads a journal that was opened with <see cref="DrillJournal.Resume"/>.</summary>
    public static DrillResumption From(DrillJournal journal)
    {
        ArgumentNullException.ThrowIfNull(journal);
        return From(journal.Events);
    }

    /// <summary>Reads what <see cref="DrillJournal.Look"/> gave.</summary>
    public static DrillResumption From(IReadOnlyList<DrillEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        var hosts = new List<DrillHost>();
        var subjects = new Dictionary<string, DrillSubject>(StringComparer.Ordinal);
        var verdicts = new Dictionary<string, KdumpDrill>(StringComparer.Ordinal);
        foreach (var line in events)
        {
            switch (line)
            {
                case { Step: DrillStep.Listed, Host: { } host }:
                    hosts.Add(host);
                    break;
                case { Step: DrillStep.Triggering, HostName: { } name, Subject: { } subject }:
                    subjects[name] = subject;
                    break;
                case { Step: DrillStep.Verdict, HostName: { } name, Drill: { } drill }:
                    verdicts[name] = drill;
                    break;
            }
        }

        var open = hosts.DistinctBy(h => h.Host.HostName).Where(h => !verdicts.ContainsKey(h.Host.HostName)).ToList();
        return new DrillResumption(
            events[0].Plan!,
            [.. open.Where(h => subjects.ContainsKey(h.Host.HostName)).Select(h => new DrillEntry(h.Host, h.Group, null, subjects[h.Host.HostName]))],
            [.. open.Where(h => !subjects.ContainsKey(h.Host.HostName))],
            [.. verdicts.Values]);
    }

    /// <summary>What going on would do for a host that was triggered, in one line.</summary>
    public static string Observes(DrillEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return $"Observe the outcome of {Printable.Escape(entry.Host.HostName)}, which was triggered at {entry.Subject?.TriggeredAt:u}; it is not triggered again";
    }

    /// <summary>What going on would do for a host whose turn had not come and that was looked at, in one line.</summary>
    public static string Crashes(CrashCandidate candidate)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        return $"Crash {Printable.Escape(candidate.ToString())}, whose turn had not come";
    }
}
