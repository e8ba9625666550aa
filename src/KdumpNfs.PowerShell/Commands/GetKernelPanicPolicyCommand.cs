using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KernelPanicPolicy: when the kernel of each host panics by itself, now and after the next boot.</summary>
[Cmdlet(VerbsCommon.Get, "KernelPanicPolicy")]
[OutputType(typeof(KernelPanicPolicy))]
public sealed class GetKernelPanicPolicyCommand : FleetCmdlet
{
    private KernelPanicPolicyOperation _operation = null!;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new KernelPanicPolicyOperation(Access);

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));
}
