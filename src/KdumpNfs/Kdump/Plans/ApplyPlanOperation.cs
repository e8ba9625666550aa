using System.Collections.Concurrent;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Invoke-KdumpPlan: applies plans that were looked at, to hosts that are still as they were.</summary>
public sealed class ApplyPlanOperation(HostAccess access) : IAsyncDisposable
{
    // Plans of one command name the same store: one connection to it serves them all.
    private readonly ConcurrentDictionary<KdumpPlanRequest, DumpStore> _stores = [];

    /// <summary>How many hosts probe a store and rebuild for it at once.</summary>
    public SharedLimit Stores { get; init; } = new(SharedLimit.DefaultForStores);

    /// <summary>Applies a plan. Gives a <see cref="KdumpTargetChange"/>, or nothing if the answer was no.</summary>
    /// <exception cref="HostException">PlanDrifted, MachineIdMismatch, PlanInvalid, and those of the change itself.</exception>
    public async Task RunAsync(KdumpPlan plan, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var request = plan.Request.ToRequest(plan.Kind);
        var imageRoot = TargetChangeOperation.CheckImageRoot(plan.ImageRoot, request);
        if (request is SshTargetRequest ssh)
        {
            var store = plan.Request.ToStore();
            var operation = new SetSshTargetOperation(access, ssh, store) { Expected = plan, Stores = Stores, Shared = _stores.GetOrAdd(plan.Request, _ => new DumpStore(access, store, ssh)) };
            await using (operation.ConfigureAwait(false))
            {
                await operation.RunAsync(host, plan.MachineId, context, cancellationToken).ConfigureAwait(false);
            }
        }
        else
        {
            var operation = new PlannedChange(access, request) { Expected = plan, Stores = Stores, ImageRoot = imageRoot };
            await operation.RunAsync(host, plan.MachineId, context, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the connections to stores of ssh targets.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores.Values)
        {
            await store.DisposeAsync().ConfigureAwait(false);
        }
    }

    private sealed class PlannedChange(HostAccess access, TargetRequest request) : TargetChangeOperation(access, request)
    {
    }
}
