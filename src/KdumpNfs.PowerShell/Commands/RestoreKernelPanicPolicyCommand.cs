using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Restore-KernelPanicPolicy: what was there before the first Set-KernelPanicPolicy.</summary>
[Cmdlet(VerbsData.Restore, "KernelPanicPolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KernelPanicPolicyChange))]
public sealed class RestoreKernelPanicPolicyCommand : ChangeCmdlet
{
    private RestoreKernelPanicPolicyOperation _operation = null!;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new RestoreKernelPanicPolicyOperation(Access);

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
