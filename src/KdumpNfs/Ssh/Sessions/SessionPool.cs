using System.Collections.Concurrent;
using System.Diagnostics;
using KdumpNfs.Fleet;

namespace KdumpNfs.Ssh.Sessions;

/// <summary>The sessions of one front end: it makes, finds and closes them. Safe to use from any thread.</summary>
public sealed class SessionPool : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, KdumpSession> _sessions = new();
    private int _lastId;

    /// <summary>All that are not closed, by number.</summary>
    public IReadOnlyList<KdumpSession> All => [.. _sessions.Values.OrderBy(session => session.Id)];

    /// <summary>The session with a number; null when there is none, or none any more.</summary>
    public KdumpSession? Find(int id) => _sessions.GetValueOrDefault(id);

    /// <summary>Connects to a host and keeps the connection.</summary>
    /// <exception cref="HostException">Those of connecting.</exception>
    public async Task<KdumpSession> OpenAsync(HostAccess access, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var started = Stopwatch.GetTimestamp();
        var session = await KdumpSession.OpenAsync(Interlocked.Increment(ref _lastId), access.Connector, access.Options, host.Validated(), cancellationToken).ConfigureAwait(false);
        _sessions[session.Id] = session;
        context.Verbose($"Session {session.Id} through {session.Transport} in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms.");
        return session;
    }

    /// <summary>Closes a session and forgets it; nothing happens when that was done before.</summary>
    public async Task CloseAsync(KdumpSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        _sessions.TryRemove(session.Id, out _);
        await session.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes all.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(All.Select(CloseAsync)).ConfigureAwait(false);
}
