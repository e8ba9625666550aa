using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>Enable-NfsExport: exports a directory of a storage server to the hosts that dump to it.</summary>
[Cmdlet(VerbsLifecycle.Enable, "NfsExport", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(NfsExportChange))]
public sealed class EnableNfsExportCommand : ChangeCmdlet
{
    private EnableNfsExportOperation _operation = null!;

    /// <summary>The directory to export.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    public string ExportPath { get; set; } = "";

    /// <summary>Who may mount it: a host, an address, a subnet, a wildcard or a netgroup.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    public string Client { get; set; } = "";

    /// <summary>Export options; by default what a store of dumps needs: rw, sync, no_root_squash, no_subtree_check.</summary>
    [Parameter]
    public string[]? Option { get; set; }

    /// <summary>Directory for dumps inside the export; it is made for root alone.</summary>
    [Parameter]
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

    /// <summary>Answers the question about exports to everybody.</summary>
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
