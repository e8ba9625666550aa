using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Install-Kdump: the packages of kdump over NFS and its service; upgrades and removes nothing.</summary>
[Cmdlet(VerbsLifecycle.Install, "Kdump", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpInstallation))]
public sealed class InstallKdumpCommand : ChangeCmdlet
{
    private InstallKdumpOperation _operation = null!;

    /// <summary>Fetches the package lists first.</summary>
    [Parameter]
    public SwitchParameter Refresh { get; set; }

    /// <summary>Refuses another machine under the same name; an earlier cmdlet's output brings it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new InstallKdumpOperation(Access) { Refresh = Refresh };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
