using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Get-NfsExport: what storage servers export, by their live table and by their files.</summary>
/// <remarks>
/// <para>Tells what storage servers export: by the live table, by the files that hold after a reboot, or by both. An export that lives only in the table
/// is gone after a reboot; one that is only in a file is not in force. It also tells whether root may write, whether the directory is a mount of its own,
/// and what a firewall keeps out.</para>
/// </remarks>
/// <example>
/// <code>
/// Get-NfsExport storage
/// </code>
/// <para>All exports of the server.</para>
/// </example>
/// <example>
/// <code>
/// Get-NfsExport storage -ExportPath /data/nfs_share | Where-Object { -not $_.RootAllowed }
/// </code>
/// <para>Clients whose dumps would be refused, because root is squashed.</para>
/// </example>
/// <seealso cref="EnableNfsExportCommand"/>
/// <seealso cref="DisableNfsExportCommand"/>
[Cmdlet(VerbsCommon.Get, "NfsExport")]
[OutputType(typeof(NfsExport))]
public sealed class GetNfsExportCommand : FleetCmdlet
{
    private GetNfsExportOperation _operation = null!;

    /// <summary>Only this directory.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ExportCompleter))]
    public string? ExportPath { get; set; }

    /// <inheritdoc/>
    protected override void PrepareOperation() =>
        _operation = new GetNfsExportOperation(Access) { ExportPath = ExportPath is null ? null : KdumpNfs.Kdump.TargetInput.CheckDirectory(ExportPath, "export path") };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
