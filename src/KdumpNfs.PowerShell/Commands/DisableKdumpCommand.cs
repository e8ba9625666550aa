using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Disable-Kdump: switches kdump off; no crash of the host is captured any more.</summary>
[Cmdlet(VerbsLifecycle.Disable, "Kdump", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(KdumpDisabling))]
public sealed class DisableKdumpCommand : ChangeCmdlet
{
    private DisableKdumpOperation _operation = null!;

    /// <summary>Also takes the reservation out of the boot loader, from the next boot on.</summary>
    [Parameter]
    public SwitchParameter RemoveReservation { get; set; }

    /// <summary>Refuses another machine under the same name; an earlier cmdlet's output brings it.</summary>
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
