using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-NfsExport: what storage servers export, by their live table and by their files.</summary>
[Cmdlet(VerbsCommon.Get, "NfsExport")]
[OutputType(typeof(NfsExport))]
public sealed class GetNfsExportCommand : FleetCmdlet
{
    private GetNfsExportOperation _operation = null!;

    /// <summary>Only this directory.</summary>
    [Parameter]
    public string? ExportPath { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() =>
        _operation = new GetNfsExportOperation(Access) { ExportPath = ExportPath is null ? null : KdumpNfs.Kdump.TargetInput.CheckDirectory(ExportPath, "export path") };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
