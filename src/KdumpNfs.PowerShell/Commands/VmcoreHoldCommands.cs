using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>What Set-VmcoreHold and Clear-VmcoreHold share: dumps from the pipeline, on the store that they name.</summary>
public abstract class VmcoreHoldCmdlet : ConnectingCmdlet
{
    private VmcoreHoldOperation _operation = null!;

    /// <summary>The dumps: objects of Get-Vmcore, or paths of crash directories on the store.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, Position = 0)]
    [Alias("Path")]
    [AllowNull]
    public object[] InputObject { get; set; } = null!;

    /// <summary>The storage server, or any host that sees the share as a path. Without it, the one that the objects name.</summary>
    [Parameter]
    public string? StoreHost { get; set; }

    /// <summary>Login name on the store.</summary>
    [Parameter]
    public string? UserName { get; set; }

    /// <summary>Port of the store's SSH server.</summary>
    [Parameter]
    [PortTransformation]
    public int? Port { get; set; }

    /// <summary>Private key file for the store.</summary>
    [Parameter]
    [Alias("IdentityFilePath")]
    public string? KeyFilePath { get; set; }

    /// <summary>The operation.</summary>
    protected abstract VmcoreHoldOperation MakeOperation();

    /// <inheritdoc/>
    protected override void Prepare()
    {
        if (StoreHost is not null)
        {
            MakeHost(StoreHost, UserName, Port, KeyFilePath);
        }

        _operation = MakeOperation();
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var input in InputObject ?? [null!])
        {
            try
            {
                var dump = DumpReference.From(input);
                var host = MakeHost(StoreHost ?? dump.StoreHost ?? throw Refused($"It is not clear where {Printable.Escape(dump.Path)} is.", "Name the store: -StoreHost storage"), UserName, Port, KeyFilePath);
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
