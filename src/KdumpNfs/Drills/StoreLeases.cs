using System.Globalization;
using System.Security.Cryptography;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>The leases of a store: all controllers that use it together keep at most so many hosts down, and of a group at most one. One connection, kept.</summary>
/// <remarks>
/// The protocol is in lease.sh. Where two controllers have different limits, the smaller one holds while its owner has a lease. A lease that nobody renews
/// expires after <see cref="TimeToLive"/> by the clock of the store's file system: a controller that died blocks others for as long as its host may be
/// down, and one that could not renew in time pulls no trigger.
/// </remarks>
public sealed class StoreLeases : IAsyncDisposable
{
    /// <summary>The directory under the dump root, unless another path is given.</summary>
    public const string DirectoryName = ".kdumpnfs-leases";

    private readonly Func<HostContext, CancellationToken, Task<IHostConnection>> _connect;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly string _path;
    private readonly int _maxDown;
    private IHostConnection? _connection;

    /// <summary>Leases in a directory of a store.</summary>
    /// <param name="access">How hosts are reached.</param>
    /// <param name="store">The store.</param>
    /// <param name="path">Absolute path of the directory; it is made when it is missing.</param>
    /// <param name="maxDown">How many hosts may be down at once.</param>
    public StoreLeases(HostAccess access, SshHost store, string path, int maxDown)
        : this(path, maxDown, (context, token) => access.ConnectAsync(store, context, token))
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(store);
    }

    internal StoreLeases(string path, int maxDown, Func<HostContext, CancellationToken, Task<IHostConnection>> connect)
    {
        if (string.IsNullOrEmpty(path) || path[0] != '/' || path.Any(char.IsControl))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(path ?? "")}' is not an absolute path.") { Remedy = "Give -LeasePath as it is on the store." };
        }

        _path = path;
        _maxDown = maxDown;
        _connect = connect;
    }

    /// <summary>How long a lease lives without being renewed.</summary>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often a lease is renewed.</summary>
    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Time between two looks for a free one.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Waits for a lease and keeps it renewed until it is disposed.</summary>
    /// <param name="host">The host that is to be down.</param>
    /// <param name="group">Its group, in capitals or not, of which no other host has a lease meanwhile; null for none.</param>
    /// <param name="context">Where to tell.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="HostException">LeaseFailed: the directory cannot be used. And what connecting to the store can throw.</exception>
    public async Task<Lease> TakeAsync(string host, string? group, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var id = Convert.ToHexString(RandomNumberGenerator.GetBytes(8)).ToLowerInvariant();
        var told = "";
        while (true)
        {
            var reply = await AskAsync("take", id, host, "", context, cancellationToken, group).ConfigureAwait(false);
            if (reply.Text("slot") is { } slot)
            {
                context.Verbose($"Has the store's lease {slot}: at most {_maxDown} hosts are down.");
                return new Lease(this, id, slot, host, context);
            }

            if (reply.Text("error") is { } error)
            {
                throw new HostException(ErrorIds.LeaseFailed, host, $"No lease can be made in {Printable.Escape(_path)} on the store.")
                {
                    HostSaid = error,
                    Remedy = "The account needs to write there; give -LeasePath another directory that all controllers use. Nothing was crashed.",
                };
            }

            var holders = string.Join(", ", reply.All("holder").Select(Printable.Escape));
            if (holders != told)
            {
                context.Verbose($"Waits for a lease of the store; there are: {holders}");
                told = holders;
            }

            context.Progress("Waiting for its turn", holders.Length == 0 ? "another controller is just taking a lease" : $"down now: {holders}");
            // Not in step with others who wait.
            await Task.Delay(Interval * (0.5 + Random.Shared.NextDouble()), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Goes on with the lease of a controller that was lost; null when it has expired.</summary>
    /// <param name="token">What <see cref="Lease.Token"/> gave.</param>
    /// <param name="host">The host that is down.</param>
    /// <param name="context">Where to tell.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<Lease?> AdoptAsync(string token, string host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(token);
        var parts = token.Split(' ');
        return parts.Length == 2 && (await AskAsync("renew", parts[0], host, parts[1], context, cancellationToken).ConfigureAwait(false)).Flag("renewed")
            ? new Lease(this, parts[0], parts[1], host, context) : null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DropAsync().ConfigureAwait(false);
        _one.Dispose();
    }

    private async Task<HostReply> AskAsync(string operation, string id, string host, string slot, HostContext context, CancellationToken cancellationToken, string? group = null)
    {
        // One line each: the host's name is checked input, those of its group and of the account are not.
        var words = Printable.Escape($"{host}{(group is null ? "" : $" of group {group}")} by {Environment.UserName}@{Environment.MachineName} {Environment.ProcessId}");
        var script = HostScript.Load("lease", ("DIR", _path), ("OP", operation), ("ID", id), ("MAX", _maxDown.ToString(CultureInfo.InvariantCulture)),
            ("TTL", ((int)Math.Ceiling(TimeToLive.TotalSeconds)).ToString(CultureInfo.InvariantCulture)), ("WORDS", words), ("GROUP", Printable.Escape(group ?? "").ToUpperInvariant()), ("SLOT", slot));
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _connection ??= await _connect(context, cancellationToken).ConfigureAwait(false);
            return await HostReply.RunAsync(_connection, script with { Timeout = TimeSpan.FromSeconds(60) }, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await DropAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _one.Release();
        }
    }

    private async ValueTask DropAsync()
    {
        var connection = _connection;
        _connection = null;
        if (connection is not null)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>One lease. It is renewed in the background; disposing gives it back.</summary>
    public sealed class Lease : IAsyncDisposable
    {
        private readonly StoreLeases _leases;
        private readonly string _id;
        private readonly string _host;
        private readonly HostContext _context;
        private readonly CancellationTokenSource _end = new();
        private readonly Task _renewing;
        private bool _warned;
        private bool _abandoned;

        internal Lease(StoreLeases leases, string id, string slot, string host, HostContext context)
        {
            (_leases, _id, Slot, _host, _context) = (leases, id, slot, host, context);
            _renewing = Task.Run(RenewAsync);
        }

        /// <summary>Slot and generation.</summary>
        public string Slot { get; }

        /// <summary>Names it for another controller.</summary>
        public string Token => $"{_id} {Slot}";

        /// <summary>Does not give it back when it is disposed: its host may still be down, so it goes on until it expires.</summary>
        public void Abandon() => _abandoned = true;

        /// <summary>Renews it now; false when it is lost. Ask before what must not happen without it.</summary>
        public async Task<bool> IsHeldAsync(CancellationToken cancellationToken) =>
            (await _leases.AskAsync("renew", _id, _host, Slot, _context, cancellationToken).ConfigureAwait(false)).Flag("renewed");

        /// <summary>Gives it back; where the store cannot be reached it expires by itself.</summary>
        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync().ConfigureAwait(false);
            await _renewing.ConfigureAwait(false);
            _end.Dispose();
            if (_abandoned)
            {
                return;
            }

            try
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
                await _leases.AskAsync("give", _id, _host, Slot, _context, limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HostException or OperationCanceledException or ObjectDisposedException)
            {
                _context.Verbose($"The lease {Slot} was not given back and expires by itself: {e.Message}");
            }
        }

        private async Task RenewAsync()
        {
            while (true)
            {
                try
                {
                    await Task.Delay(_leases.RenewEvery < _leases.TimeToLive / 4 ? _leases.RenewEvery : _leases.TimeToLive / 4, _end.Token).ConfigureAwait(false);
                    if (!await IsHeldAsync(_end.Token).ConfigureAwait(false))
                    {
                        _context.Warning($"The lease {Slot} of {_host} on the store has expired while it is down: another controller may crash a host meanwhile.");
                        return;
                    }
                }
                catch (OperationCanceledException)
                {
                    return;
                }
                catch (HostException e)
                {
                    if (!_warned)
                    {
                        _context.Verbose($"The lease {Slot} cannot be renewed now, trying again: {e.What}");
                    }

                    _warned = true;
                }
            }
        }
    }
}
