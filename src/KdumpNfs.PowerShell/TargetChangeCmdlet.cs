using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that changes where dumps go.</summary>
public abstract class TargetChangeCmdlet : ChangeCmdlet
{
    /// <summary>Makes the dump directory if it is missing.</summary>
    [Parameter]
    public SwitchParameter CreatePath { get; set; }

    /// <summary>A directory on the host, which is a build host then: the image tree there is changed instead of the host itself.</summary>
    [Parameter]
    public string? ImageRoot { get; set; }

    /// <summary>Gives the plan of each host as an object and changes nothing.</summary>
    [Parameter]
    public SwitchParameter PassPlan { get; set; }

    /// <summary>The machine id (/etc/machine-id) that the host must have: another machine under the same name is refused. Objects of earlier cmdlets bring it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? MachineId { get; set; }

    /// <summary>The operation; there after PrepareOperation.</summary>
    protected abstract TargetChangeOperation Operation { get; }

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host)
    {
        var machineId = string.IsNullOrEmpty(MachineId) ? null : MachineId;
        return (context, token) => Operation.RunAsync(host, machineId, context, token);
    }
}

/// <summary>A cmdlet that sets a target and, if asked, how the dump is made.</summary>
public abstract class TargetCmdlet : TargetChangeCmdlet
{
    /// <summary>What the dump leaves out: a number from 0 to 31 or names. Without it the host keeps what it has.</summary>
    [Parameter]
    [DumpLevelTransformation]
    public DumpLevel? DumpLevel { get; set; }

    /// <summary>How pages are compressed. Without it the host keeps what it has.</summary>
    [Parameter]
    public VmcoreCompression? Compression { get; set; }

    /// <summary>What makedumpfile prints, 0 to 31: a sum of 1 (progress), 2 (common), 4 (errors), 8 (debug), 16 (report).</summary>
    [Parameter]
    [ArgumentCompleter(typeof(MessageLevelCompleter))]
    public int? MessageLevel { get; set; }

    /// <summary>What the capture does when the dump failed.</summary>
    [Parameter]
    public FailureAction? FailureAction { get; set; }

    /// <summary>The level, checked.</summary>
    private protected DumpLevel? CheckedLevel => (DumpLevel?)DumpLevelTransformationAttribute.Check(DumpLevel);

    /// <summary>What was asked for about the dump itself.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    protected CaptureOptions CaptureOptions => Kdump.CaptureOptions.Create((int?)CheckedLevel, Compression, MessageLevel, FailureAction);
}
