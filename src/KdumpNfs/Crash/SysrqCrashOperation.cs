using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>
/// Crashes hosts on purpose. Two steps: look at every host, then, after one question for all of them, pull the triggers. A trigger is
/// pulled once: whatever happens to the connection afterwards, nothing here pulls it again.
/// </summary>
public sealed partial class SysrqCrashOperation(HostAccess access)
{
    /// <summary>Seconds that sync may take before the trigger is pulled all the same.</summary>
    public const int SyncLimitSeconds = 10;

    // A host's last words: the record "state" of trigger.sh.
    private static ReadOnlySpan<byte> LastWords => "\ntriggering\n"u8;

    private static readonly TimeSpan SilenceIsDeath = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan PollPause = TimeSpan.FromSeconds(2);

    /// <summary>How hosts are reached.</summary>
    internal HostAccess Access => access;

    /// <summary>Refuses hosts that are not ready unless set.</summary>
    public bool AllowNotReady { get; init; }

    /// <summary>How long a host may be away.</summary>
    public TimeSpan ReturnTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Looks at a host: is it the machine that was meant, is it ready, how will the store see it?</summary>
    /// <param name="host">The host.</param>
    /// <param name="machineId">The machine id that an earlier object of this pipeline saw; null to take what is there.</param>
    /// <param name="context">Where to tell.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="HostException">NotRoot, MachineIdMismatch, NotReady, and those of connecting.</exception>
    public async Task<CrashCandidate> ProbeAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName, "The sysrq trigger needs root.");
            }

            HostRequirement.SameMachine(host.HostName, facts.MachineId, machineId);

            var status = KdumpStatus.From(facts, expectedTarget: null);
            if (status.State is KdumpState.NotReady or KdumpState.NotSupported && !AllowNotReady)
            {
                throw new HostException(ErrorIds.NotReady, host.HostName,
                    $"The host is not ready, so a crash would leave no vmcore: {string.Join(", ", status.NotReadyReason)}.")
                {
                    HostSaid = facts.Service?.Words,
                    Remedy = "Mend what Get-KdumpStatus names, or crash it all the same with -AllowNotReady.",
                    Details = status,
                };
            }

            return await CandidateAsync(connection, status, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A host that was looked at over a connection that is there, with the address by which its store sees it.</summary>
    internal static async Task<CrashCandidate> CandidateAsync(IHostConnection connection, KdumpStatus status, CancellationToken cancellationToken)
    {
        string? source = null;
        if (status.Target?.Store is { Length: > 0 } store)
        {
            var route = await HostReply.RunAsync(connection, HostScript.Load("route", ("store", store)), cancellationToken).ConfigureAwait(false);
            source = route.Text("source") is { Length: > 0 } address ? address : null;
        }

        return new CrashCandidate(connection.Host, status, source);
    }

    /// <summary>Pulls the trigger, once.</summary>
    /// <exception cref="HostException">MachineIdMismatch, SysrqFailed, and those of connecting; over a console those of <see cref="ConsoleOperation"/> and
    /// SysrqDisabled, SysrqNoAnswer. None after the host went down.</exception>
    public Task<SysrqCrash> TriggerAsync(CrashCandidate candidate, HostContext context, CancellationToken cancellationToken) =>
        TriggerAsync(candidate, null, context, cancellationToken);

    /// <summary>Pulls the trigger, once; over a console with somebody who is told of the crash while the listening goes on.</summary>
    /// <exception cref="HostException">As without.</exception>
    public async Task<SysrqCrash> TriggerAsync(CrashCandidate candidate, CrashListening? listening, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        ArgumentNullException.ThrowIfNull(context);
        if (candidate.Console is { } console)
        {
            return await TriggerOverConsoleAsync(candidate, console, listening, context, cancellationToken).ConfigureAwait(false);
        }

        var host = candidate.Host;
        var status = candidate.Status;

        // A kept connection that died since the host was looked at is a reason to look again, not to reach for the trigger anew.
        var once = access with { Options = access.Options with { MayReconnect = false } };
        var connection = await once.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var heard = new MemoryStream();
            var triggering = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var meant = HostScript.Load("meanthost",
                ("machine_id", status.MachineId ?? ""), ("boot_id", status.BootId),
                ("sync_limit", SyncLimitSeconds.ToString(CultureInfo.InvariantCulture)));
            var script = meant with { Text = meant.Text + HostScript.Read("trigger") };
            context.Progress("Crashing", "syncing file systems");
            using var abandon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var run = connection.RunAsync(script with
            {
                OnOutput = bytes =>
                {
                    lock (heard)
                    {
                        heard.Write(bytes.Span);
                        if (heard.GetBuffer().AsSpan(0, (int)heard.Length).IndexOf(LastWords) >= 0)
                        {
                            triggering.TrySetResult();
                        }
                    }
                },
                Timeout = TimeSpan.FromSeconds(SyncLimitSeconds + 45),
            }, abandon.Token);

            await Task.WhenAny(run, triggering.Task).ConfigureAwait(false);
            var pulledAt = DateTimeOffset.UtcNow;
            if (triggering.Task.IsCompleted)
            {
                // The host says nothing more if it crashed. A reply within this time means that the kernel refused.
                await Task.WhenAny(run, Task.Delay(SilenceIsDeath, CancellationToken.None)).ConfigureAwait(false);
                if (!run.IsCompleted)
                {
                    await abandon.CancelAsync().ConfigureAwait(false);
                }
            }

            HostException? broken = null;
            try
            {
                await run.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (triggering.Task.IsCompleted)
            {
                // We closed the connection to a host that fell silent: that is the crash.
            }
            catch (HostException e) when (triggering.Task.IsCompleted)
            {
                broken = e;
            }

            HostReply reply;
            lock (heard)
            {
                // Of a host that crashed only what came before is whole.
                var said = heard.GetBuffer().AsSpan(0, (int)heard.Length);
                reply = HostReply.Parse(host.HostName, run.IsCompletedSuccessfully ? said : said[..(said.IndexOf(LastWords) + LastWords.Length)]);
            }

            Refuse(host, status, reply);
            context.Verbose("Triggered" + (broken is null ? "." : $"; the connection ended: {broken.What}"));
            if (reply.Text("synced") == "0")
            {
                context.Warning($"sync did not end within {SyncLimitSeconds} s on {host.HostName}; the crash was triggered without it.");
            }

            context.Progress("Crashing", "triggered", 1, done: true);
            return Crashed(candidate, pulledAt, reply.Text("synced") == "1");
        }
    }

    /// <summary>Waits until the host answers with another boot id.</summary>
    /// <exception cref="HostException">CrashDidNotHappen: it still runs the old boot. HostDidNotReturn: it was not back in time.</exception>
    public async Task<SysrqCrash> AwaitReturnAsync(SysrqCrash crash, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(crash);
        ArgumentNullException.ThrowIfNull(context);
        var quick = access with { Options = access.Options with { ConnectTimeout = Min(access.Options.ConnectTimeout, TimeSpan.FromSeconds(10)) } };
        var watch = Stopwatch.StartNew();
        var stillThere = 0;
        var last = "";
        while (true)
        {
            context.Progress("Waiting for the host", $"away for {ProgressClock.Text(watch.Elapsed)} {last}".TrimEnd() + $", gives up in {ProgressClock.Text(Max(ReturnTimeout - watch.Elapsed, TimeSpan.Zero))}",
                Math.Min(1, watch.Elapsed / ReturnTimeout), left: Max(ReturnTimeout - watch.Elapsed, TimeSpan.Zero));
            var asked = Stopwatch.StartNew();
            try
            {
                var connection = await quick.Connector.ConnectAsync(host, quick.Options, cancellationToken).ConfigureAwait(false);
                await using (connection.ConfigureAwait(false))
                {
                    var reply = await HostReply.RunAsync(connection, HostScript.Load("bootid") with { Timeout = TimeSpan.FromSeconds(20) }, cancellationToken).ConfigureAwait(false);
                    var bootId = reply.Required("boot.id").Trim();
                    if (bootId != crash.BootIdBefore)
                    {
                        context.Progress("Waiting for the host", "back", 1, done: true);
                        return crash with { BootIdAfter = bootId, Away = DateTimeOffset.UtcNow - crash.TriggeredAt };
                    }

                    // Twice the old boot, seconds apart, after the trigger: the kernel is alive.
                    if (++stillThere > 2 && watch.Elapsed > TimeSpan.FromSeconds(15))
                    {
                        throw new HostException(ErrorIds.CrashDidNotHappen, host.HostName, "The host still runs the boot that was to crash.")
                        {
                            Remedy = "Look at its console: the kernel may be locked down, or kernel.sysrq handled elsewhere. The trigger is not repeated.",
                        };
                    }
                }
            }
            catch (HostException e) when (ErrorIds.IsAway(e.ErrorId) || e.ErrorId is ErrorIds.AuthenticationFailed or ErrorIds.UnexpectedReply or ErrorIds.ProtocolError or ErrorIds.NoShell)
            {
                // Away, or booting: sshd comes up before logins are allowed (pam_nologin).
                last = $"({e.ErrorId})";
            }

            if (watch.Elapsed > ReturnTimeout)
            {
                context.Progress("Waiting for the host", "gave up", 1, done: true);
                throw new HostException(ErrorIds.HostDidNotReturn, host.HostName, $"The host did not come back within {ReturnTimeout.TotalMinutes:0.#} minutes {last}.")
                {
                    Remedy = "Look at its console: it may still be dumping, be stopped by its failure action, or need a power cycle.",
                    Details = crash,
                };
            }

            if (asked.Elapsed < PollPause)
            {
                await Task.Delay(PollPause - asked.Elapsed, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static SysrqCrash Crashed(CrashCandidate candidate, DateTimeOffset at, bool synced) => new()
    {
        CrashedHost = candidate.Host.HostName,
        SourceAddress = candidate.SourceAddress,
        Identities = [.. candidate.Status.Identities.Append(candidate.Host.HostName).Distinct(StringComparer.OrdinalIgnoreCase)],
        Target = candidate.Status.Target,
        MachineId = candidate.Status.MachineId,
        KernelRelease = candidate.Status.KernelRelease,
        BootIdBefore = candidate.Status.BootId,
        TriggeredAt = at,
        Synced = synced,
        Console = candidate.Console?.ToString(),
    };

    private static void Refuse(SshHost host, KdumpStatus status, HostReply reply)
    {
        switch (reply.Text("state"))
        {
            case "triggering" when reply.Text("refused") is { } words:
                throw new HostException(ErrorIds.SysrqFailed, host.HostName, "The kernel did not crash.")
                {
                    HostSaid = words,
                    Remedy = "The kernel may be locked down (Secure Boot); a break over the serial console or an NMI is another way.",
                };
            case "triggering":
                return;
            case "not-root":
                throw HostRequirement.NotRoot(host.HostName, "The sysrq trigger needs root.");
            case "other-machine":
                throw new HostException(ErrorIds.MachineIdMismatch, host.HostName, $"This is no longer the machine that was looked at (machine-id {status.MachineId}).")
                {
                    Remedy = "Nothing was crashed; find out where the name leads.",
                };
            case "rebooted":
                throw new HostException(ErrorIds.SysrqFailed, host.HostName, "The host rebooted after it was looked at.")
                {
                    Remedy = "Nothing was crashed; run the command again.",
                };
            case "no-trigger":
                throw new HostException(ErrorIds.SysrqFailed, host.HostName, "/proc/sysrq-trigger cannot be written.")
                {
                    Remedy = "The kernel has no CONFIG_MAGIC_SYSRQ, or this is a container.",
                };
            default:
                throw new HostException(ErrorIds.SysrqFailed, host.HostName, "The host was lost before the trigger was reached.")
                {
                    Remedy = "Probably nothing was crashed; look at the host before you run the command again.",
                };
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
