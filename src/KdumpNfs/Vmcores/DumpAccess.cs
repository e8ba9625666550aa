using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore;
using KdumpNfs.Vmcore.Sources;

namespace KdumpNfs.Vmcores;

/// <summary>Opens dumps and logs, on this machine or on stores. One connection for each store, opened when it is first needed and kept.</summary>
public sealed class DumpAccess : IAsyncDisposable
{
    private const int MaximumText = 64 << 20;

    private readonly Func<SshHost, HostContext, CancellationToken, Task<IHostConnection>> _connect;
    private readonly ConcurrentDictionary<SshHost, Task<IHostConnection>> _connections = [];

    /// <summary>Access to dumps.</summary>
    /// <param name="access">How stores are reached; null where all paths are on this machine.</param>
    public DumpAccess(HostAccess? access)
        : this((host, context, token) => (access ?? throw new InvalidOperationException("There is no way to a store.")).ConnectAsync(host, context, token))
    {
    }

    internal DumpAccess(Func<SshHost, HostContext, CancellationToken, Task<IHostConnection>> connect) => _connect = connect;

    /// <summary>Opens what lies at a place and works on it, on a thread of the pool.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="place">The dump or the log.</param>
    /// <param name="onDump">What to do with a dump.</param>
    /// <param name="onText">What to do with a log's text; null where only a dump will do.</param>
    /// <param name="context">The front end.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="HostException">FileNotReadable, VmcoreNotReadable, FlattenedNotIndexed, or what a connection can give.</exception>
    public async Task<T> RunAsync<T>(
        DumpPlace place, Func<VmcoreImage, T> onDump, Func<string, T>? onText, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(onDump);
        ArgumentNullException.ThrowIfNull(context);
        place.Validated();
        var connection = place.Store is { } store ? await ConnectAsync(store, context, cancellationToken).ConfigureAwait(false) : null;
        var remote = connection is null ? null : await StoreFile.OpenAsync(connection, place.Path, cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => Work(place, connection, remote, onDump, onText, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (VmcoreFormatException e)
        {
            throw new HostException(ErrorIds.VmcoreNotReadable, place.Store?.HostName ?? "", $"{Printable.Escape(place.Path)} cannot be read as a dump: {e.Message}", e)
            {
                Remedy = "Look at the capture's log beside it; Test-Vmcore tells what is there.",
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException(ErrorIds.FileNotReadable, "", $"{Printable.Escape(place.Path)} could not be read: {e.Message}", e) { Remedy = "Check the path and its permissions." };
        }
        finally
        {
            if (remote is not null)
            {
                context.Verbose(string.Create(CultureInfo.InvariantCulture, $"Read {remote.BytesRead} of {remote.Length} bytes of {place.Path} in {remote.RoundTrips} round trips."));
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.Values)
        {
            if (connection.IsCompletedSuccessfully)
            {
                await (await connection.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
            }
        }

        _connections.Clear();
    }

    private static T Work<T>(DumpPlace place, IHostConnection? connection, StoreFile? remote, Func<VmcoreImage, T> onDump, Func<string, T>? onText, CancellationToken cancellationToken)
    {
        RandomSource source = remote is null ? new FileSource(place.Path) : new CachedSource(remote, ownsSource: false, cancellationToken);
        try
        {
            var start = new byte[4096];
            var known = source.Read(0, start);
            var format = VmcoreSignature.Identify(start.AsSpan(0, known));
            if (format == VmcoreFormat.Unknown && onText is not null && known > 0 && !start.AsSpan(0, known).Contains((byte)0))
            {
                var bytes = new byte[(int)Math.Min(source.Length, MaximumText)];
                var read = source.ReadOnce(source.Length - bytes.Length, bytes);
                source.Dispose();
                return onText(Encoding.UTF8.GetString(bytes, 0, read));
            }

            using var image = format == VmcoreFormat.Flattened && connection is not null
                ? VmcoreImage.Open(FlattenedIndex.Make(connection, place.Path, source, cancellationToken), cancellationToken)
                : VmcoreImage.Open(source, cancellationToken);
            return onDump(image);
        }
        catch (Exception)
        {
            source.Dispose();
            throw;
        }
    }

    // A connection that failed is not kept; the next dump tries again.
    internal async Task<IHostConnection> ConnectAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        var task = _connections.GetOrAdd(host, h => _connect(h, context, cancellationToken));
        try
        {
            return await task.ConfigureAwait(false);
        }
        catch (Exception)
        {
            _connections.TryRemove(new KeyValuePair<SshHost, Task<IHostConnection>>(host, task));
            throw;
        }
    }
}
