using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>A host of a drill that has something to do: one that was looked at and agreed to, or one that an earlier controller triggered.</summary>
/// <param name="Host">The way to it.</param>
/// <param name="Group">Of hosts in one group at most one is down; null for none.</param>
/// <param name="Candidate">Set where it is to be crashed.</param>
/// <param name="Subject">Set where it was triggered, or about to be.</param>
public sealed record DrillEntry(SshHost Host, string? Group, CrashCandidate? Candidate, DrillSubject? Subject = null);

/// <summary>Drills of many hosts: at most so many down, at most one of a group, in batches, until too many have failed.</summary>
public sealed class DrillCampaign : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(300);

    private readonly KdumpDrillOperation _operation;
    private readonly IReadOnlyList<DrillEntry> _entries;
    private readonly DrillSchedule _schedule;
    private readonly FleetRun _fleet;

    /// <summary>A campaign.</summary>
    /// <param name="operation">The drill; its plan has the limits.</param>
    /// <param name="entries">The hosts, in the order of their turns.</param>
    /// <exception cref="HostException">InvalidInput: limits that mean nothing.</exception>
    public DrillCampaign(KdumpDrillOperation operation, IReadOnlyList<DrillEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(entries);
        _operation = operation;

        // Hosts that are down already come first: the rest waits for them.
        _entries = [.. entries.OrderBy(e => e.Subject is null)];
        var plan = operation.Plan;
        var batches = BatchPlan.Create(plan.BatchSize, plan.MaxFailure);
        _schedule = new DrillSchedule([.. _entries.Select(e => e.Group)], plan.MaxDown, plan.MaxFailure, batch => batches?.SizeOf(batch, _entries.Count) ?? int.MaxValue);
        _fleet = new FleetRun(Math.Max(1, entries.Count));
    }

    /// <summary>Drills the hosts. Each gives its <see cref="KdumpDrill"/>, and an error too where it is not Proven.</summary>
    public void Run(IFleetFront front)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            var (place, entry) = (i, _entries[i]);
            _fleet.Add(front, entry.Host, (context, token) => DrillAsync(place, entry, context, token));
        }

        _fleet.Finish(front);
    }

    /// <summary>Stops: hosts whose trigger was not pulled yet stay up; what became of the others is found out by resuming the journal.</summary>
    public void Cancel() => _fleet.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _fleet.Dispose();

    private async Task DrillAsync(int place, DrillEntry entry, HostContext context, CancellationToken cancellationToken)
    {
        KdumpDrill? drill = null;
        try
        {
            var run = new DrillRun(_operation, entry.Host, entry.Group, context);
            if (entry.Subject is { } subject)
            {
                _schedule.TryBegin(place, downAlready: true);
                drill = await run.ResumeAsync(subject, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                drill = await run.RunAsync(entry.Candidate!, new DrillTurn(() => TurnAsync(place, context, cancellationToken), () => _schedule.IsStopped), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new HostException(ErrorIds.Cancelled, entry.Host.HostName, "The drill was stopped before its verdict.", e)
            {
                Remedy = $"Resume-KdumpDrill {_operation.Journal.Path} finds out what became of it; nothing is triggered twice.",
            };
        }
        finally
        {
            _schedule.End(place, drill is not { Verdict: DrillVerdict.Proven or DrillVerdict.NotStarted });
            context.Progress("Drill", "", done: true);
        }

        context.Output(drill);
        if (drill.Verdict != DrillVerdict.Proven)
        {
            throw new HostException(drill.Verdict switch
            {
                DrillVerdict.NotReady => ErrorIds.NotReady,
                DrillVerdict.NotCrashed => ErrorIds.CrashDidNotHappen,
                DrillVerdict.HostNotBack => ErrorIds.HostDidNotReturn,
                DrillVerdict.NotStarted => ErrorIds.DrillNotStarted,
                _ => ErrorIds.DrillNotProven,
            }, entry.Host.HostName, $"{drill.Verdict}: {drill.Reason}")
            {
                HostSaid = drill.Said,
                Remedy = Remedy(drill),
                Details = drill,
            };
        }
    }

    private string Remedy(KdumpDrill drill) => drill.Verdict switch
    {
        DrillVerdict.NotCaptured => "A crash of this host leaves nothing: Test-KdumpReadiness -Probe, then its console and the store.",
        DrillVerdict.NotReady when drill.FailedChecks.Count > 0 => DrillChecks.RemedyOf(drill.FailedChecks),
        DrillVerdict.NotReady => "It was not crashed. Mend what Test-KdumpReadiness names; over a console kernel.sysrq counts, too.",
        DrillVerdict.HostNotBack => "Look at its console: it may still be dumping, be stopped by its failure action, or need a power cycle (-PowerCycle).",
        DrillVerdict.NotCrashed when drill.SerialConsole is not null => "Send-Sysrq -Key h shows whether the way of its console works; the trigger is not repeated.",
        DrillVerdict.NotCrashed => "Look at its console; the trigger is not repeated.",
        DrillVerdict.NotStarted => "It was not crashed. Mend what failed, then start a new drill of it.",
        _ => $"Look with Get-Vmcore. The journal has the whole story: {_operation.Journal.Path}",
    };

    private async Task<bool> TurnAsync(int place, HostContext context, CancellationToken cancellationToken)
    {
        for (var told = ""; ; await Task.Delay(Look, cancellationToken).ConfigureAwait(false))
        {
            if (_schedule.IsStopped)
            {
                return false;
            }

            var paused = File.Exists(_operation.Journal.PauseFile);
            if (!paused && _schedule.TryBegin(place))
            {
                return true;
            }

            var now = paused ? $"paused: {_operation.Journal.PauseFile} is there" : "";
            if (now != told && paused)
            {
                context.Verbose($"The drill is {now}");
                context.Progress("Drill", now);
            }

            told = now;
        }
    }
}
