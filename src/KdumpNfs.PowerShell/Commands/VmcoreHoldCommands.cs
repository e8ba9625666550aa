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
[Cmdlet(VerbsCommon.Clear, "VmcoreHold", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(VmcoreHold))]
public sealed class ClearVmcoreHoldCommand : VmcoreHoldCmdlet
{
    /// <inheritdoc/>
    protected override VmcoreHoldOperation MakeOperation() => new(Access) { Hold = false };
}
