using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KernelPanicPolicy: makes kernels panic where they would go on. A switch that is not given leaves its setting alone; <c>-Switch:$false</c> turns it off.</summary>
/// <remarks>
/// <para>Makes kernels panic, and so leave a dump, where they would go on hanging or limping. Only the settings that are given are changed. Persistent
/// writes a drop-in of ours under /etc/sysctl.d; what was there before is remembered on the host, for Restore-KernelPanicPolicy.</para>
/// </remarks>
/// <example>
/// <code>
/// Set-KernelPanicPolicy web01 -HardlockupPanic -NmiWatchdog -PanicOnOops -WhatIf
/// </code>
/// <para>Shows the change: hard lockups, for which the watchdog is switched on, and oopses panic.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Set-KernelPanicPolicy -SoftlockupPanic -HungTaskPanic:$false -PanicTimeout 10 -Confirm:$false
/// </code>
/// <para>Switches one setting on and one off, and lets panicked kernels reboot after ten seconds where no crash kernel takes over.</para>
/// </example>
/// <note>A host with such a policy goes down where it limped on before. -PanicOnWarn asks a second time: many kernels warn about harmless things.</note>
/// <seealso cref="GetKernelPanicPolicyCommand"/>
/// <seealso cref="RestoreKernelPanicPolicyCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsCommon.Set, "KernelPanicPolicy", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(KernelPanicPolicyChange))]
public sealed class SetKernelPanicPolicyCommand : ChangeCmdlet
{
    private SetKernelPanicPolicyOperation _operation = null!;

    /// <summary>Panic when a processor ran kernel code for too long without letting another task run (kernel.softlockup_panic).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter SoftlockupPanic { get; set; }

    /// <summary>Panic when a processor took no interrupts for too long (kernel.hardlockup_panic); needs -NmiWatchdog.</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter HardlockupPanic { get; set; }

    /// <summary>Panic when a task waited without being interruptible for too long, often for a dead disk or NFS server (kernel.hung_task_panic).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter HungTaskPanic { get; set; }

    /// <summary>Panic when hardware reports an I/O error by NMI (kernel.panic_on_io_nmi).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter PanicOnIoNmi { get; set; }

    /// <summary>Panic when an NMI comes whose cause was not dealt with, such as memory parity (kernel.panic_on_unrecovered_nmi).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter PanicOnUnrecoveredNmi { get; set; }

    /// <summary>Panic when an NMI comes that nobody claims; so does the NMI button of a BMC (kernel.unknown_nmi_panic).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter UnknownNmiPanic { get; set; }

    /// <summary>Panic when the kernel finds a fault of its own, instead of killing the task and going on (kernel.panic_on_oops).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter PanicOnOops { get; set; }

    /// <summary>Panic at each warning of the kernel (kernel.panic_on_warn). Asks once more, because harmless warnings panic too.</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter PanicOnWarn { get; set; }

    /// <summary>Seconds until a panicked kernel reboots (kernel.panic); 0 never, -1 at once.</summary>
    /// <value>As the host has it</value>
    [Parameter]
    [Alias("PanicTimeoutSec")]
    [ArgumentCompleter(typeof(PanicTimeoutCompleter))]
    public int PanicTimeout { get; set; }

    /// <summary>Runs the detector of hard lockups (kernel.nmi_watchdog).</summary>
    /// <value>As the host has it</value>
    [Parameter]
    public SwitchParameter NmiWatchdog { get; set; }

    /// <summary>Until the next boot, or in a file of ours under /etc/sysctl.d as well.</summary>
    [Parameter]
    public SettingScope Scope { get; set; } = SettingScope.Persistent;

    /// <summary>A directory on the host, which is a build host then: the drop-in of the image tree there is changed instead of the host itself. The image's hosts have it from their
    /// first boot on.</summary>
    [Parameter]
    public string? ImageRoot { get; set; }

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
        _operation = new SetKernelPanicPolicyOperation(Access, settings) { Scope = Scope, ImageRoot = SysctlImage.Check(ImageRoot, Scope) };
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
