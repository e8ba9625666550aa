using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-KernelPanicPolicy: when the kernel of each host panics by itself, now and after the next boot.</summary>
/// <remarks>
/// <para>Reads the kernel parameters that decide whether trouble ends as a panic (and so as a dump) or goes on: lockups, hung tasks, NMIs, oopses and
/// warnings, and the time until a panicked kernel reboots. For each it tells the value now, the one of the next boot and where that comes from.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-KernelPanicPolicy web01 | Format-List
/// </code>
/// <para>All settings of a host.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-KernelPanicPolicy | Where-Object { -not $_.HardlockupPanic } | Select-Object HostName
/// </code>
/// <para>Hosts that hang without a dump when a processor locks up.</para>
/// </example>
/// <seealso cref="SetKernelPanicPolicyCommand"/>
/// <seealso cref="RestoreKernelPanicPolicyCommand"/>
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
