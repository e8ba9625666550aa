using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-VmcoreEstimate: how large a dump would be, from makedumpfile's own count of pages.</summary>
/// <remarks>
/// <para>Counts the pages of a running host by kind, and tells how many a dump of a level would keep, and a range for its compressed size with what that
/// range is based on. The count comes from makedumpfile on the host (root needed), or with -Coarse from the kernel's counters.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-VmcoreEstimate web01 -DumpLevel 31
/// </code>
/// <para>What a dump with the highest level would keep.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Get-VmcoreEstimate -Coarse | Measure-Object CompressedHighBytes -Sum
/// </code>
/// <para>How many bytes the store needs when all hosts crash once.</para>
/// </example>
/// <seealso cref="TestKdumpReadinessCommand"/>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
[Cmdlet(VerbsCommon.Get, "VmcoreEstimate")]
[OutputType(typeof(HostVmcoreEstimate))]
public sealed class GetVmcoreEstimateCommand : FleetCmdlet
{
    private VmcoreEstimateOperation _operation = null!;

    /// <summary>What the dump leaves out: a number from 0 to 31 or names. Without it, as the host is configured.</summary>
    [Parameter]
    [DumpLevelTransformation]
    public DumpLevel? DumpLevel { get; set; }

    /// <summary>Takes the kernel's own counters at once: quick, no root needed, a wider range.</summary>
    [Parameter]
    public SwitchParameter Coarse { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() =>
        _operation = new VmcoreEstimateOperation(Access) { DumpLevel = (DumpLevel?)DumpLevelTransformationAttribute.Check(DumpLevel), Coarse = Coarse };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) =>
        async (context, token) => context.Output(await _operation.RunAsync(host, context, token));
}
