using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>A look at a host before its crash.</summary>
/// <param name="Host">The way to it.</param>
/// <param name="Console">The serial console over which it is to be crashed; null to crash it over SSH.</param>
/// <param name="MachineId">The machine that is meant; null to take what is there.</param>
public sealed record DrillLook(SshHost Host, SerialConsole? Console = null, string? MachineId = null)
{
    /// <summary>The look just before the trigger, or one that may write nothing: nothing is mounted, nothing counted.</summary>
    public bool Quick { get; init; }
}

/// <summary>How a drill looks at a host and crashes it.</summary>
public interface IDrillTrigger
{
    /// <summary>Looks whether a host is the one that is meant and ready to be crashed.</summary>
    /// <exception cref="HostException">NotReady (its details are the <see cref="HostReadiness"/>), SysrqDisabled, MachineIdMismatch, NotRoot, and those of connecting.</exception>
    Task<CrashCandidate> LookAsync(DrillLook look, HostContext context, CancellationToken cancellationToken);

    /// <summary>Pulls the trigger, once. Over a console it ends when the listening does; <paramref name="listening"/> is told of the crash before.</summary>
    /// <exception cref="HostException">
    /// SysrqFailed, SysrqDisabled, SysrqNoAnswer, ConsoleNotAvailable, ConsoleMismatch, MachineIdMismatch, NotRoot: the host was not crashed. Any other: it is not
    /// known whether it was.
    /// </exception>
    Task<SysrqCrash> PullAsync(CrashCandidate candidate, CrashListening listening, HostContext context, CancellationToken cancellationToken);

    /// <summary>Waits until the host answers with another boot.</summary>
    /// <exception cref="HostException">CrashDidNotHappen, HostDidNotReturn.</exception>
    Task<SysrqCrash> AwaitReturnAsync(SysrqCrash crash, SshHost host, HostContext context, CancellationToken cancellationToken);

    /// <summary>Puts back what was raised for the crash, where the host still runs the boot that was to end; else sees that the new boot has what is configured.</summary>
    /// <exception cref="HostException">The host was not reached, or did not take it.</exception>
    Task<DrillSysrq> SettleAsync(SysrqRaise raise, string bootId, SshHost host, HostContext context, CancellationToken cancellationToken);
}

/// <summary>Crashes a host by sysrq: through its SSH server (/proc/sysrq-trigger, whatever the mask), or with a break over its serial console where the candidate has one.</summary>
public sealed class SysrqDrillTrigger(SysrqCrashOperation operation) : IDrillTrigger
{
    // One for all hosts: what it bounds at a store, it bounds for the drill.
    private readonly TestReadinessOperation _probing = new(operation.Access) { Probe = true };
    private readonly TestReadinessOperation _quick = new(operation.Access);

    /// <summary>Raises kernel.sysrq for the running boot where it would not let the crash key through the console.</summary>
    public bool RaiseSysrq { get; init; }

    /// <summary>The trigger of a plan.</summary>
    /// <param name="access">How hosts are reached; console servers are reached so too, with sudo only where the console says so.</param>
    /// <param name="plan">The drill.</param>
    /// <param name="allowNotReady">Crash hosts that are not ready.</param>
    public static SysrqDrillTrigger For(HostAccess access, DrillPlan plan, bool allowNotReady)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(plan);
        return new SysrqDrillTrigger(new SysrqCrashOperation(access)
        {
            AllowNotReady = allowNotReady,
            ReturnTimeout = plan.ReturnTimeout,
            ConsoleAccess = access with { Options = access.Options with { Sudo = false } },
            ConsoleListen = Listen(plan.ConsoleListen ?? plan.ReturnTimeout),
        })
        {
            RaiseSysrq = plan.RaiseSysrq,
        };
    }

    /// <summary>How a drill listens to a console: through the panic, the capture and the way back, however long each is quiet.</summary>
    /// <param name="limit">No longer than this; the drill ends it when the host is back.</param>
    public static ConsoleListen Listen(TimeSpan limit) => new() { Quiet = limit, FirstWord = TimeSpan.FromSeconds(10), Limit = limit, MaximumBytes = 1 << 20 };

    /// <inheritdoc/>
    public async Task<CrashCandidate> LookAsync(DrillLook look, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(look);
        ArgumentNullException.ThrowIfNull(context);
        look.Console?.Validated();
        var connection = await operation.Access.ConnectAsync(look.Host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var readiness = await (look.Quick ? _quick : _probing).ReadAsync(connection, context, cancellationToken).ConfigureAwait(false);
            HostRequirement.SameMachine(look.Host.HostName, readiness.MachineId, look.MachineId);
            if (DrillChecks.Failed(readiness.Checks).Count > 0 && !operation.AllowNotReady)
            {
                throw DrillChecks.NotReady(readiness);
            }

            var status = readiness.Status!;
            var masked = look.Console is null ? null : SysrqCrashOperation.Masked(status);
            if (masked is { } mask && !RaiseSysrq)
            {
                throw SysrqCrashOperation.MaskRefusal(look.Host.HostName, mask, readiness);
            }

            var candidate = await SysrqCrashOperation.CandidateAsync(connection, status, cancellationToken).ConfigureAwait(false);
            return candidate with { Host = look.Host, Console = look.Console, Checks = readiness.Checks, SysrqRaise = masked is { } low ? Crash.SysrqRaise.From(low) : null };
        }
    }

    /// <inheritdoc/>
    public async Task<SysrqCrash> PullAsync(CrashCandidate candidate, CrashListening listening, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        if (candidate.SysrqRaise is { } raise)
        {
            await DrillSysrqMask.RaiseAsync(raise, candidate.Status.BootId, operation.Access, candidate.Host, context, cancellationToken).ConfigureAwait(false);
        }

        return await operation.TriggerAsync(candidate, listening, context, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<SysrqCrash> AwaitReturnAsync(SysrqCrash crash, SshHost host, HostContext context, CancellationToken cancellationToken) =>
        operation.AwaitReturnAsync(crash, host, context, cancellationToken);

    /// <inheritdoc/>
    public Task<DrillSysrq> SettleAsync(SysrqRaise raise, string bootId, SshHost host, HostContext context, CancellationToken cancellationToken) =>
        DrillSysrqMask.SettleAsync(raise, bootId, operation.Access, host, context, cancellationToken);
}

/// <summary>What a drill asks of the world around the hosts.</summary>
public sealed record DrillHooks
{
    /// <summary>Cycles the power of a host that did not come back; null where nobody can.</summary>
    public Func<SshHost, HostContext, CancellationToken, Task>? PowerCycle { get; init; }

    /// <summary>Gives what a host's serial console said, the last part of it at least; null where nobody can.</summary>
    public Func<SshHost, HostContext, CancellationToken, Task<string?>>? Console { get; init; }
}
