using System.Collections.Concurrent;

namespace KdumpNfs.Fleet;

/// <summary>At most so many at once for each of the things that hosts share, such as a store: apart from how many hosts are worked on.</summary>
public sealed class SharedLimit
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _rooms = new(StringComparer.OrdinalIgnoreCase);
    private readonly int _limit;

    /// <summary>A limit for each key.</summary>
    public SharedLimit(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        _limit = limit;
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
