using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Disable-Sysrq: back to what was there before Enable-Sysrq, or to a given mask.</summary>
[Cmdlet(VerbsLifecycle.Disable, "Sysrq", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(SysrqChange))]
public sealed class DisableSysrqCommand : ChangeCmdlet
{
    private DisableSysrqOperation _operation = null!;

    /// <summary>The mask to set; without it the one from before Enable-Sysrq comes back, the drop-in's bytes too.</summary>
    [Parameter]
    public int? Mask { get; set; }

    /// <summary>Boot changes what is in force only; the drop-in rules again at the next boot.</summary>
    [Parameter]
    public SettingScope Scope { get; set; } = SettingScope.Persistent;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new DisableSysrqOperation(Access) { Mask = Mask, Scope = Scope };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
