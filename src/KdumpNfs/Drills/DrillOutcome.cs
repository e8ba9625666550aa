using System.Globalization;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>What was found out about a host after its trigger.</summary>
internal sealed record DrillFinding(DrillVerdict Verdict, string? Reason = null, string? Said = null, DrillWordsSource SaidBy = DrillWordsSource.None)
{
    public VmcoreDump? Vmcore { get; init; }

    public DateTimeOffset? CapturedAt { get; init; }

    public DateTimeOffset? ReturnedAt { get; init; }

    public string? BootIdAfter { get; init; }

    public bool Rearmed { get; init; }
}

/// <summary>Finds out what came of a trigger: waits for the dump and for the host at the same time, then judges by both.</summary>
internal sealed class DrillOutcome(KdumpDrillOperation operation, SshHost host, HostContext context, DrillPhases phases, DrillSubject subject, SysrqCrash crash, Func<string?> consoleText)
{
    private static readonly TimeSpan ArmPause = TimeSpan.FromSeconds(3);

    private readonly WaitVmcoreRequest _request = new()
    {
        Host = new HostIdentity(subject.Identities),
        Before = subject.Before,
        Timeout = operation.Plan.CaptureTimeout,
    };

    private VmcoreDump? _dump;
    private DateTimeOffset? _capturedAt;
    private DateTimeOffset? _returnedAt;
    private HostException? _noDump;

