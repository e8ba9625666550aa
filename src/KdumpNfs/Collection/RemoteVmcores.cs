using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Collection;

/// <summary>The crash directories on a storage server, or on any host that sees the share as a path. One connection, opened when it is first needed and kept.</summary>
/// <remarks>Listings run one at a time. After a failed one the connection is dropped; the next listing opens a new one.</remarks>
public sealed class RemoteVmcores : IVmcoreStore
{
    private readonly Func<HostContext, CancellationToken, Task<IHostConnection>> _connect;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly DumpReading _reading = new();
    private IHostConnection? _connection;

    /// <summary>A store.</summary>
    /// <param name="access">How hosts are reached.</param>
    /// <param name="store">The storage server.</param>
    /// <param name="exportPath">Absolute path of the export on it.</param>
    /// <param name="dumpPath">Path of the crash directories inside the export; null or empty for the export's root.</param>
    public RemoteVmcores(HostAccess access, SshHost store, string exportPath, string? dumpPath = null)
        : this(store?.HostName ?? "", JoinPath(store?.HostName ?? "", exportPath, dumpPath), (context, token) => access.ConnectAsync(store!, context, token))
    {
        ArgumentNullException.ThrowIfNull(store);
    }

    internal RemoteVmcores(string storeHost, string root, Func<HostContext, CancellationToken, Task<IHostConnection>> connect)
    {
        StoreHost = storeHost;
        Root = root;
        _connect = connect;
    }

    /// <inheritdoc/>
    public string? StoreHost { get; }

    /// <inheritdoc/>
    public string Root { get; }

    /// <inheritdoc/>
    public async Task<StoreListing> ListAsync(StoreQuery query, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(context);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _connection ??= await _connect(context, cancellationToken).ConfigureAwait(false);
            try
            {
                return await ListAsync(_connection, query, Root, _reading, context, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not HostException { ErrorId: ErrorIds.VmcoreDirectoryMissing or ErrorIds.NotRoot or ErrorIds.NotSupported })
            {
                await DropAsync().ConfigureAwait(false);
                throw;
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DropAsync().ConfigureAwait(false);
        _one.Dispose();
    }

    /// <summary>Lists over a connection, and reads what is whole by its ends.</summary>
    internal static async Task<StoreListing> ListAsync(
        IHostConnection connection, StoreQuery query, string root, DumpReading reading, HostContext context, CancellationToken cancellationToken)
    {
        var reply = await HostReply.RunAsync(connection, Script(query, root), cancellationToken).ConfigureAwait(false);
        var listing = await StoreReply.ReadAsync(reply, connection.Host.HostName, root, cancellationToken).ConfigureAwait(false);
        using var opening = DumpOpening.Remote(connection);
        return await reading.ReadAsync(listing, root, query.ChainRecords, opening, context, cancellationToken).ConfigureAwait(false);
    }

    internal static string JoinPath(string hostName, string exportPath, string? dumpPath)
    {
        if (string.IsNullOrEmpty(exportPath) || exportPath[0] != '/' || (exportPath + dumpPath).Any(char.IsControl))
        {
            throw new HostException(ErrorIds.InvalidInput, hostName, $"'{Printable.Escape(exportPath ?? "")}' is not an absolute path.")
            {
                Remedy = "Give -ExportPath as it is on the store: -ExportPath /data/nfs_share",
            };
        }

        var inside = (dumpPath ?? "").Trim('/');
        var root = exportPath.TrimEnd('/') + (inside.Length == 0 ? "" : "/" + inside);
        return root.Length == 0 ? "/" : root;
    }

    internal static RemoteScript Script(StoreQuery query, string root) => HostScript.Load(
        "vmcores",
        ("ROOT", root),
        ("NEWER", (query.ChangedSince?.ToUnixTimeSeconds() ?? 0).ToString(CultureInfo.InvariantCulture)),
        ("MAX", query.Maximum.ToString(CultureInfo.InvariantCulture)),
        ("CONTENT", query.Content ? "1" : "0"),
        ("DEEP", query.Unpack ?? ""),
        ("ONLY", query.Only ?? ""));

    private async ValueTask DropAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
