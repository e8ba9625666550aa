using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Enable-Sysrq: allows the sysrq functions of the kernel, for this boot or for good.</summary>
/// <remarks>
/// <para>Sets kernel.sysrq, which decides which sysrq keys the kernel takes from a console and a keyboard. Persistent writes a drop-in of ours under
/// /etc/sysctl.d and applies that file alone; Boot leaves no file. A mask that another file would set again is reported (OverriddenBy).</para>
/// <para>Root may always write to /proc/sysrq-trigger: Invoke-SysrqCrash over SSH needs none of this. Keys over a serial console do.</para>
/// </remarks>
/// <example>
/// <code>
/// Enable-Sysrq web01 -Scope Boot
/// </code>
/// <para>Allows all keys until the next boot.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Enable-Sysrq -Mask 184 | Where-Object OverriddenBy
/// </code>
/// <para>Allows dumps and crashes, sync, remount and reboot (8 + 16 + 32 + 128) for good, and lists hosts where another file wins at boot.</para>
/// </example>
/// <seealso cref="DisableSysrqCommand"/>
/// <seealso cref="SendSysrqCommand"/>
/// <seealso cref="InvokeSysrqCrashCommand"/>
[Cmdlet(VerbsLifecycle.Enable, "Sysrq", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(SysrqChange))]
public sealed class EnableSysrqCommand : ChangeCmdlet
{
    private EnableSysrqOperation _operation = null!;

    /// <summary>What is allowed: 1 for everything, else a sum (8 dumps and crashes, 16 sync, 32 remount, 128 reboot).</summary>
    [Parameter]
    [ArgumentCompleter(typeof(SysrqMaskCompleter))]
    public int Mask { get; set; } = EnableSysrqOperation.AllFunctions;

    /// <summary>Until the next boot, or in a file of ours under /etc/sysctl.d as well.</summary>
    [Parameter]
    public SettingScope Scope { get; set; } = SettingScope.Persistent;

    /// <summary>A directory on the host, which is a build host then: the drop-in of the image tree there is changed instead of the host itself. The image's hosts have it from their
    /// first boot on.</summary>
    [Parameter]
    public string? ImageRoot { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new EnableSysrqOperation(Access) { Mask = Mask, Scope = Scope, ImageRoot = SysctlImage.Check(ImageRoot, Scope) };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
