using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Restore-KernelPanicPolicy: brings back the panic settings from before the first Set-KernelPanicPolicy.</summary>
/// <remarks>
/// <para>Brings back what each host had before its first Set-KernelPanicPolicy. That was remembered on the host, so any controller can do it, at any
/// time.</para>
/// </remarks>
/// <example>
/// <code>
/// Restore-KernelPanicPolicy web01 -WhatIf
/// </code>
/// <para>Shows which values would come back.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-KernelPanicPolicy | Where-Object PanicOnWarn | Restore-KernelPanicPolicy
/// </code>
/// <para>Undoes the policy where warnings panic.</para>
/// </example>
/// <seealso cref="SetKernelPanicPolicyCommand"/>
/// <seealso cref="GetKernelPanicPolicyCommand"/>
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
