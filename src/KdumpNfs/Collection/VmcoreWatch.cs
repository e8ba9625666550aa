using System.Diagnostics;
using KdumpNfs.Fleet;

namespace KdumpNfs.Collection;

/// <summary>
/// One store watched for many crashed hosts at once: however many wait, one listing at a time is asked for, and all of them are served by it.
/// </summary>
/// <remarks>
/// Nothing runs in the background: a waiter that needs a listing newer than the last one asks for it itself while the others wait for its answer.
/// So cancelling a waiter leaves nothing behind, and a store that drops the connection is connected to anew by whoever comes next.
/// </remarks>
public sealed class VmcoreWatch : IAsyncDisposable
{
    private readonly IVmcoreStore _store;
    private readonly SemaphoreSlim _poll = new(1, 1);
    private readonly object _lock = new();
    private readonly List<DateTimeOffset?> _since = [];
    private StoreListing? _last;
    private DateTimeOffset? _lastSince;
    private long _lastAt;

    /// <summary>A watch over a store, which it disposes in the end.</summary>
    public VmcoreWatch(IVmcoreStore store) => _store = store;

    /// <summary>The store.</summary>
    public IVmcoreStore Store => _store;

    /// <summary>Listings made so far; for tests and -Verbose.</summary>
    public int Polls { get; private set; }

    /// <summary>The listing to take before a crash is triggered: every directory with its files, without a look inside.</summary>
    /// <exception cref="HostException">What the store can throw.</exception>
    public Task<StoreListing> BeforeAsync(HostContext context, CancellationToken cancellationToken) =>
        _store.ListAsync(new StoreQuery { Content = false, Maximum = MaximumBefore }, context, cancellationToken);

    /// <summary>Says that somebody waits for directories that change from a time on (by the store's clock); dispose to leave.</summary>
    internal IDisposable Enter(DateTimeOffset? since)
    {
        lock (_lock)
        {
            _since.Add(since);
        }

        return new Leave(this, since);
    }

    /// <summary>A listing that is not older than <paramref name="maximumAge"/>: the last one, or a new one.</summary>
    internal async Task<StoreListing> ListAsync(TimeSpan maximumAge, DateTimeOffset? since, HostContext context, CancellationToken cancellationToken)
    {
        await _poll.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // A listing that was made for later directories only does not serve one who looks further back.
            if (_last is not null && Stopwatch.GetElapsedTime(_lastAt) <= maximumAge && (_lastSince is null || since >= _lastSince))
            {
                return _last;
            }

            var earliest = Earliest();
            _last = await _store.ListAsync(new StoreQuery { ChangedSince = earliest, ChainRecords = int.MaxValue }, context, cancellationToken).ConfigureAwait(false);
            _lastSince = earliest;
            _lastAt = Stopwatch.GetTimestamp();
            Polls++;
            return _last;
        }
        finally
        {
            _poll.Release();
        }
    }

    /// <summary>Looks once into a compressed dump, which may take as long as reading all of it.</summary>
    internal Task<StoreListing> UnpackAsync(string directory, DateTimeOffset? since, HostContext context, CancellationToken cancellationToken) =>
        _store.ListAsync(new StoreQuery { ChangedSince = since, Unpack = directory }, context, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync().ConfigureAwait(false);
        _poll.Dispose();
    }

    private const int MaximumBefore = 100_000;

    private DateTimeOffset? Earliest()
    {
        lock (_lock)
        {
            return _since.Count == 0 || _since.Contains(null) ? null : _since.Min();
        }
    }

    private sealed class Leave(VmcoreWatch watch, DateTimeOffset? since) : IDisposable
    {
        private bool _left;

        public void Dispose()
        {
            lock (watch._lock)
            {
                if (!_left)
                {
                    watch._since.Remove(since);
                    _left = true;
                }
            }
        }
    }
}
