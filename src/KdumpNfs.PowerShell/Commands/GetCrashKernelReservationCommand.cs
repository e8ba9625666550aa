using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-CrashKernelReservation: the memory reserved for the capture kernel now and after the next boot.</summary>
/// <remarks>
/// <para>Tells how much memory is reserved for the capture kernel now, what the boot loader will ask for at the next boot, and what the distribution
/// would set by default. Without such memory no crash kernel can be loaded, and no dump is made.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-CrashKernelReservation web01
/// </code>
/// <para>One object with the sizes in bytes and whether a reboot is due.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-CrashKernelReservation | Where-Object ReservedBytes -eq 0 | Set-CrashKernelReservation -Recommended -WhatIf
/// </code>
/// <para>Hosts without a reservation, and what would be changed to get one.</para>
/// </example>
/// <seealso cref="SetCrashKernelReservationCommand"/>
/// <seealso cref="GetKdumpStatusCommand"/>
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
