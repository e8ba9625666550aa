using System.Globalization;
using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>
/// Invoke-SysrqCrash: crashes the kernel of hosts on purpose. Looks at all of them first, asks once, then pulls the triggers: over SSH, or with
/// -ConsoleHost by a break over their serial consoles, whose words are in the result.
/// </summary>
/// <remarks>
/// <para>Crashes hosts with the kernel's own trigger. It looks at each host first, refuses those that are not ready, checks the machine behind the name,
/// asks once with the list of all hosts, and keeps at most -MaxDown of them down. A trigger is never sent twice. With -ConsoleHost the crash is a break
/// and a key over the serial console, for hosts that hang.</para>
/// <para>Wait-Vmcore behind it in the pipeline waits for the dumps. It lists the store before the first trigger.</para>
/// </remarks>
/// <example>
/// <code>
/// Invoke-SysrqCrash web01 | Wait-Vmcore -StoreHost storage -ExportPath /data/nfs_share -DumpPath /var/crash
/// </code>
/// <para>Crashes a host after a question, and gives its dump when that is complete.</para>
/// </example>
/// <example>
/// <code>
/// Get-Content ./test-hosts.txt | Invoke-SysrqCrash -MaxDown 2 -Wait -WhatIf
/// </code>
/// <para>Shows which hosts would be crashed.</para>
/// </example>
/// <note>This crashes servers: what they do at that moment is lost. Read about_KdumpNfs_Safety. Invoke-KdumpDrill does the same with a verdict.</note>
/// <seealso cref="WaitVmcoreCommand"/>
/// <seealso cref="InvokeKdumpDrillCommand"/>
/// <seealso cref="SendSysrqCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsLifecycle.Invoke, "SysrqCrash", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(SysrqCrash))]
public sealed class InvokeSysrqCrashCommand : ConsoleCmdlet
{
    private readonly CrashList _hosts = new();
    private SysrqCrashOperation _operation = null!;
    private CrashCampaign? _campaign;

    /// <summary>How many hosts may be down at once; the next trigger waits for a host's new boot or its time limit.</summary>
    [Parameter]
    public int MaxDown { get; set; } = 1;

    /// <summary>Gives a host's object when it is back, with the boot that it came back with.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Seconds that a host may be away.</summary>
    [Parameter]
    public int TimeoutSec { get; set; } = 900;

    /// <summary>Crashes hosts that are not ready, too: there will probably be no dump.</summary>
    [Parameter]
    public SwitchParameter AllowNotReady { get; set; }

    /// <summary>Over the console crashes hosts, too, that do not answer over SSH: neither their state nor whose console it is can be checked then.</summary>
    [Parameter]
    public SwitchParameter AllowUnreachable { get; set; }

    /// <summary>Seconds to listen to a console after the crash key.</summary>
    [Parameter]
    public int ConsoleListenSec { get; set; } = 60;

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        if (MaxDown < 1)
        {
            throw Refused($"-MaxDown {MaxDown.ToString(CultureInfo.InvariantCulture)} would crash nothing.", "Give the number of hosts that may be down at once, 1 or more.");
        }

        _operation = new SysrqCrashOperation(Access)
        {
            AllowNotReady = AllowNotReady,
            AllowUnreachable = AllowUnreachable,
            ReturnTimeout = Seconds(TimeoutSec, nameof(TimeoutSec)),
            ConsoleAccess = ConsoleAccess,
            ConsoleListen = new SysrqCrashOperation(Access).ConsoleListen with { Limit = Seconds(ConsoleListenSec, nameof(ConsoleListenSec)) },
        };
    }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        SerialConsole? console;
        try
        {
            console = MakeConsole(host.HostName);
        }
        catch (HostException e)
        {
            return (_, _) => Task.FromException(e.For(host.HostName));
        }

        return async (context, token) => context.Output(await _operation.ProbeAsync(host, console, machineId, context, token));
    }

    /// <inheritdoc/>
    public override void Output(object value, SshHost host)
    {
        if (value is not CrashCandidate candidate)
        {
            base.Output(value, host);
        }
        else if (!_hosts.TryAdd(candidate, out var twin))
        {
            Warning(candidate.Host.HostName, $"{candidate.Host.HostName} is the same machine as {twin.Host.HostName}; it is crashed once.");
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        base.EndProcessing();
        if (_hosts.Candidates.Count == 0 || IsStopping || !Agreed())
        {
            return;
        }

        _campaign = new CrashCampaign(_operation, MaxDown, Wait);
        if (!IsStopping)
        {
            _campaign.Run(_hosts.Candidates, this);
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        base.StopProcessing();
        _campaign?.Cancel();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _campaign?.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool Agreed() => CrashAgreement.Given(this, Force, _hosts.Question(MaxDown), Ask);
}
