using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Cli.Commands;

/// <summary>Waits for the dumps of crashes on one store, many at once.</summary>
internal sealed class Collector : IDisposable
{
    private readonly Session _session;
    private readonly VmcoreWatch _watch;
    private readonly string _name;
    private readonly TimeSpan _timeout;
    private readonly FleetRun _fleet;
    private StoreListing? _before;
    private DateTimeOffset _listedAt;

    /// <summary>A collector on a store.</summary>
    public Collector(Session session, IVmcoreStore store, string name, TimeSpan timeout)
    {
        _session = session;
        _watch = new VmcoreWatch(store);
        _name = name;
        _timeout = timeout;
        _fleet = new FleetRun(session.Options.Throttle) { IsQuiet = !session.Options.Verbose };
        session.OnCancel(_fleet.Cancel);
    }

    /// <summary>A collector on <c>STORE:/PATH</c>.</summary>
    public static Collector At(Session session, HostAccess access, string place, Func<string, SshHost> host, TimeSpan timeout)
    {
        // The path is absolute and so begins behind the first ":/"; addresses of IPv6 may stand in brackets.
        var colon = place.IndexOf(":/", StringComparison.Ordinal);
        return colon > 0
            ? new Collector(session, new RemoteVmcores(access, host(place[..colon].Trim('[', ']')), place[(colon + 1)..]), place, timeout)
            : throw ConnectionOptions.Refused($"'{Printable.Escape(place)}' is not STORE:/PATH.", "Name the store and the directory of the dumps on it: storage:/data/nfs_share/var/crash");
    }

    /// <summary>Lists the store before anything crashes, so that new dumps are known from old ones.</summary>
    /// <exception cref="HostException">The store cannot be listed.</exception>
    public void Begin()
    {
        HostException? failure = null;
        _fleet.Start(_name, async (context, token) =>
        {
            try
            {
                _listedAt = DateTimeOffset.UtcNow;
                _before = await _watch.BeforeAsync(context, token);
            }
            catch (HostException e)
            {
                failure = e;
            }
        });
        _fleet.Finish(_session);
        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <summary>Waits for the dump of a crash, if the object is one.</summary>
    public void Offer(object value)
    {
        if (value is SysrqCrash crash)
        {
            Wait(crash.CrashedHost, [.. crash.Identities.Append(crash.CrashedHost).Append(crash.SourceAddress ?? "")], crash.TriggeredAt);
        }
    }

    /// <summary>Waits for the dump of a host.</summary>
    public void Wait(string name, IReadOnlyList<string> identities, DateTimeOffset? triggeredAt)
    {
        // The listing from the start knows old from new only for crashes after it.
        var later = triggeredAt is { } time && time >= _listedAt;
        var request = new WaitVmcoreRequest
        {
            Host = new HostIdentity(identities),
            Before = later ? _before : null,
            CrashedAfter = later ? null : triggeredAt,
            Timeout = _timeout,
        };
        _fleet.Add(_session, name, async (context, token) => context.Output(await WaitVmcoreOperation.RunAsync(_watch, request, context, token)));
    }

    /// <summary>Waits for all.</summary>
    public void Finish() => _fleet.Finish(_session);

    /// <inheritdoc/>
    public void Dispose()
    {
        _fleet.Dispose();
        _watch.DisposeAsync().AsTask().Wait(Shared.CloseLimit);
    }
}
