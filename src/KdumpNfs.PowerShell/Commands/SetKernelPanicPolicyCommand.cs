using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KernelPanicPolicy: makes kernels panic where they would go on. A switch that is not given leaves its setting alone; <c>-Switch:$false</c> turns it off.</summary>
[Cmdlet(VerbsCommon.Set, "KernelPanicPolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(KernelPanicPolicyChange))]
public sealed class SetKernelPanicPolicyCommand : ChangeCmdlet
{
    private SetKernelPanicPolicyOperation _operation = null!;

    /// <summary>kernel.softlockup_panic.</summary>
    [Parameter]
    public SwitchParameter SoftlockupPanic { get; set; }

    /// <summary>kernel.hardlockup_panic; needs the NMI watchdog.</summary>
    [Parameter]
    public SwitchParameter HardlockupPanic { get; set; }

    /// <summary>kernel.hung_task_panic.</summary>
    [Parameter]
    public SwitchParameter HungTaskPanic { get; set; }

    /// <summary>kernel.panic_on_io_nmi.</summary>
    [Parameter]
    public SwitchParameter PanicOnIoNmi { get; set; }

    /// <summary>kernel.panic_on_unrecovered_nmi.</summary>
    [Parameter]
    public SwitchParameter PanicOnUnrecoveredNmi { get; set; }

    /// <summary>kernel.unknown_nmi_panic.</summary>
    [Parameter]
    public SwitchParameter UnknownNmiPanic { get; set; }

    /// <summary>kernel.panic_on_oops.</summary>
    [Parameter]
    public SwitchParameter PanicOnOops { get; set; }

    /// <summary>kernel.panic_on_warn: asks once more, because harmless warnings panic too.</summary>
    [Parameter]
    public SwitchParameter PanicOnWarn { get; set; }

    /// <summary>kernel.panic: seconds until a panicked kernel reboots; 0 never, -1 at once.</summary>
    [Parameter]
    [Alias("PanicTimeoutSec")]
    public int PanicTimeout { get; set; }

    /// <summary>kernel.nmi_watchdog: the detector of hard lockups.</summary>
    [Parameter]
    public SwitchParameter NmiWatchdog { get; set; }

    /// <summary>Until the next boot, or in a file of ours under /etc/sysctl.d as well.</summary>
    [Parameter]
    public SettingScope Scope { get; set; } = SettingScope.Persistent;

    /// <summary>Answers the second question, that about -PanicOnWarn.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override bool IsForced => Force;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        var bound = MyInvocation.BoundParameters;
        var settings = PanicSettings.All.Where(setting => bound.ContainsKey(setting.ToString())).ToDictionary(setting => setting, setting =>
            setting == PanicSetting.PanicTimeout ? PanicTimeout : ((SwitchParameter)bound[setting.ToString()]).IsPresent ? 1 : 0);
        _operation = new SetKernelPanicPolicyOperation(Access, settings) { Scope = Scope };
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
