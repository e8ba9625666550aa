namespace KdumpNfs.SshNet;

/// <summary>Room in the thread pool for calls that block.</summary>
/// <remarks>
/// Connecting, key exchange and login of SSH.NET block a thread of the pool for their round trips, and the pool grows by only a few threads in a second once it has
/// its minimum: more hosts at once would wait for threads instead of for the network. So the minimum follows the calls, in steps; threads that nobody
/// needs end by themselves.
/// </remarks>
internal static class ThreadRoom
{
    private const int Step = 32;
    private const int Most = 512;

    private static int _blocking;

    /// <summary>Before calls that block one thread at a time; dispose behind them.</summary>
    public static Stay Enter()
    {
        var wanted = Math.Min(Most, (Interlocked.Increment(ref _blocking) / Step * Step) + (2 * Step));
        ThreadPool.GetMinThreads(out var workers, out var ports);
        if (workers < wanted)
        {
            ThreadPool.SetMinThreads(wanted, ports);
        }

        return new Stay();
    }

    /// <summary>The time in which a thread is blocked.</summary>
    public readonly struct Stay : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => Interlocked.Decrement(ref _blocking);
    }
}
