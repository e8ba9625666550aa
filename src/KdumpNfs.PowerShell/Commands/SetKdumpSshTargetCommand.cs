using System.Management.Automation;
using KdumpNfs.Fleet;
using KdumpNfs.Kdump;

namespace KdumpNfs.PowerShell;

/// <summary>Set-KdumpSshTarget: sends the dumps of hosts to an account on a server, each with a dump key of its own that is made, let in and checked here.</summary>
/// <remarks>
/// <para>Sends dumps over ssh instead of NFS. Each host gets a dump key of its own; the store lets it in for one account, from that host's address and
/// for kdump's commands alone; the store's host keys are pinned on the host. Through the key a file is written, renamed and removed before any
/// configuration is touched.</para>
/// </remarks>
/// <example>
/// <code>
/// Set-KdumpSshTarget web01, web02 -SshServer storage -DumpPath /data/dumps -CreateUser -CreatePath
/// </code>
/// <para>Makes the account and the directory on the store, and a key on each host.</para>
/// </example>
/// <example>
/// <code>
/// Import-Csv ./hosts.csv | Set-KdumpSshTarget -SshServer 10.0.0.5 -SshUser dumps -DumpPath /data/dumps -StoreHost storage.mgmt -WhatIf
/// </code>
/// <para>Hosts reach the store by one address, this machine by another. Shows what would be done.</para>
/// </example>
/// <note>The store has to be reached with an account that may become root, because accounts and keys are made there.</note>
/// <seealso cref="SetKdumpNfsTargetCommand"/>
/// <seealso cref="SetKdumpLocalTargetCommand"/>
/// <seealso cref="RestoreKdumpConfigurationCommand"/>
/// <seealso href="about_KdumpNfs_Safety"/>
[Cmdlet(VerbsCommon.Set, "KdumpSshTarget", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(KdumpTargetChange), typeof(KdumpPlan))]
public sealed class SetKdumpSshTargetCommand : TargetCmdlet
{
    private SetSshTargetOperation _operation = null!;

    /// <summary>Name or address of the store, as the hosts reach it, on port 22.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string SshServer { get; set; } = "";

    /// <summary>The account on the store that takes the dumps.</summary>
    [Parameter]
    [AllowEmptyString]
    public string SshUser { get; set; } = "kdump";

    /// <summary>The directory for dumps on the store.</summary>
    [Parameter(Mandatory = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
    public string DumpPath { get; set; } = "";

    /// <summary>The dump key on each host; made there if it is missing.</summary>
    [Parameter]
    public string DumpKeyPath { get; set; } = KdumpConf.DefaultSshKey;

    /// <summary>Addresses or patterns from which the store takes a dump key, instead of the address by which the host reaches it.</summary>
    [Parameter]
    public string[]? FromAddress { get; set; }

    /// <summary>How far a dump key is limited on the store.</summary>
    [Parameter]
    public DumpKeyLimit DumpKeyLimit { get; set; } = DumpKeyLimit.Commands;

    /// <summary>Makes the account on the store if it is missing.</summary>
    [Parameter]
    public SwitchParameter CreateUser { get; set; }

    /// <summary>The store as this machine reaches it, with an account that may become root; -SshServer where it is the same.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string? StoreHost { get; set; }

    /// <summary>Login name on the store.</summary>
    [Parameter]
    public string? StoreUserName { get; set; }

    /// <summary>Port of the store's SSH server, for this machine.</summary>
    [Parameter]
    [PortTransformation]
    public int? StorePort { get; set; }

    /// <summary>Private key file for the store.</summary>
    [Parameter]
    public string? StoreKeyFilePath { get; set; }

    /// <summary>How many hosts probe a store and rebuild their capture image for it at once, whatever -ThrottleLimit says.</summary>
    [Parameter]
    public int StoreLimit { get; set; } = SharedLimit.DefaultForStores;

    /// <inheritdoc/>
    protected override void PrepareOperation()
    {
        var request = SshTargetRequest.Create(SshServer, SshUser, DumpPath, DumpKeyPath, FromAddress, DumpKeyLimit, CreateUser, CreatePath, CaptureOptions);
        _operation = new SetSshTargetOperation(Access, request, MakeHost(string.IsNullOrEmpty(StoreHost) ? SshServer : StoreHost, StoreUserName, StorePort, StoreKeyFilePath)) { PassPlan = PassPlan, Stores = SharedLimit.ForStores(StoreLimit), ImageRoot = TargetChangeOperation.CheckImageRoot(ImageRoot, request) };
    }

    /// <inheritdoc/>
    protected override TargetChangeOperation Operation => _operation;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && _operation is not null)
        {
            // A connection that does not close must not hold the prompt.
            _operation.DisposeAsync().AsTask().Wait(CloseLimit);
        }
    }
}
