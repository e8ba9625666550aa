using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Disable-NfsExport: ends the export of a directory to one client, in the files and now. Directories and dumps stay.</summary>
/// <remarks>
/// <para>Takes one client's export of a directory out of the server's files and out of its live table. Other exports, directories and dumps stay as they
/// are. While clients have it mounted the change is refused, unless -Force is given.</para>
/// </remarks>
/// <example>
/// <code>
/// Disable-NfsExport storage -ExportPath /data/nfs_share -Client 192.168.122.0/24 -WhatIf
/// </code>
/// <para>Shows the line that would go.</para>
/// </example>
/// <example>
/// <code>
/// Get-NfsExport storage | Where-Object Client -eq '*' | ForEach-Object { Disable-NfsExport $_.HostName -ExportPath $_.ExportPath -Client $_.Client }
/// </code>
/// <para>Ends every export that is open to everybody.</para>
/// </example>
/// <seealso cref="EnableNfsExportCommand"/>
/// <seealso cref="GetNfsExportCommand"/>
[Cmdlet(VerbsLifecycle.Disable, "NfsExport", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(NfsExportRemoval))]
public sealed class DisableNfsExportCommand : ChangeCmdlet
{
    private DisableNfsExportOperation _operation = null!;

    /// <summary>The exported directory.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ExportCompleter))]
    public string ExportPath { get; set; } = "";

    /// <summary>The client, as the export names it.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ClientCompleter))]
    public string Client { get; set; } = "";

    /// <summary>Also while hosts have it mounted.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override bool IsForced => Force;

    /// <inheritdoc/>
    protected override void PrepareOperation() => _operation = new DisableNfsExportOperation(Access, ExportPath, Client) { Force = Force };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
