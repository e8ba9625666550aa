using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Test-KdumpReadiness: whether a crash of each host now would end as a usable vmcore, check by check.</summary>
/// <remarks>
/// <para>Runs all checks on each host: kernel, memory, crash kernel, service, configuration, capture image, network, store and its free space. Each check
/// has Pass, Warn, Fail or NotChecked, with evidence and remedy; NotChecked is not a pass. It changes nothing. -Probe mounts the export from the
/// host, softly and in a namespace of its own, and writes and removes a file there.</para>
/// </remarks>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Test-KdumpReadiness -Probe -Summary
/// </code>
/// <para>One object for each host, and one for each store: how many hosts may crash at the same time.</para>
/// </example>
/// <example>
/// <code>
/// (Test-KdumpReadiness web01 -Probe).Checks | Where-Object Outcome -ne Pass | Format-List
/// </code>
/// <para>What stands against a dump of one host, with the remedies.</para>
/// </example>
/// <example>
/// <code>
/// if (-not (Get-Content ./hosts.txt | Test-KdumpReadiness -Probe -Quiet)) { exit 1 }
/// </code>
/// <para>One answer for a scheduled job.</para>
/// </example>
/// <seealso cref="GetKdumpStatusCommand"/>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso cref="InvokeKdumpDrillCommand"/>
/// <seealso href="about_KdumpNfs"/>
[Cmdlet(VerbsDiagnostic.Test, "KdumpReadiness")]
[OutputType(typeof(HostReadiness), typeof(StoreReadiness), typeof(bool))]
public sealed class TestKdumpReadinessCommand : FleetCmdlet
{
    // Only what the figures of the stores need: memory does not grow with what a host said.
    private readonly List<HostReadiness> _forStores = [];
    private TestReadinessOperation _operation = null!;
    private bool _allPassed = true;
    private bool _any;

    /// <summary>Mounts the export from each host, writes a file there and removes it, and counts how large a dump would be. Needs root.</summary>
    [Parameter]
    public SwitchParameter Probe { get; set; }

    /// <summary>Gives one value for all hosts: $true when every one was asked and passed.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>Gives one object a store as well, after the hosts: how many of them may crash at the same time.</summary>
    [Parameter]
    public SwitchParameter Summary { get; set; }

    /// <summary>Where dumps should go: <c>server:/path</c>, or the Target of another object. Another target fails.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(TargetCompleter))]
    public object? ExpectedTarget { get; set; }

    /// <summary>How many hosts mount a store for -Probe at once, whatever -ThrottleLimit says.</summary>
    [Parameter]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <inheritdoc/>
    protected override void PrepareOperation() =>
        _operation = new TestReadinessOperation(Access) { Probe = Probe, Stores = SharedLimit.ForStores(StoreLimit), ExpectedTarget = TargetParameter.Read(ExpectedTarget) };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));

    /// <inheritdoc/>
    protected override object FailedObject(HostException failure) => HostReadiness.NotAsked(failure);

    /// <inheritdoc/>
    public override void Output(object value, SshHost host)
    {
        if (value is HostReadiness readiness)
        {
            _any = true;
            _allPassed &= readiness.Passed;
            _forStores.Add(readiness with { Checks = [], Status = null, LastDrill = null });
        }

        if (!Quiet)
        {
            base.Output(value, host);
        }
    }

    /// <inheritdoc/>
    public override void Failed(HostException failure)
    {
        _allPassed = false;
        base.Failed(failure);
    }

    /// <inheritdoc/>
    protected override bool GivesFailedObjects => !Quiet;

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        foreach (var store in StoreReadiness.Of(_forStores))
        {
            if (store.Warning is { } warning)
            {
                Warning("", warning);
            }

            if (Summary && !Quiet)
            {
                WriteObject(store);
            }
        }

        if (Quiet)
        {
            // No host at all proves nothing.
            WriteObject(_allPassed && _any);
        }
    }
}
