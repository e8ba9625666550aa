using System.Collections.Concurrent;
using System.Globalization;

namespace KdumpNfs.Fleet;

/// <summary>At most so many at once for each of the things that hosts share, such as a store: apart from how many hosts are worked on.</summary>
public sealed class SharedLimit
{
    /// <summary>How many hosts probe a store and rebuild for it at once, unless said otherwise: a store has fewer threads than a fleet has hosts.</summary>
    public const int DefaultForStores = 8;

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _rooms = new(StringComparer.OrdinalIgnoreCase);
    private readonly int _limit;

    /// <summary>A limit for each key.</summary>
    public SharedLimit(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        _limit = limit;
    }

    /// <summary>A limit for each store.</summary>
    /// <exception cref="HostException">InvalidInput: less than 1.</exception>
    public static SharedLimit ForStores(int limit) => limit >= 1 ? new SharedLimit(limit)
        : throw new HostException(ErrorIds.InvalidInput, "", string.Create(CultureInfo.InvariantCulture, $"A limit of {limit} hosts a store lets none through.")) { Remedy = "Give 1 or more." };

    /// <summary>Runs work that burdens a store, and says in the host's progress when it has to wait; at once where no store is burdened.</summary>
    /// <param name="store">The store; null or empty for none.</param>
    /// <param name="activity">What the host's progress is called.</param>
    /// <param name="context">The host.</param>
    /// <param name="work">What to do.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<T> RunForStoreAsync<T>(string? store, string activity, HostContext context, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(work);
        return string.IsNullOrEmpty(store) ? work()
            : RunAsync(store, work, () => context.Progress(activity, string.Create(CultureInfo.InvariantCulture, $"waiting: {_limit} hosts are at work with {store}")), cancellationToken);
    }

    /// <summary>Runs work when there is room for the key.</summary>
    /// <param name="key">What is shared.</param>
    /// <param name="work">What to do.</param>
    /// <param name="waiting">Called once if it has to wait.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<T> RunAsync<T>(string key, Func<Task<T>> work, Action? waiting, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var room = _rooms.GetOrAdd(key, _ => new SemaphoreSlim(_limit, _limit));
        if (!room.Wait(0, CancellationToken.None))
        {
            waiting?.Invoke();
            await room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            room.Release();
        }
    }
}
