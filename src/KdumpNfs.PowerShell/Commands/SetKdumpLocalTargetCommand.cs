using System.Management.Automation;
using KdumpNfs.Kdump;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KdumpLocalTarget: keeps dumps on the host's own disks, in a directory or on a device that is mounted for the dump.</summary>
/// <remarks>
/// <para>Keeps dumps on the host: in a directory, or on a device that is mounted for the dump. Everything else is as with Set-KdumpNfsTarget: lossless
/// edit, copy of the old file, rebuild and load, and the old state back if the host would not be armed.</para>
/// </remarks>
/// <example>
/// <code>
/// Set-KdumpLocalTarget web01 -DumpPath /var/crash -WhatIf
/// </code>
/// <para>Shows the diff for dumps on the root disk.</para>
/// </example>
/// <example>
/// <code>
/// Set-KdumpLocalTarget db01 -Device LABEL=dumps -FileSystem xfs -DumpPath /crash -CreatePath
/// </code>
/// <para>Dumps go to a disk of their own, into a directory that is made if it is missing.</para>
/// </example>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso cref="SetKdumpSshTargetCommand"/>
/// <seealso cref="RestoreKdumpConfigurationCommand"/>
[Cmdlet(VerbsCommon.Set, "KdumpLocalTarget", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpTargetChange), typeof(KdumpPlan))]
public sealed class SetKdumpLocalTargetCommand : TargetCmdlet
{
    private SetLocalTargetOperation _operation = null!;

    /// <summary>The directory: on the device, or from the host's root. Without it the host keeps what it has, or its family's default.</summary>
    [Parameter]
    public string? DumpPath { get; set; }

    /// <summary>A device that is mounted for the dump: /dev/…, UUID=… or LABEL=…. Without it the directory is where it is mounted now.</summary>
    [Parameter]
    public string? Device { get; set; }

    /// <summary>The device's file system: ext4, xfs, btrfs…</summary>
    [Parameter]
    [ArgumentCompleter(typeof(FileSystemCompleter))]
    public string? FileSystem { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        var request = LocalTargetRequest.Create(DumpPath, Device, FileSystem, CaptureOptions, CreatePath);
        _operation = new SetLocalTargetOperation(Access, request) { PassPlan = PassPlan, ImageRoot = TargetChangeOperation.CheckImageRoot(ImageRoot, request) };
    }

    /// <inheritdoc/>
    protected override TargetChangeOperation Operation => _operation;
}
