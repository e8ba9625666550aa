using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>What Set-VmcoreHold and Clear-VmcoreHold share: dumps from the pipeline, on the store that they name.</summary>
public abstract class VmcoreHoldCmdlet : StoreObjectCmdlet
{
    private VmcoreHoldOperation _operation = null!;

    /// <summary>The dumps: objects of Get-Vmcore, or paths of crash directories on the store.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, Position = 0)]
    [Alias("Path")]
    [AllowNull]
    [ArgumentCompleter(typeof(VmcoreCompleter))]
    public object[] InputObject { get; set; } = null!;

    /// <summary>The operation.</summary>
    protected abstract VmcoreHoldOperation MakeOperation();

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = MakeOperation();

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [null!])
        {
            try
            {
                var dump = DumpReference.From(input);
                var host = StoreOf(dump.StoreHost) ?? throw Refused($"It is not clear where {Printable.Escape(dump.Path)} is.", "Name the store: -StoreHost storage");
                Fleet.Add(this, host.HostName, (context, token) => _operation.RunAsync(host, dump.Path, context, token));
            }
            catch (HostException e)
            {
                Failed(e);
            }
        }
    }
}

/// <summary>Set-VmcoreHold: keeps dumps from being removed.</summary>
/// <remarks>
/// <para>Puts a file .hold into crash directories on their store. Remove-Vmcore leaves such directories alone, whatever its limits say, and says why. The
/// reason is in the file and in Get-Vmcore's HoldReason.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash | Where-Object CrashedHost -eq web01 | Set-VmcoreHold -Reason 'case 4711'
/// </code>
/// <para>Keeps the dumps of a host for a case.</para>
/// </example>
/// <example>
/// <code>
/// Set-VmcoreHold /data/nfs_share/var/crash/10.0.0.7-2026-11-22-10:05:50 -StoreHost storage
/// </code>
/// <para>Keeps one directory, named by its path on the store.</para>
/// </example>
/// <seealso cref="ClearVmcoreHoldCommand"/>
/// <seealso cref="RemoveVmcoreCommand"/>
/// <seealso cref="GetVmcoreCommand"/>
[Cmdlet(VerbsCommon.Set, "VmcoreHold", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Low)]
[OutputType(typeof(VmcoreHold))]
public sealed class SetVmcoreHoldCommand : VmcoreHoldCmdlet
{
    /// <summary>Why, for whoever finds the marker.</summary>
    [Parameter]
    public string? Reason { get; set; }

    /// <inheritdoc/>
    protected override VmcoreHoldOperation MakeOperation() => new(Access) { Hold = true, Reason = Reason };
}

/// <summary>Clear-VmcoreHold: lets dumps be removed again.</summary>
/// <remarks>
/// <para>Removes the marker .hold from crash directories on their store, so that Remove-Vmcore may take them again when its limits say so. Nothing is
/// removed now. A directory without a marker stays as it is (Changed is false).</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash | Where-Object Held | Clear-VmcoreHold -WhatIf
/// </code>
/// <para>Shows which holds of the store would end.</para>
/// </example>
/// <example>
/// <code>
/// Clear-VmcoreHold /data/nfs_share/var/crash/10.0.0.7-2026-11-22-10:05:50 -StoreHost storage
/// </code>
/// <para>Ends the hold of one crash directory, named by its path on the store.</para>
/// </example>
/// <seealso cref="SetVmcoreHoldCommand"/>
/// <seealso cref="RemoveVmcoreCommand"/>
/// <seealso cref="GetVmcoreCommand"/>
[Cmdlet(VerbsCommon.Clear, "VmcoreHold", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(VmcoreHold))]
public sealed class ClearVmcoreHoldCommand : VmcoreHoldCmdlet
{
    /// <inheritdoc/>
    protected override VmcoreHoldOperation MakeOperation() => new(Access) { Hold = false };
}
