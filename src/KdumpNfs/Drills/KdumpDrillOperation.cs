using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>Drills: crashes hosts on purpose to prove that each would be captured, and keeps the outcome.</summary>
/// <remarks>
/// One for all hosts of a drill: they share the store, its leases and the journal. Before a trigger is pulled its line is on the disk of the controller; a
/// host with such a line is never crashed again by the same drill, whatever became of the controller.
/// </remarks>
public sealed class KdumpDrillOperation : IAsyncDisposable
{
    private readonly HostAccess _access;
    private readonly VmcoreWatch _watch;
    private readonly StoreLeases? _leases;

    /// <summary>A drill.</summary>
    /// <param name="access">How hosts and the store are reached.</param>
    /// <param name="plan">What the drill is.</param>
    /// <param name="journal">Its journal, begun or resumed.</param>
    /// <exception cref="HostException">InvalidInput: limits or paths that mean nothing.</exception>
    public KdumpDrillOperation(HostAccess access, DrillPlan plan, DrillJournal journal)
        : this(access, plan, journal, new RemoteVmcores(access, plan?.Store!, plan?.Root!), plan?.LeasePath is null ? null : new StoreLeases(access, plan.Store, plan.LeasePath, plan.MaxDown) { TimeToLive = Longer(plan.ReturnTimeout, TimeSpan.FromMinutes(3)) })
    {
    }

    internal KdumpDrillOperation(HostAccess access, DrillPlan plan, DrillJournal journal, IVmcoreStore store, StoreLeases? leases)
    {
        (_access, Plan, Journal, _watch, _leases) = (access, plan, journal, new VmcoreWatch(store), leases);
    }

    /// <summary>What the drill is.</summary>
    public DrillPlan Plan { get; }

    /// <summary>Its journal.</summary>
    public DrillJournal Journal { get; }

    /// <summary>How hosts are looked at and crashed.</summary>
    public required IDrillTrigger Trigger { get; init; }

    /// <summary>What it asks of the world around the hosts.</summary>
    public DrillHooks Hooks { get; init; } = new();

    /// <summary>How long after a host is back its dump may still come to light: the store's own delays.</summary>
    internal TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(20);

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    internal HostAccess Access => _access;

    internal VmcoreWatch Watch => _watch;

    internal StoreLeases? Leases => _leases;

    /// <summary>Looks at a host before anybody is asked, with every check of Test-KdumpReadiness and its probe. Gives a drill that ended with NotReady where it is not.</summary>
    /// <exception cref="HostException">NotReady, SysrqDisabled and what else stands against it.</exception>
    public static async Task<CrashCandidate> LookAsync(IDrillTrigger trigger, DrillLook look, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(trigger);
        ArgumentNullException.ThrowIfNull(look);
        ArgumentNullException.ThrowIfNull(context);
        var phases = new DrillPhases();
        try
        {
            return await phases.TimeAsync(DrillPhaseKind.Readiness, () => trigger.LookAsync(look, context, cancellationToken)).ConfigureAwait(false);
        }
        catch (HostException e) when (e.ErrorId is ErrorIds.NotReady or ErrorIds.SysrqDisabled)
        {
            var readiness = e.Details as HostReadiness;
            var status = readiness?.Status;
            context.Output(new KdumpDrill
            {
                HostName = look.Host.HostName,
                Verdict = DrillVerdict.NotReady,
                Reason = e.What,
                Said = e.HostSaid,
                SaidBy = e.HostSaid is null ? DrillWordsSource.None : DrillWordsSource.Host,
                FailedChecks = DrillChecks.Failed(readiness?.Checks ?? []),
                WarnedChecks = DrillChecks.Warned(readiness?.Checks ?? []),
                SerialConsole = look.Console?.ToString(),
                Phases = phases.All,
                KernelRelease = status?.KernelRelease ?? "",
                Target = status?.Target?.Location,
                MachineId = status?.MachineId,
                BootIdBefore = status?.BootId,
                CompletedAt = DateTimeOffset.UtcNow,
            });
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync().ConfigureAwait(false);
        if (_leases is not null)
        {
            await _leases.DisposeAsync().ConfigureAwait(false);
        }
    }
}
