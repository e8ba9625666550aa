using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Disable-Kdump: switches kdump off; no crash of the host is captured any more.</summary>
/// <remarks>
/// <para>Switches the kdump service off, now and for later boots, and unloads the crash kernel. From then on a crash of the host leaves no dump. The
/// configuration stays. The memory stays reserved too, unless -RemoveReservation takes the argument out of the boot loader from the next boot on.</para>
/// </remarks>
/// <example>
/// <code>
/// Disable-Kdump web01 -WhatIf
/// </code>
/// <para>Shows what would be switched off.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./retired.csv | Disable-Kdump -RemoveReservation -Confirm:$false
/// </code>
/// <para>Switches kdump off on hosts that are taken out of service, without a question for each, and gives their memory back after the next
/// reboot.</para>
/// </example>
/// <note>Install-Kdump switches the service on again.</note>
/// <seealso cref="InstallKdumpCommand"/>
/// <seealso cref="GetKdumpStatusCommand"/>
/// <seealso cref="SetCrashKernelReservationCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsLifecycle.Disable, "Kdump", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(KdumpDisabling))]
public sealed class DisableKdumpCommand : ChangeCmdlet
{
    private DisableKdumpOperation _operation = null!;

    /// <summary>Also takes the reservation out of the boot loader, from the next boot on.</summary>
    [Parameter]
    public SwitchParameter RemoveReservation { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new DisableKdumpOperation(Access) { RemoveReservation = RemoveReservation };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
