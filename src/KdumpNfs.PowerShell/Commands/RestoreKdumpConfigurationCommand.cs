using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Restore-KdumpConfiguration: brings back the exact bytes of a backup that a change left, rebuilt and loaded; or lists the backups.</summary>
/// <remarks>
/// <para>Every change of a dump target leaves a copy of the file that it replaced. This cmdlet lists those copies, or brings one back byte for byte, with
/// the same checks, rebuild and load as the change that it undoes. Without -Backup it undoes the last change; doing it twice changes nothing the second
/// time.</para>
/// </remarks>
/// <example>
/// <code>
/// Restore-KdumpConfiguration web01 -List
/// </code>
/// <para>The copies on the host, the newest first.</para>
/// </example>
/// <example>
/// <code>
/// Restore-KdumpConfiguration web01, web02 -WhatIf
/// </code>
/// <para>The diff that would undo the last change on both hosts.</para>
/// </example>
/// <example>
/// <code>
/// Restore-KdumpConfiguration web01 -Backup 20261122
/// </code>
/// <para>Brings back the copy whose name has this time in it.</para>
/// </example>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso cref="InvokeKdumpPlanCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsData.Restore, "KdumpConfiguration", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = RestoreSet)]
[OutputType(typeof(KdumpTargetChange), typeof(KdumpPlan), ParameterSetName = [RestoreSet])]
[OutputType(typeof(KdumpBackup), ParameterSetName = [ListSet])]
public sealed class RestoreKdumpConfigurationCommand : ChangeCmdlet
{
    private const string RestoreSet = "Restore";
    private const string ListSet = "List";

    private RestoreConfigurationOperation _operation = null!;

    /// <summary>The backup: its path on the host, its file name or a part of it, such as its time. Without it the state before the last change.</summary>
    [Parameter(ParameterSetName = RestoreSet)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(BackupCompleter))]
    public string? Backup { get; set; }

    /// <summary>Makes the dump directory of the restored target if it is missing.</summary>
    [Parameter(ParameterSetName = RestoreSet)]
    public SwitchParameter CreatePath { get; set; }

    /// <summary>Gives the plan of each host as an object and changes nothing.</summary>
    [Parameter(ParameterSetName = RestoreSet)]
    public SwitchParameter PassPlan { get; set; }

    /// <summary>How many hosts probe a store and rebuild their capture image for it at once, whatever -ThrottleLimit says.</summary>
    [Parameter(ParameterSetName = RestoreSet)]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <summary>Gives the backups of each host, the newest first, and changes nothing.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ListSet)]
    public SwitchParameter List { get; set; }

    /// <summary>A directory on the host, which is a build host then: the image tree there is restored instead of the host itself.</summary>
    [Parameter]
    public string? ImageRoot { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        var request = RestoreRequest.Create(Backup, CreatePath);
        _operation = new RestoreConfigurationOperation(Access, request) { PassPlan = PassPlan, Stores = SharedLimit.ForStores(StoreLimit), ImageRoot = TargetChangeOperation.CheckImageRoot(ImageRoot, request) };
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        if (List)
        {
            return (context, token) => _operation.ListAsync(host, context, token);
        }

        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => _operation.RunAsync(host, machineId, context, token);
    }
}
