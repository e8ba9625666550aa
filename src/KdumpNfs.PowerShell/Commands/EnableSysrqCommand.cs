using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Enable-Sysrq: allows the sysrq functions of the kernel, for this boot or for good.</summary>
[Cmdlet(VerbsLifecycle.Enable, "Sysrq", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(SysrqChange))]
public sealed class EnableSysrqCommand : ChangeCmdlet
{
    private EnableSysrqOperation _operation = null!;

    /// <summary>What is allowed: 1 for everything, else a sum (8 dumps and crashes, 16 sync, 32 remount, 128 reboot).</summary>
    [Parameter]
    public int Mask { get; set; } = EnableSysrqOperation.AllFunctions;

    /// <summary>Until the next boot, or in a file of ours under /etc/sysctl.d as well.</summary>
    [Parameter]
    public SettingScope Scope { get; set; } = SettingScope.Persistent;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new EnableSysrqOperation(Access) { Mask = Mask, Scope = Scope };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
