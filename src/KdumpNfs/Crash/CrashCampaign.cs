using KdumpNfs.Fleet;

namespace KdumpNfs.Crash;

/// <summary>Pulls the triggers of hosts that were looked at and agreed to, so that at most some of them are down at once.</summary>
public sealed class CrashCampaign : IDisposable
{
    private readonly SysrqCrashOperation _operation;
    private readonly FleetRun _fleet;
    private readonly bool _wait;
    private int _notStarted;

    /// <summary>A campaign.</summary>
    /// <param name="operation">How hosts are crashed.</param>
    /// <param name="maxDown">How many may be down at once; a host counts until its new boot id is seen or its time is up, whether or not results wait for it.</param>
    /// <param name="wait">Give results when the host is back, rather than when the trigger was pulled.</param>
    public CrashCampaign(SysrqCrashOperation operation, int maxDown, bool wait)
    {
        _operation = operation;
        _wait = wait;
        _fleet = new FleetRun(maxDown);
    }

    /// <summary>Crashes the hosts; results and errors go to the front end as they come.</summary>
    public void Run(IReadOnlyList<CrashCandidate> hosts, IFleetFront front)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        _notStarted = hosts.Count;
        foreach (var host in hosts)
        {
            _fleet.Add(front, host.Host.HostName, (context, token) => CrashAsync(host, context, token));
        }

        _fleet.Finish(front);
    }

    /// <summary>Stops: hosts whose trigger was not pulled yet stay up.</summary>
    public void Cancel() => _fleet.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _fleet.Dispose();

    private async Task CrashAsync(CrashCandidate candidate, HostContext context, CancellationToken cancellationToken)
    {
        Interlocked.Decrement(ref _notStarted);
        var crash = await _operation.TriggerAsync(candidate, context, cancellationToken).ConfigureAwait(false);
        if (!_wait)
        {
            context.Output(crash);
        }

        if (_wait || Volatile.Read(ref _notStarted) > 0)
        {
            var back = await _operation.AwaitReturnAsync(crash, candidate.Host, context, cancellationToken).ConfigureAwait(false);
            if (_wait)
            {
                context.Output(back);
            }
        }
    }
}
