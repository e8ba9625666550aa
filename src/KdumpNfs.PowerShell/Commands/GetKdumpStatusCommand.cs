using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KdumpStatus: whether each host would leave a vmcore, and what stands against it.</summary>
[Cmdlet(VerbsCommon.Get, "KdumpStatus")]
[OutputType(typeof(KdumpStatus))]
public sealed class GetKdumpStatusCommand : FleetCmdlet
{
    private KdumpStatusOperation _operation = null!;

    /// <summary>Where dumps should go: <c>server:/path</c>, or the Target of another status. Another target makes a host NotReady.</summary>
    [Parameter]
    public object? ExpectedTarget { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new KdumpStatusOperation(Access) { ExpectedTarget = TargetParameter.Read(ExpectedTarget) };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));

    /// <inheritdoc/>
    protected override object FailedObject(HostException failure) => KdumpStatus.Failed(failure);
}
