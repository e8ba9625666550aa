using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KdumpNfsTarget: sends the dumps of hosts to an NFS export, after a check from the host that it mounts and can be written.</summary>
[Cmdlet(VerbsCommon.Set, "KdumpNfsTarget", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpTargetChange), typeof(KdumpPlan))]
public sealed class SetKdumpNfsTargetCommand : TargetCmdlet
{
    private SetNfsTargetOperation _operation = null!;

    /// <summary>Name or address of the NFS server, as the hosts reach it.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    public string NfsServer { get; set; } = "";

    /// <summary>The exported directory on it.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    public string Export { get; set; } = "";

    /// <summary>Directory for dumps inside the export.</summary>
    [Parameter]
    public string? DumpPath { get; set; }

    /// <summary>How long an NFS request waits for the server before it is sent again: milliseconds or a TimeSpan. Debian only; elsewhere the error
    /// has the line for /etc/fstab.</summary>
    [Parameter]
    [TimeoutTransformation]
    public TimeSpan? NfsTimeout { get; set; }

    /// <summary>How often an NFS request is sent again. Debian only, as -NfsTimeout.</summary>
    [Parameter]
    public int? NfsRetrans { get; set; }

    /// <summary>How many hosts probe a store and rebuild their capture image for it at once, whatever -ThrottleLimit says.</summary>
    [Parameter]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        var request = NfsTargetRequest.Create(NfsServer, Export, DumpPath, (int?)CheckedLevel, Compression, CreatePath, MessageLevel, FailureAction, NfsTimeout, NfsRetrans);
        _operation = new SetNfsTargetOperation(Access, request) { PassPlan = PassPlan, Stores = SharedLimit.ForStores(StoreLimit), ImageRoot = TargetChangeOperation.CheckImageRoot(ImageRoot, request) };
    }

    /// <inheritdoc/>
    protected override TargetChangeOperation Operation => _operation;
}
