using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Invoke-KdumpPlan: applies plans that were looked at, to hosts that are still as they were.</summary>
public sealed class ApplyPlanOperation(HostAccess access)
{
    /// <summary>How many hosts probe a store and rebuild for it at once.</summary>
    public SharedLimit Stores { get; init; } = new(SharedLimit.DefaultForStores);

    /// <summary>Applies a plan. Gives a <see cref="KdumpTargetChange"/>, or nothing if the answer was no.</summary>
    /// <exception cref="HostException">PlanDrifted, MachineIdMismatch, PlanInvalid, and those of the change itself.</exception>
    public Task RunAsync(KdumpPlan plan, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var request = plan.Request.ToRequest(plan.Kind);
        var operation = new PlannedChange(access, request) { Expected = plan, Stores = Stores, ImageRoot = TargetChangeOperation.CheckImageRoot(plan.ImageRoot, request) };
        return operation.RunAsync(host, plan.MachineId, context, cancellationToken);
    }

    private sealed class PlannedChange(HostAccess access, TargetRequest request) : TargetChangeOperation(access, request)
    {
    }
}
