using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>The bars of a cmdlet: one for each host that waits, and where there are several hosts one for all of them.</summary>
internal sealed class FleetProgress(string command, Action<ProgressRecord> write)
{
    private const int Whole = 0;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    // A rate of the first moments says nothing.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(2);
    private readonly Dictionary<string, int> _activities = new(StringComparer.Ordinal);
    private readonly ProgressClock _clock = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly bool _quiet = ProgressPolicy.IsQuiet;
    private TimeSpan _shownAt = -Pause;
    private bool _wholeShown;
    private int _lastActivity;

    /// <summary>Hosts that failed.</summary>
    public int Failed { get; set; }

    /// <summary>How far a host is.</summary>
    public void Host(HostProgress progress)
    {
        if (progress.Done)
        {
            End(progress.HostName);
            return;
        }

        if (_quiet)
        {
            return;
        }

        if (!_activities.TryGetValue(progress.HostName, out var id))
        {
            id = ++_lastActivity;
            _activities.Add(progress.HostName, id);
        }

        // An empty status is not allowed in a record.
        var status = Printable.Escape(progress.Status.Length == 0 ? "…" : progress.Status);
        var record = new ProgressRecord(id, $"{progress.HostName}: {progress.Activity}", status)
        {
            PercentComplete = progress.Fraction is { } fraction ? (int)Math.Clamp(fraction * 100, 0, 100) : -1,
            SecondsRemaining = Seconds(_clock.Left(progress)),
        };
        if (_wholeShown)
        {
            record.ParentActivityId = Whole;
        }

        write(record);
    }

    /// <summary>How far all hosts are.</summary>
    /// <param name="started">Hosts begun.</param>
    /// <param name="inWork">Hosts in work.</param>
    /// <param name="all">All hosts; null while more may come.</param>
    public void Fleet(int started, int inWork, int? all)
    {
        if (_quiet || (all ?? started) < 2 || _watch.Elapsed - _shownAt < Pause)
        {
            return;
        }

        _shownAt = _watch.Elapsed;
        var done = started - inWork;
        var rate = done / Math.Max(0.001, _watch.Elapsed.TotalSeconds);
        var text = string.Create(CultureInfo.InvariantCulture, $"{done}{(all is null ? "" : $" of {all}")} done, {inWork} in work{(Failed > 0 ? $", {Failed} failed" : "")}") +
            (done == 0 || _watch.Elapsed < Early ? "" : rate >= 1 ? string.Create(CultureInfo.InvariantCulture, $", {rate:0.0} a second") : string.Create(CultureInfo.InvariantCulture, $", {rate * 60:0.0} a minute"));
        write(new ProgressRecord(Whole, command, text)
        {
            PercentComplete = all is > 0 and var known ? Math.Clamp(done * 100 / known, 0, 100) : -1,
            SecondsRemaining = all is { } total && done > 0 && _watch.Elapsed >= Early ? Seconds(TimeSpan.FromSeconds((total - done) / rate)) : -1,
        });
        _wholeShown = true;
    }

    /// <summary>A host is out of it.</summary>
    public void End(string hostName)
    {
        _clock.Forget(hostName);
        if (_activities.Remove(hostName, out var id))
        {
            write(new ProgressRecord(id, hostName, "done") { RecordType = ProgressRecordType.Completed });
        }
    }

    /// <summary>Takes all bars away.</summary>
    public void EndAll()
    {
        foreach (var host in _activities.Keys.ToList())
        {
            End(host);
        }

        if (_wholeShown)
        {
            _wholeShown = false;
            write(new ProgressRecord(Whole, command, "done") { RecordType = ProgressRecordType.Completed });
        }
    }

    private static int Seconds(TimeSpan? time) => time is { } left && left.TotalSeconds is >= 0 and < int.MaxValue ? (int)left.TotalSeconds : -1;
}
