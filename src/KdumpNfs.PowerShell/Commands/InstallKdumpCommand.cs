using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Install-Kdump: installs the packages of kdump over NFS and enables its service; upgrades and removes nothing.</summary>
/// <remarks>
/// <para>Installs what kdump over NFS needs from the host's own repositories, and enables its service. A transaction that would upgrade or remove
/// anything is refused before it begins. Without reserved memory the service cannot load a crash kernel yet: RebootRequired and
/// Set-CrashKernelReservation tell what is left.</para>
/// </remarks>
/// <example>
/// <code>
/// Install-Kdump web01 -WhatIf
/// </code>
/// <para>Shows the packages.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./rack7.csv | Install-Kdump -Refresh -BatchSize 1, 10 | Where-Object RebootRequired
/// </code>
/// <para>Tries one host first, then ten at a time, with fresh package lists; gives the hosts that have to boot before they are armed.</para>
/// </example>
/// <seealso cref="SetCrashKernelReservationCommand"/>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso cref="DisableKdumpCommand"/>
[Cmdlet(VerbsLifecycle.Install, "Kdump", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpInstallation))]
public sealed class InstallKdumpCommand : ChangeCmdlet
{
    private InstallKdumpOperation _operation = null!;

    /// <summary>Fetches the package lists first.</summary>
    [Parameter]
    public SwitchParameter Refresh { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <summary>How many hosts start kdump for one store at once, which may build their capture image, whatever -ThrottleLimit says.</summary>
    [Parameter]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new InstallKdumpOperation(Access) { Refresh = Refresh, Stores = SharedLimit.ForStores(StoreLimit) };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
