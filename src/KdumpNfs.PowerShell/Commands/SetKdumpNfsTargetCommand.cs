using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KdumpNfsTarget: sends the dumps of hosts to an NFS export, after a check from the host that it mounts and can be written.</summary>
/// <remarks>
/// <para>Points kdump at an NFS export and, if asked, says how dumps are made. From each host the export is mounted and written first; only then the
/// host's own file (kdump.conf, kdump-tools or SUSE's sysconfig) is edited, losslessly, with a copy of the old one. The capture image is rebuilt and
/// loaded. If the host would not be armed afterwards, the old state comes back and the error has the service's own words.</para>
/// <para>The change runs detached on the host: a connection that dies leaves the old state or the new one, never something between. Doing it twice
/// changes nothing the second time (Changed is false).</para>
/// </remarks>
/// <example>
/// <code>
/// Set-KdumpNfsTarget web01 -NfsServer storage -Export /data/nfs_share -DumpPath /var/crash -WhatIf
/// </code>
/// <para>Shows the diff of the host's file.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-KdumpStatus | Where-Object NotReadyReason -contains TargetMissing | Set-KdumpNfsTarget -NfsServer storage -Export /data/nfs_share -DumpPath /var/crash -DumpLevel 31 -BatchSize 1, 5, 25%
/// </code>
/// <para>Changes hosts that have no target yet, in batches that stop at the first failure.</para>
/// </example>
/// <example>
/// <code>
/// Get-Content ./hosts.txt | Set-KdumpNfsTarget -NfsServer storage -Export /data/nfs_share -PassPlan | ConvertTo-Json -AsArray | Set-Content ./plans.json
/// </code>
/// <para>Makes plans to be looked at; Invoke-KdumpPlan applies them.</para>
/// </example>
/// <note>A host without reserved crash memory is refused: see Set-CrashKernelReservation.</note>
/// <seealso cref="EnableNfsExportCommand"/>
/// <seealso cref="TestKdumpReadinessCommand"/>
/// <seealso cref="RestoreKdumpConfigurationCommand"/>
/// <seealso cref="InvokeKdumpPlanCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsCommon.Set, "KdumpNfsTarget", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpTargetChange), typeof(KdumpPlan))]
public sealed class SetKdumpNfsTargetCommand : TargetCmdlet
{
    private SetNfsTargetOperation _operation = null!;

    /// <summary>Name or address of the NFS server, as the hosts reach it.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string NfsServer { get; set; } = "";

    /// <summary>The exported directory on it.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ExportCompleter))]
    public string Export { get; set; } = "";

    /// <summary>Directory for dumps inside the export.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
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
