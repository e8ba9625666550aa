using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>How a drill looks at a host and crashes it.</summary>
public interface IDrillTrigger
{
    /// <summary>Looks whether a host is the one that is meant and ready to be crashed.</summary>
    /// <exception cref="HostException">NotReady, MachineIdMismatch, NotRoot, and those of connecting.</exception>
    Task<CrashCandidate> LookAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken);

    /// <summary>Pulls the trigger, once.</summary>
    /// <exception cref="HostException">
    /// SysrqFailed, MachineIdMismatch, NotRoot: the host was not crashed. Any other: it is not known whether it was.
    /// </exception>
    Task<SysrqCrash> PullAsync(CrashCandidate candidate, HostContext context, CancellationToken cancellationToken);

    /// <summary>Waits until the host answers with another boot.</summary>
    /// <exception cref="HostException">CrashDidNotHappen, HostDidNotReturn.</exception>
    Task<SysrqCrash> AwaitReturnAsync(SysrqCrash crash, SshHost host, HostContext context, CancellationToken cancellationToken);
}

/// <summary>Crashes a host through its SSH server: /proc/sysrq-trigger, whatever the sysrq mask.</summary>
public sealed class SshDrillTrigger(SysrqCrashOperation operation) : IDrillTrigger
{
    /// <inheritdoc/>
    public Task<CrashCandidate> LookAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken) =>
        operation.ProbeAsync(host, machineId, context, cancellationToken);

    /// <inheritdoc/>
    public Task<SysrqCrash> PullAsync(CrashCandidate candidate, HostContext context, CancellationToken cancellationToken) =>
        operation.TriggerAsync(candidate, context, cancellationToken);

    /// <inheritdoc/>
    public Task<SysrqCrash> AwaitReturnAsync(SysrqCrash crash, SshHost host, HostContext context, CancellationToken cancellationToken) =>
        operation.AwaitReturnAsync(crash, host, context, cancellationToken);
}

/// <summary>What a drill asks of the world around the hosts.</summary>
public sealed record DrillHooks
{
    /// <summary>Cycles the power of a host that did not come back; null where nobody can.</summary>
    public Func<SshHost, HostContext, CancellationToken, Task>? PowerCycle { get; init; }

    /// <summary>Gives what a host's serial console said, the last part of it at least; null where nobody can.</summary>
    public Func<SshHost, HostContext, CancellationToken, Task<string?>>? Console { get; init; }
}
