using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Update-KdumpInitramfs: builds the capture image again and loads it; the host stays armed meanwhile.</summary>
[Cmdlet(VerbsData.Update, "KdumpInitramfs", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpInitramfsChange))]
public sealed class UpdateKdumpInitramfsCommand : ChangeCmdlet
{
    private UpdateInitramfsOperation _operation = null!;

    /// <summary>Refuses another machine under the same name; an earlier cmdlet's output brings it.</summary>
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
