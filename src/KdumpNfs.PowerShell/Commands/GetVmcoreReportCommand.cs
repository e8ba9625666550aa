using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Get-VmcoreReport: what happened, straight from the dump (or from a saved log), wherever it lies.</summary>
/// <remarks>
/// <para>Reads a dump, or a saved log, and tells what happened: the kind of crash, the panic's line, the function and module, processor, task, call
/// trace, taint, uptime, and the version of the kernel with the package that has its debug symbols. Signature is the same for crashes with the same
/// cause, for grouping.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-Vmcore storage /data/nfs_share -DumpPath /var/crash | Get-VmcoreReport | Group-Object Signature | Sort-Object Count -Descending
/// </code>
/// <para>Which crash a fleet has most.</para>
/// </example>
/// <example>
/// <code>
/// Get-VmcoreReport ./vmcore-dmesg.txt -LogLines 100 | Format-List
/// </code>
/// <para>A report from a log alone, where there is no dump.</para>
/// </example>
/// <note>What a report could not find is in Missing, with the reason.</note>
/// <seealso cref="GetVmcoreDmesgCommand"/>
/// <seealso cref="ExportVmcoreBundleCommand"/>
/// <seealso href="about_KdumpNfs_Vmcore"/>
[Cmdlet(VerbsCommon.Get, "VmcoreReport")]
[OutputType(typeof(VmcoreReport))]
public sealed class GetVmcoreReportCommand : DumpCmdlet
{
    /// <summary>How many of the log's last lines the report has.</summary>
    [Parameter]
    [ValidateRange(0, 100_000)]
    public int LogLines { get; set; } = ReportBuilder.DefaultLogLines;

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(DumpPlace place)
    {
        var lines = LogLines;
        return async (context, token) => context.Output(await VmcoreReportOperation.RunAsync(Dumps, place, lines, context, token));
    }
}
