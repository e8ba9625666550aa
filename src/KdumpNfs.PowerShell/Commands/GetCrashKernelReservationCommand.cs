using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-CrashKernelReservation: the memory reserved for the capture kernel now and after the next boot.</summary>
[Cmdlet(VerbsCommon.Get, "CrashKernelReservation")]
[OutputType(typeof(CrashKernelReservation))]
public sealed class GetCrashKernelReservationCommand : FleetCmdlet
{
    private GetCrashKernelOperation _operation = null!;

    /// <summary>Also asks kdumpctl estimate, which takes up to a minute a host and builds a stale capture image first.</summary>
    [Parameter]
    public SwitchParameter Estimate { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new GetCrashKernelOperation(Access) { Estimate = Estimate };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));
}
