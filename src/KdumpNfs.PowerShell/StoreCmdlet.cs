using System.Management.Automation;
using KdumpNfs.Collection;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>
/// A cmdlet that looks at the dumps of a store: a server, or any host that has the share mounted, or a path of this machine. The connection
/// parameters are the store's; objects from the pipeline are crashes and bring none of them.
/// </summary>
public abstract class StoreCmdlet : ConnectingCmdlet
{
    /// <summary>Parameter set: a storage server.</summary>
    protected const string StoreSet = "Store";

    /// <summary>Parameter set: a session to a storage server.</summary>
    protected const string SessionSet = "Session";

    /// <summary>Parameter set: a path of this machine.</summary>
    protected const string PathSet = "Path";

    /// <summary>The storage server, or any host that sees the share as a path.</summary>
    /// <value>StoreHost of Get-KdumpPreference</value>
    [Parameter(Position = 0, ParameterSetName = StoreSet)]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    [AllowEmptyString]
    public string StoreHost { get; set; } = "";

    /// <summary>A session to the storage server, instead of a connection of this cmdlet's own.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SessionSet)]
    [ValidateNotNull]
    public KdumpSession Session { get; set; } = null!;

    /// <summary>The exported directory, as a path on the store.</summary>
    /// <value>ExportPath of Get-KdumpPreference</value>
    [Parameter(Position = 1, ParameterSetName = StoreSet)]
    [Parameter(Position = 0, ParameterSetName = SessionSet)]
    [ArgumentCompleter(typeof(ExportCompleter))]
    [AllowEmptyString]
    public string ExportPath { get; set; } = "";

    /// <summary>Directory for dumps inside the export.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    [Parameter(ParameterSetName = SessionSet)]
    [ArgumentCompleter(typeof(DumpPathCompleter))]
    public string? DumpPath { get; set; }

    /// <summary>A directory of this machine that holds crash directories, such as a mounted share.</summary>
    [Parameter(Mandatory = true, ParameterSetName = PathSet)]
    [Alias("PSPath")]
    [AllowEmptyString]
    public string LiteralPath { get; set; } = "";

    /// <summary>Login name on the store.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    public string? UserName { get; set; }

    /// <summary>Port of the store's SSH server.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    [PortTransformation]
    public int? Port { get; set; }

    /// <summary>Private key file for the store.</summary>
    [Parameter(ParameterSetName = StoreSet)]
    [Alias("IdentityFilePath")]
    public string? KeyFilePath { get; set; }

    /// <summary>The store, for messages.</summary>
    protected string StoreName => ParameterSetName switch
    {
        PathSet => LiteralPath,
        SessionSet => Session.HostName,
        _ => StoreHost,
    };

    /// <summary>The store that the parameters name; nothing is contacted yet.</summary>
    protected IVmcoreStore MakeStore()
    {
        TakeStore();
        if (ParameterSetName == PathSet)
        {
            return new LocalVmcores(LiteralPath.Length == 0 ? "" : ResolveFile(LiteralPath, nameof(LiteralPath)));
        }

        if (ParameterSetName != SessionSet)
        {
            return new RemoteVmcores(Access, MakeHost(StoreHost, UserName, Port, KeyFilePath), ExportPath, DumpPath);
        }

        RefuseConnectionParameters();
        return new RemoteVmcores(Access, Session.ToHost(), ExportPath, DumpPath);
    }

    /// <summary>Whether the store may come from the settings; what removes is told where.</summary>
    protected virtual bool TakesPreferredStore => true;

    /// <summary>Takes the store of the settings where none was given.</summary>
    protected void TakeStore()
    {
        if (ParameterSetName == PathSet)
        {
            return;
        }

        var named = ParameterSetName == SessionSet ? Session.HostName : IsGiven(nameof(StoreHost)) ? StoreHost : null;
        if (!TakesPreferredStore && (named is null || !IsGiven(nameof(ExportPath))))
        {
            throw Refused("The store and its export are not both named.", "Name them: -StoreHost storage -ExportPath /data/nfs_share. What removes does not take them from the settings.");
        }

        (StoreHost, ExportPath, DumpPath) = PreferredStore(named, IsGiven(nameof(ExportPath)) ? ExportPath : null, DumpPath);
    }

    /// <summary>Closes a store, but never holds the prompt.</summary>
    protected static void CleanUp(IAsyncDisposable store)
    {
        ArgumentNullException.ThrowIfNull(store);
        store.DisposeAsync().AsTask().Wait(CloseLimit);
    }

}
