using System.Management.Automation;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Sessions;

namespace KdumpNfs.PowerShell;

/// <summary>
/// A cmdlet that works on dumps that it is given: objects that name their store, or paths on the one of -StoreHost or -Session. The connection
/// parameters are the store's.
/// </summary>
public abstract class StoreObjectCmdlet : ConnectingCmdlet
{
    /// <summary>The storage server, or any host that sees the share as a path. Without it, the one that the objects name.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string? StoreHost { get; set; }

    /// <summary>A session to the storage server, instead of a connection of this cmdlet's own.</summary>
    [Parameter]
    [ValidateNotNull]
    public KdumpSession? Session { get; set; }

    /// <summary>Login name on the store.</summary>
    [Parameter]
    public string? UserName { get; set; }

    /// <summary>Port of the store's SSH server.</summary>
    [Parameter]
    [PortTransformation]
    public int? Port { get; set; }

    /// <summary>Private key file for the store.</summary>
    [Parameter]
    [Alias("IdentityFilePath")]
    public string? KeyFilePath { get; set; }

    /// <summary>Whether the parameters name a store, so that bare paths are paths there.</summary>
    protected bool NamesStore => StoreHost is not null || Session is not null;

    /// <summary>Checks what belongs to the cmdlet, after the parameters of the store.</summary>
    protected virtual void PrepareOperation()
    {
    }

    /// <summary>The store of the parameters, or else the one that an object names; null where neither does.</summary>
    /// <exception cref="HostException">InvalidInput; SessionNotFound: the object's store is another one than the session's.</exception>
    protected SshHost? StoreOf(string? named)
    {
        if (Session is null)
        {
            return (StoreHost ?? named) is { } name ? MakeHost(name, UserName, Port, KeyFilePath) : null;
        }

        return named is null || string.Equals(named, Session.HostName, StringComparison.OrdinalIgnoreCase) ? Session.ToHost()
            : throw new HostException(ErrorIds.SessionNotFound, named, $"The dump is on {Printable.Escape(named)}, and the session is one to {Session.HostName}.")
            {
                Remedy = "Give a session to that store, or leave -Session out to connect anew.",
            };
    }

    /// <inheritdoc/>
    protected sealed override void Prepare()
    {
        if (Session is not null)
        {
            RefuseConnectionParameters();
            if (StoreHost is not null)
            {
                throw Refused("-StoreHost names the store, and -Session is one to it already.", "Give one of them.");
            }
        }
        else if (StoreHost is not null)
        {
            MakeHost(StoreHost, UserName, Port, KeyFilePath);
        }

        PrepareOperation();
    }
}
