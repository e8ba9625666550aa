using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Update-KdumpInitramfs: builds the capture image again and loads it; the host stays armed meanwhile.</summary>
/// <remarks>
/// <para>Builds the capture image of each host again, for instance after a driver, a network or a configuration was changed by hand, and loads it. The
/// old crash kernel stays loaded meanwhile; if the new image cannot be loaded, the old one comes back.</para>
/// </remarks>
/// <example>
/// <code>
/// Update-KdumpInitramfs web01
/// </code>
/// <para>Builds and loads.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-KdumpStatus | Where-Object NotReadyReason -contains ImageOlderThanConfiguration | Update-KdumpInitramfs -StoreLimit 4
/// </code>
/// <para>Hosts whose image does not know their configuration yet, four of a store at a time.</para>
/// </example>
/// <seealso cref="GetKdumpStatusCommand"/>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
[Cmdlet(VerbsData.Update, "KdumpInitramfs", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpInitramfsChange))]
public sealed class UpdateKdumpInitramfsCommand : ChangeCmdlet
{
    private UpdateInitramfsOperation _operation = null!;

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <summary>How many hosts rebuild their capture image for a store at once, whatever -ThrottleLimit says.</summary>
    [Parameter]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new UpdateInitramfsOperation(Access) { Stores = SharedLimit.ForStores(StoreLimit) };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
