using System.Globalization;
using KdumpNfs.Ssh;

namespace KdumpNfs.Fleet;

/// <summary>Starts the hosts of a fleet in batches and stops when too many have failed. Every host gets an answer: NotStarted, if it was not its turn.</summary>
/// <remarks>The owner is the thread that owns the fleet. What runs when the limit is passed runs to its end; a change is never cut.</remarks>
public sealed class BatchRun
{
    private readonly BatchPlan _plan;
    private readonly FleetRun _fleet;
    private readonly IFleetFront _front;
    private readonly List<(SshHost Host, Func<HostContext, CancellationToken, Task> Work)> _waiting = [];
    private int _batch;
    private int _inBatch;
    private int _started;
    private int _failures;

    /// <summary>A run of a plan.</summary>
    public BatchRun(BatchPlan plan, FleetRun fleet, IFleetFront front)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(fleet);
        ArgumentNullException.ThrowIfNull(front);
        (_plan, _fleet, _front) = (plan, fleet, front);
    }

    /// <summary>Starts a host, or answers that it is not started. Waits for the batch before it, handling messages meanwhile.</summary>
    public void Add(SshHost host, Func<HostContext, CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(work);
        if (_plan.NeedsTotal)
        {
            _waiting.Add((host, work));
        }
        else
        {
            Start(host, work, 0);
        }
    }

    /// <summary>No more hosts will come: starts those that waited for their number to be known, and waits for all.</summary>
    public void Finish()
    {
        foreach (var (host, work) in _waiting)
        {
            Start(host, work, _waiting.Count);
        }

        _waiting.Clear();
        _fleet.Finish(_front);
    }

    private bool TooManyFailed => _plan.MaxFailure is { } limit && Volatile.Read(ref _failures) > limit;

    private void Start(SshHost host, Func<HostContext, CancellationToken, Task> work, int total)
    {
        if (_inBatch >= _plan.SizeOf(_batch, total))
        {
            _fleet.Finish(_front);
            if (!TooManyFailed)
            {
                _batch++;
                _inBatch = 0;
                _front.Verbose(host.HostName, $"Begins batch {(_batch + 1).ToString(CultureInfo.InvariantCulture)}; {_started.ToString(CultureInfo.InvariantCulture)} hosts are done.");
            }
        }

        _fleet.MakeRoom(_front);
        if (_fleet.CancellationToken.IsCancellationRequested)
        {
            return;
        }

        if (TooManyFailed)
        {
            _front.Failed(NotStarted(host));
            return;
        }

        _inBatch++;
        _started++;
        _fleet.Add(_front, host, async (context, token) =>
        {
            try
            {
                await work(context, token).ConfigureAwait(false);
            }
            catch (Exception e) when (Count(e))
            {
                throw;
            }
        });
    }

    /// <summary>Counts a failure; always false, so that the exception goes on as if nobody had looked.</summary>
    private bool Count(Exception e)
    {
        if (e is not OperationCanceledException)
        {
            Interlocked.Increment(ref _failures);
        }

        return false;
    }

    private HostException NotStarted(SshHost host) => new(ErrorIds.NotStarted, host.HostName,
        $"Not started: {Volatile.Read(ref _failures).ToString(CultureInfo.InvariantCulture)} of the {_started.ToString(CultureInfo.InvariantCulture)} hosts before it failed, and at most {_plan.MaxFailure!.Value.ToString(CultureInfo.InvariantCulture)} may.")
    {
        Remedy = "Nothing was contacted. Mend what failed, then run the command again: hosts that are done already are left as they are.",
    };
}
