using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>The turn of a host among the others.</summary>
/// <param name="BeginAsync">Waits for it; false when it will not come.</param>
/// <param name="IsStopped">Too many have failed meanwhile.</param>
internal sealed record DrillTurn(Func<Task<bool>> BeginAsync, Func<bool> IsStopped);

/// <summary>The drill of one host, from its turn to its verdict.</summary>
/// <param name="operation">The drill of all hosts.</param>
/// <param name="host">The host.</param>
/// <param name="group">Its group; null for none.</param>
/// <param name="context">Where to tell.</param>
internal sealed class DrillRun(KdumpDrillOperation operation, SshHost host, string? group, HostContext context)
{
    private readonly DrillPhases _phases = new();
    private DrillSubject? _subject;
    private SysrqCrash? _crash;
    private bool _resumed;
    private string? _console;
    private Func<string?> _consoleText = () => null;
    private IReadOnlyList<ReadinessCheck> _checks = [];
    private DrillSysrq? _sysrq;
    private StoreLeases.Lease? _lease;

    /// <summary>Takes its turn, looks again, crashes the host and finds out what came of it.</summary>
    /// <param name="candidate">The host as it was agreed to.</param>
    /// <param name="turn">Its turn.</param>
    /// <param name="cancellationToken">Stops; what was triggered can be resumed.</param>
    public async Task<KdumpDrill> RunAsync(CrashCandidate candidate, DrillTurn turn, CancellationToken cancellationToken)
    {
        (_checks, _console) = (candidate.Checks, candidate.Console?.ToString());
        var begins = await _phases.TimeAsync(DrillPhaseKind.Turn, async () => await turn.BeginAsync().ConfigureAwait(false) && await LeaseAsync(turn, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        return begins ? await UnderLeaseAsync(() => CrashAsync(candidate, cancellationToken)).ConfigureAwait(false)
            : Ended(DrillVerdict.NotStarted, "Too many hosts before it have failed.");
    }

    /// <summary>Finds out what came of a host whose trigger an earlier controller was about to pull. Nothing is triggered.</summary>
    public async Task<KdumpDrill> ResumeAsync(DrillSubject subject, CancellationToken cancellationToken)
    {
        _resumed = true;
        _subject = subject;
        _checks = subject.Checks;
        _crash = CrashOf(subject);
        context.Verbose($"Its trigger was to be pulled at {subject.TriggeredAt:u}; it is not pulled again.");
        try
        {
            _lease = operation.Leases is null || subject.Lease is null ? null : await operation.Leases.AdoptAsync(subject.Lease, host.HostName, context, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e)
        {
            context.Verbose($"The lease of the earlier controller cannot be renewed: {e.What}");
        }

        return await UnderLeaseAsync(() => OutcomeAsync(cancellationToken)).ConfigureAwait(false);
    }

    // A lease that came during a pause is given back: others need not wait for the end of ours.
    private async Task<bool> LeaseAsync(DrillTurn turn, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (File.Exists(operation.Journal.PauseFile) && !turn.IsStopped())
            {
                await Task.Delay(500, cancellationToken).ConfigureAwait(false);
            }

            _lease = operation.Leases is null ? null : await operation.Leases.TakeAsync(host.HostName, group, context, cancellationToken).ConfigureAwait(false);
            if (!turn.IsStopped() && !File.Exists(operation.Journal.PauseFile))
            {
                return true;
            }

            if (_lease is not null)
            {
                await _lease.DisposeAsync().ConfigureAwait(false);
                _lease = null;
            }

            if (turn.IsStopped())
            {
                return false;
            }
        }
    }

    // The lease goes back when the host is up. Where that is not known it lives on until it expires.
    private async Task<KdumpDrill> UnderLeaseAsync(Func<Task<KdumpDrill>> work)
    {
        KdumpDrill? drill = null;
        try
        {
            return drill = await work().ConfigureAwait(false);
        }
        finally
        {
            if (_lease is not null)
            {
                if (_subject is not null && drill is null or { Verdict: DrillVerdict.HostNotBack })
                {
                    _lease.Abandon();
                }

                await _lease.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task<KdumpDrill> CrashAsync(CrashCandidate agreed, CancellationToken cancellationToken)
    {
        CrashCandidate candidate;
        StoreListing before;
        try
        {
            // Its turn may have come hours after the question: it has to be ready still. The export was probed when it was agreed to.
            candidate = await _phases.TimeAsync(DrillPhaseKind.Readiness,
                () => operation.Trigger.LookAsync(new DrillLook(host, agreed.Console, agreed.Status.MachineId) { Quick = true }, context, cancellationToken)).ConfigureAwait(false);
            _checks = DrillChecks.Merge(agreed.Checks, candidate.Checks);
            before = await operation.Watch.BeforeAsync(context, cancellationToken).ConfigureAwait(false);
            if (_lease is not null && !await _lease.IsHeldAsync(cancellationToken).ConfigureAwait(false))
            {
                return Ended(DrillVerdict.NotStarted, "The lease on the store expired before the trigger; nothing was crashed.");
            }
        }
        catch (HostException e) when (e.ErrorId != ErrorIds.JournalFailed)
        {
            _checks = (e.Details as HostReadiness)?.Checks ?? [];
            return Ended(e.ErrorId is ErrorIds.NotReady or ErrorIds.SysrqDisabled ? DrillVerdict.NotReady : DrillVerdict.NotStarted, e.What, e.HostSaid);
        }

        var identities = candidate.Status.Identities.Append(host.HostName);
        identities = candidate.SourceAddress is { } source ? identities.Append(source) : identities;
        var identity = new HostIdentity(identities);
        _subject = new DrillSubject
        {
            Identities = [.. identities.Distinct(StringComparer.OrdinalIgnoreCase)],
            BootId = candidate.Status.BootId,
            MachineId = candidate.Status.MachineId,
            KernelRelease = candidate.Status.KernelRelease,
            Image = candidate.Status.Image,
            Target = candidate.Status.Target?.Location,
            Sysrq = candidate.Status.Sysrq,
            SysrqRaise = candidate.SysrqRaise,
            Console = candidate.Console?.ToString(),
            Checks = [.. DrillChecks.Failed(_checks), .. DrillChecks.Warned(_checks)],
            Lease = _lease?.Token,
            // Directories that name nobody may turn out to be its own.
            Before = before with { Directories = [.. before.Directories.Where(d => identity.MayOwn(CrashDirectoryName.Parse(d.Name)?.Host))], Ignored = [] },
            TriggeredAt = DateTimeOffset.UtcNow,
        };
        _crash = CrashOf(_subject);
        cancellationToken.ThrowIfCancellationRequested();
        operation.Journal.Append(new DrillEvent { Step = DrillStep.Triggering, HostName = host.HostName, Subject = _subject });
        using var listening = new CrashListening();
        _consoleText = () => listening.Text;
        var pull = operation.Trigger.PullAsync(candidate, listening, context, cancellationToken);
        try
        {
            return await CrashedAsync(pull, listening, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // The console was listened to until here.
            listening.Stop();
            try
            {
                await pull.ConfigureAwait(false);
            }
            catch (Exception e) when (e is HostException or OperationCanceledException)
            {
                context.Verbose($"The trigger ended: {e.Message}");
            }
        }
    }

    private async Task<KdumpDrill> CrashedAsync(Task<SysrqCrash> pull, CrashListening listening, CancellationToken cancellationToken)
    {
        try
        {
            _crash = await _phases.TimeAsync(DrillPhaseKind.Crash, async () => await (await Task.WhenAny(pull, listening.Triggered).ConfigureAwait(false)).ConfigureAwait(false)).ConfigureAwait(false);
            operation.Journal.Append(new DrillEvent { Step = DrillStep.Triggered, HostName = host.HostName });
        }
        catch (HostException e) when (e.ErrorId is ErrorIds.SysrqFailed or ErrorIds.MachineIdMismatch or ErrorIds.NotRoot or ErrorIds.NotReady)
        {
            await SettleAsync(cancellationToken).ConfigureAwait(false);
            return Ended(DrillVerdict.NotCrashed, e.What, e.HostSaid);
        }
        catch (HostException e) when (e.ErrorId is ErrorIds.SysrqDisabled or ErrorIds.SysrqNoAnswer or ErrorIds.ConsoleNotAvailable or ErrorIds.ConsoleMismatch)
        {
            await SettleAsync(cancellationToken).ConfigureAwait(false);
            return Ended(DrillVerdict.NotCrashed, e.What, e.HostSaid, DrillWordsSource.Console);
        }
        catch (HostException e) when (e.ErrorId is not ErrorIds.JournalFailed)
        {
            // Whether it crashed is seen by its boot id, and never tried again.
            context.Verbose($"Whether the trigger was reached is not known ({e.What}); looking at the host.");
        }

        return await OutcomeAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<KdumpDrill> OutcomeAsync(CancellationToken cancellationToken)
    {
        var outcome = await new DrillOutcome(operation, host, context, _phases, _subject!, _crash!, _consoleText).FindAsync(cancellationToken).ConfigureAwait(false);
        return await EndAsync(outcome, cancellationToken).ConfigureAwait(false);
    }

    private SysrqCrash CrashOf(DrillSubject subject) => new()
    {
        CrashedHost = host.HostName,
        Identities = subject.Identities,
        MachineId = subject.MachineId,
        KernelRelease = subject.KernelRelease,
        BootIdBefore = subject.BootId,
        TriggeredAt = subject.TriggeredAt,
    };

    // What was raised for a crash that did not come goes back; a host that is away has lost it, or is looked at by nobody.
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        if (_subject?.SysrqRaise is not { } raise)
        {
            return;
        }

        try
        {
            _sysrq = await operation.Trigger.SettleAsync(raise, _subject.BootId, host, context, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e)
        {
            _sysrq = new DrillSysrq(raise.Before, raise.Raised, DrillSysrqState.Unknown);
            context.Warning($"kernel.sysrq of {host.HostName} was to be {raise.Raised} for one boot, and whether it is {raise.Before} again is not known: {e.What}");
        }
    }

    private KdumpDrill Ended(DrillVerdict verdict, string reason, string? said = null, DrillWordsSource by = DrillWordsSource.Host)
    {
        var drill = Result(verdict) with { Reason = reason, Said = said, SaidBy = string.IsNullOrEmpty(said) ? DrillWordsSource.None : by };
        operation.Journal.Append(new DrillEvent { Step = DrillStep.Verdict, HostName = host.HostName, Drill = drill });
        return drill;
    }

    private async Task<KdumpDrill> EndAsync(DrillFinding found, CancellationToken cancellationToken)
    {
        if (found.Verdict == DrillVerdict.HostNotBack && _subject?.SysrqRaise is { } raise)
        {
            _sysrq = new DrillSysrq(raise.Before, raise.Raised, DrillSysrqState.Unknown);
        }
        else
        {
            await SettleAsync(cancellationToken).ConfigureAwait(false);
        }

        var drill = Result(found.Verdict) with
        {
            Reason = found.Reason,
            Said = found.Said,
            SaidBy = found.SaidBy,
            Vmcore = found.Vmcore,
            CaptureTime = found.CapturedAt - _crash?.TriggeredAt,
            Away = found.ReturnedAt - _crash?.TriggeredAt,
            BootIdAfter = found.BootIdAfter,
            Rearmed = found.Rearmed,
            TriggeredAt = found.Verdict == DrillVerdict.NotCrashed ? null : _crash?.TriggeredAt,
        };
        if (found.BootIdAfter is not null)
        {
            drill = drill with { KeptOnHost = await DrillProof.KeepAsync(operation.Access, host, drill, _subject!, context, cancellationToken).ConfigureAwait(false) };
        }

        operation.Journal.Append(new DrillEvent { Step = DrillStep.Verdict, HostName = host.HostName, Drill = drill });
        return drill;
    }

    private KdumpDrill Result(DrillVerdict verdict) => new()
    {
        HostName = host.HostName,
        Verdict = verdict,
        Phases = _phases.All,
        KernelRelease = _subject?.KernelRelease ?? "",
        Target = _subject?.Target,
        FailedChecks = DrillChecks.Failed(_checks),
        WarnedChecks = DrillChecks.Warned(_checks),
        SerialConsole = _subject?.Console ?? _console,
        ConsoleText = _consoleText(),
        RaisedSysrq = _sysrq,
        MachineId = _subject?.MachineId,
        BootIdBefore = _subject?.BootId,
        CompletedAt = DateTimeOffset.UtcNow,
        Resumed = _resumed,
        Journal = operation.Journal.Path,
    };
}
