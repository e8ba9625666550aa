using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Vmcore.Report;
using KdumpNfs.Vmcores;

namespace KdumpNfs.PowerShell;

/// <summary>Get-VmcoreReport: what happened, straight from the dump (or from a saved log), wherever it lies.</summary>
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
