using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Enable-NfsExport: exports a directory of a storage server to the hosts that dump to it.</summary>
/// <remarks>
/// <para>Makes a storage server ready for dumps: the directories (for root alone), one entry in the export table, the services, and, if asked, the
/// packages and the firewall. Only this one export is made; other entries, comments and exports that were made by hand stay.</para>
/// <para>Dumps are written by root of a capture kernel, so the default options are rw, sync, no_root_squash and no_subtree_check. Give -Client as narrow
/// as you can.</para>
/// </remarks>
/// <example>
/// <code>
/// Enable-NfsExport storage -ExportPath /data/nfs_share -Client 192.168.122.0/24 -DumpPath /var/crash -CreateDirectory
/// </code>
/// <para>Exports a directory, made if needed, to one subnet, with a directory for dumps in it.</para>
/// </example>
/// <example>
/// <code>
/// Enable-NfsExport storage -ExportPath /data/nfs_share -Client '*.rack7.example.com' -RequireMount -Install -OpenFirewall -WhatIf
/// </code>
/// <para>Shows what would be done on a server that may have no NFS yet. A directory that is not a disk of its own is refused, so that dumps cannot fill
/// the root disk.</para>
/// </example>
/// <note>An export to everybody asks a second time, unless -Force is given.</note>
/// <seealso cref="GetNfsExportCommand"/>
/// <seealso cref="DisableNfsExportCommand"/>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
[Cmdlet(VerbsLifecycle.Enable, "NfsExport", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(NfsExportChange))]
public sealed class EnableNfsExportCommand : ChangeCmdlet
{
    private EnableNfsExportOperation _operation = null!;

    /// <summary>The directory to export.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ExportCompleter))]
    public string ExportPath { get; set; } = "";

    /// <summary>Who may mount it: a host, an address, a subnet, a wildcard or a netgroup.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(ClientCompleter))]
    public string Client { get; set; } = "";

    /// <summary>Export options; by default what a store of dumps needs: rw, sync, no_root_squash, no_subtree_check.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ExportOptionCompleter))]
    public string[]? Option { get; set; }

    /// <summary>Directory for dumps inside the export; it is made for root alone.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
    public string? DumpPath { get; set; }

    /// <summary>Makes the exported directory if it is missing.</summary>
    [Parameter]
    public SwitchParameter CreateDirectory { get; set; }

    /// <summary>Refuses a directory that is not a mount of its own, so that dumps cannot fill the server's root disk.</summary>
    [Parameter]
    public SwitchParameter RequireMount { get; set; }

    /// <summary>Installs the NFS server where it is missing; nothing is upgraded or removed.</summary>
    [Parameter]
    public SwitchParameter Install { get; set; }

    /// <summary>With -Install: fetches the package lists first.</summary>
    [Parameter]
    public SwitchParameter Refresh { get; set; }

    /// <summary>Lets NFS through a running firewalld, now and for good.</summary>
    [Parameter]
    public SwitchParameter OpenFirewall { get; set; }

    /// <summary>Exports to everybody (-Client '*') without the second question.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override bool IsForced => Force;

    /// <inheritdoc/>
    protected override void PrepareOperation() =>
        _operation = new EnableNfsExportOperation(Access, NfsExportRequest.Create(ExportPath, Client, Option, DumpPath, CreateDirectory, RequireMount))
        {
            Install = Install,
            Refresh = Refresh,
            OpenFirewall = OpenFirewall,
        };

    /// <inheritdoc/>
    protected override Func<HostContext, CancellationToken, Task> WorkFor(SshHost host) => (context, token) => _operation.RunAsync(host, context, token);
}
