using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that changes hosts, many at once, in batches if asked: the first ones show whether the others may follow.</summary>
public abstract class ChangeCmdlet : FleetCmdlet
{
    private BatchRun? _batches;

    /// <summary>
    /// Hosts in a batch: a number, or several for the first batches, the last for all that follow; <c>25%</c> is a share of all hosts. The
    /// next batch begins when the one before has ended. One failure stops the rest unless -MaxFailure allows it.
    /// </summary>
    [Parameter]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(BatchSizeCompleter))]
    public string[]? BatchSize { get; set; }

    /// <summary>How many hosts may fail; with one more no further host is started. Those get the error NotStarted.</summary>
    [Parameter]
    public int? MaxFailure { get; set; }

    /// <inheritdoc/>
    protected override void CheckParameters()
    {
        base.CheckParameters();
        _batches = BatchPlan.Create(BatchSize, MaxFailure) is { } plan ? new BatchRun(plan, Fleet, this) : null;
    }

    /// <inheritdoc/>
    protected override void Begin(SshHost host, Func<HostContext, CancellationToken, Task> work)
    {
        if (_batches is null)
        {
            base.Begin(host, work);
        }
        else
        {
            _batches.Add(host, work);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        _batches?.Finish();
        base.EndProcessing();
    }
}