    public async Task<DrillFinding> FindAsync(CancellationToken cancellationToken)
    {
        using var hope = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var capture = CaptureAsync(hope.Token);
        try
        {
            string bootId;
            try
            {
                bootId = await ReturnAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (HostException e) when (e.ErrorId == ErrorIds.CrashDidNotHappen)
            {
                return new DrillFinding(DrillVerdict.NotCrashed, e.What, e.HostSaid, e.HostSaid is null ? DrillWordsSource.None : DrillWordsSource.Host);
            }
            catch (HostException e) when (e.ErrorId == ErrorIds.HostDidNotReturn)
            {
                await LookForDumpAsync(cancellationToken).ConfigureAwait(false);
                EndCapture();
                var (said, by) = await WordsAsync(null, cancellationToken).ConfigureAwait(false);
                return new DrillFinding(DrillVerdict.HostNotBack, _capturedAt is null ? e.What : e.What + " Its dump is whole.", said, by) { Vmcore = _dump, CapturedAt = _capturedAt };
            }

            operation.Journal.Append(new DrillEvent { Step = DrillStep.Returned, HostName = host.HostName });

            // Nobody writes the dump any more: what is there now, or comes to light in a moment, is all.
            await Task.WhenAny(capture, Task.Delay(operation.Grace, cancellationToken)).ConfigureAwait(false);
            await hope.CancelAsync().ConfigureAwait(false);
            await capture.ConfigureAwait(false);
            var finding = await JudgeAsync(cancellationToken).ConfigureAwait(false);
            EndCapture();
            return finding with { Vmcore = _dump, CapturedAt = _capturedAt, ReturnedAt = _returnedAt, BootIdAfter = bootId, Rearmed = await RearmAsync(cancellationToken).ConfigureAwait(false) };
        }
        finally
        {
            await hope.CancelAsync().ConfigureAwait(false);
            await capture.ConfigureAwait(false);
        }
    }

    // Never throws: what it found is in the fields.
    private async Task CaptureAsync(CancellationToken cancellationToken)
    {
        try
        {
            Take(await WaitVmcoreOperation.RunAsync(operation.Watch, _request, context, cancellationToken).ConfigureAwait(false));
        }
        catch (HostException e)
        {
            _noDump = e;
            _dump = e.Details as VmcoreDump ?? _dump;
            context.Verbose(e.What);
        }
        catch (OperationCanceledException)
        {
            // The host is back, or the drill is being stopped.
        }
    }

    // Known when all was looked at: a dump may come to light after the wait for it.
    private void EndCapture() => phases.Add(DrillPhaseKind.Capture, crash.TriggeredAt, _capturedAt ?? DateTimeOffset.UtcNow, _capturedAt is not null);

    private void Take(VmcoreDump dump)
    {
        _dump = dump;
        _capturedAt = DateTimeOffset.UtcNow;
        context.Verbose($"The dump is whole: {Printable.Escape(dump.Path)}.");
        operation.Journal.Append(new DrillEvent { Step = DrillStep.Captured, HostName = host.HostName, Vmcore = dump });
    }

    private async Task<string> ReturnAsync(CancellationToken cancellationToken)
    {
        try
        {
            var bootId = await BackAsync(cancellationToken).ConfigureAwait(false);
            phases.Add(DrillPhaseKind.Return, crash.TriggeredAt, true);
            return bootId;
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.HostDidNotReturn)
        {
            phases.Add(DrillPhaseKind.Return, crash.TriggeredAt, false);
            if (operation.Hooks.PowerCycle is not { } cycle)
            {
                throw;
            }

            context.Warning($"{host.HostName} did not come back; its power is cycled.");
            return await phases.TimeAsync(DrillPhaseKind.PowerCycle, async () =>
            {
                try
                {
                    await cycle(host, context, cancellationToken).ConfigureAwait(false);
                }
                catch (HostException failed)
                {
                    context.Warning(failed.Message);
                    throw new HostException(ErrorIds.HostDidNotReturn, host.HostName, $"{e.What} Its power could not be cycled: {failed.What}", failed) { HostSaid = failed.HostSaid };
                }

                return await BackAsync(cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
    }

    // A capture that still writes is not cut by the limit for the host; one that has not begun is.
    private async Task<string> BackAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var back = await operation.Trigger.AwaitReturnAsync(crash, host, context, cancellationToken).ConfigureAwait(false);
                var after = await AfterAsync(cancellationToken).ConfigureAwait(false);
                if (after is null || after.Flag("capturing"))
                {
                    context.Progress("Waiting for the host", "its capture kernel answers");
                    await Task.Delay(ArmPause, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                _returnedAt = DateTimeOffset.UtcNow;
                if (subject.Sysrq is { } before && after.Number("sysrq") is { } now && now != before)
                {
                    context.Verbose($"kernel.sysrq was {before} before the crash and is {now} now: what was set for one boot has ended with it.");
                }

                return back.BootIdAfter ?? after.Required("boot.id").Trim();
            }
            catch (HostException e) when (e.ErrorId == ErrorIds.HostDidNotReturn)
            {
                await LookForDumpAsync(cancellationToken).ConfigureAwait(false);
                if (_dump is not { State: VmcoreState.Writing })
                {
                    throw;
                }

                context.Verbose("The host is not back in time, but its dump still grows: waiting on.");
            }
        }
    }

    // null: it answered a moment ago and does not now.
    private async Task<HostReply?> AfterAsync(CancellationToken cancellationToken)
    {
        try
        {
            var connection = await operation.Access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                // The host's clock may have been set anew by its boot; an hour is nothing between two crashes that pstore keeps.
                var since = (subject.TriggeredAt - TimeSpan.FromHours(1)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
                return await HostReply.RunAsync(connection, HostScript.Load("drillafter", ("since", since)) with { Timeout = TimeSpan.FromSeconds(60) }, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (HostException e) when (ErrorIds.IsAway(e.ErrorId) || e.ErrorId is ErrorIds.AuthenticationFailed or ErrorIds.ProtocolError or ErrorIds.NoShell)
        {
            return null;
        }
    }

    private async Task LookForDumpAsync(CancellationToken cancellationToken)
    {
        if (_capturedAt is not null)
        {
            return;
        }

        try
        {
            var match = VmcoreMatch.From(_request, subject.Before);
            var listing = await operation.Watch.ListAsync(TimeSpan.Zero, match.Since, context, cancellationToken).ConfigureAwait(false);
            if (match.Find(listing, operation.Watch.Store) is { } found)
            {
                _noDump = null;
                if (found.Dump.State == VmcoreState.Complete)
                {
                    Take(found.Dump);
                }
                else
                {
                    _dump = found.Dump;
                }
            }
        }
        catch (HostException e)
        {
            _noDump = e;
            context.Verbose($"The store cannot be asked for the dump: {e.What}");
        }
    }

    private async Task<DrillFinding> JudgeAsync(CancellationToken cancellationToken)
    {
        await LookForDumpAsync(cancellationToken).ConfigureAwait(false);
        if (_capturedAt is not null)
        {
            // A dump of another kernel is not of this crash, whatever its name says.
            return _dump!.KernelRelease is { } release && subject.KernelRelease.Length > 0 && release != subject.KernelRelease
                ? new DrillFinding(DrillVerdict.Incomplete, $"The dump is of kernel {Printable.Escape(release)}; {subject.KernelRelease} was crashed.")
                : new DrillFinding(DrillVerdict.Proven);
        }

        if (_dump is null && _noDump is { } lost && lost.ErrorId is not (ErrorIds.VmcoreTimeout or ErrorIds.VmcoreFailed))
        {
            return new DrillFinding(DrillVerdict.Incomplete, "The host is back, and the store cannot be asked for its dump.", lost.Message, DrillWordsSource.Store);
        }

        if (_dump is { State: VmcoreState.NotChecked })
        {
            return new DrillFinding(DrillVerdict.Incomplete, "A dump came, and whether it is whole cannot be told.", _dump.Reason, DrillWordsSource.Store);
        }

        var (said, by) = await WordsAsync(await AfterAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        return new DrillFinding(DrillVerdict.NotCaptured, _dump is null ? "The host crashed and is back, and no dump came." : $"The host crashed and is back, and its dump is not whole: {Printable.Escape(_dump.Path)}.", said, by);
    }

    // The capture's own account is the best, then what scrolled over the console, then what the crashed kernel kept.
    private async Task<(string? Said, DrillWordsSource By)> WordsAsync(HostReply? after, CancellationToken cancellationToken)
    {
        if (_capturedAt is not null)
        {
            return (null, DrillWordsSource.None);
        }

        if (_dump?.Reason is { } reason)
        {
            return (reason, DrillWordsSource.Store);
        }

        if (DrillWords.FromConsole(consoleText()) is { } heard)
        {
            return (heard, DrillWordsSource.Console);
        }

        if (operation.Hooks.Console is { } console)
        {
            try
            {
                if (DrillWords.FromConsole(await console(host, context, cancellationToken).ConfigureAwait(false)) is { } words)
                {
                    return (words, DrillWordsSource.Console);
                }
            }
            catch (HostException e)
            {
                context.Warning($"The console of {host.HostName} cannot be read: {e.What}");
            }
        }

        return DrillWords.FromPstore(after?.Text("pstore")) is { } kept ? (kept, DrillWordsSource.Pstore) : (null, DrillWordsSource.None);
    }

    private async Task<bool> RearmAsync(CancellationToken cancellationToken)
    {
        var started = DateTimeOffset.UtcNow;
        var status = new KdumpStatusOperation(operation.Access);
        var armed = false;
        while (!armed)
        {
            try
            {
                armed = (await status.RunAsync(host, context, cancellationToken).ConfigureAwait(false)).State is not (KdumpState.Unknown or KdumpState.NotReady or KdumpState.NotSupported);
            }
            catch (HostException e)
            {
                context.Verbose($"The host cannot be asked whether it is ready again: {e.What}");
            }

            if (armed || DateTimeOffset.UtcNow - started > operation.Plan.RearmTimeout)
            {
                break;
            }

            context.Progress("Waiting for the host", $"not ready for a crash yet, {ProgressClock.Text(DateTimeOffset.UtcNow - started)}");
            await Task.Delay(ArmPause, cancellationToken).ConfigureAwait(false);
        }

        phases.Add(DrillPhaseKind.Rearm, started, armed);
        if (!armed)
        {
            context.Warning($"{host.HostName} is back and not ready for the next crash: Get-KdumpStatus says why.");
        }

        return armed;
    }
}
