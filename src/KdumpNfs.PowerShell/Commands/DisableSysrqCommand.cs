using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Disable-Sysrq: sets kernel.sysrq back to what was there before Enable-Sysrq, or to a given mask.</summary>
/// <remarks>
/// <para>Undoes Enable-Sysrq: the mask of kernel.sysrq from before comes back, and so do the bytes of the drop-in that was there. With -Mask it sets that
/// value instead.</para>
/// </remarks>
/// <example>
/// <code>
/// Disable-Sysrq web01, web02
/// </code>
/// <para>Both hosts get back what they had.</para>
/// </example>
/// <example>
/// <code>
/// Disable-Sysrq web01 -Mask 16 -Scope Boot
/// </code>
/// <para>Until the next boot only sync is allowed.</para>
/// </example>
/// <seealso cref="EnableSysrqCommand"/>
/// <seealso cref="SendSysrqCommand"/>
/// <seealso cref="InvokeSysrqCrashCommand"/>
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
