using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KdumpNfsTarget: sends the dumps of hosts to an NFS export, after a check from the host that it mounts and can be written.</summary>
[Cmdlet(VerbsCommon.Set, "KdumpNfsTarget", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(NfsTargetChange), typeof(NfsTargetPlan))]
public sealed class SetKdumpNfsTargetCommand : ChangeCmdlet
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

    /// <summary>What the dump leaves out: a number from 0 to 31 or names. Without it the host keeps what it has.</summary>
    [Parameter]
    [DumpLevelTransformation]
    public DumpLevel? DumpLevel { get; set; }

    /// <summary>How pages are compressed. Without it the host keeps what it has.</summary>
    [Parameter]
    public VmcoreCompression? Compression { get; set; }

    /// <summary>Makes the dump directory, from the host, if it is missing.</summary>
    [Parameter]
    public SwitchParameter CreatePath { get; set; }

    /// <summary>Gives the plan of each host as an object and changes nothing.</summary>
    [Parameter]
    public SwitchParameter PassPlan { get; set; }

    /// <summary>Refuses another machine under the same name; an earlier cmdlet's output brings it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new SetNfsTargetOperation(
        Access, NfsTargetRequest.Create(NfsServer, Export, DumpPath, DumpLevelTransformationAttribute.Check(DumpLevel), Compression, CreatePath))
    {
        PassPlan = PassPlan,
    };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
