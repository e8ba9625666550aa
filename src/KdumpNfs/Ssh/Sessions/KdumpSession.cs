using KdumpNfs.Hosts;

namespace KdumpNfs.Ssh.Sessions;

/// <summary>What is known of a session's connection.</summary>
public enum KdumpSessionState
{
    /// <summary>The connection is up, as far as it can be known without asking.</summary>
    Opened,

    /// <summary>The connection died. The next command opens another one, where that is safe.</summary>
    Broken,

    /// <summary>Closed for good.</summary>
    Closed,
}

/// <summary>A kept connection to one host: commands borrow it instead of making one of their own.</summary>
/// <remarks>
/// Scripts of all borrowers run one after the other. Whoever borrows gets a connection that has just answered; one that does not answer is
/// replaced, because nothing was begun yet. After that the connection is never replaced under a borrower: between two of its scripts the
/// host could have rebooted. The session keeps its passwords for as long as it is there.
/// </remarks>
public sealed class KdumpSession : IAsyncDisposable
{
    // A healthy host answers at once; one that is silent for this long gets a new connection, within that one's own limit.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly IHostConnector _connector;
    private readonly SshOptions _options;
    private IHostConnection? _connection;
    private volatile bool _closed;
    private int _generation = 1;

    private KdumpSession(int id, SshHost host, IHostConnector connector, SshOptions options, IHostConnection connection, Identity identity)
    {
        Id = id;
        Host = host with { Session = this };
        _connector = connector;
        _options = options;
        _connection = connection;
        Transport = connection.Transport;
        (BootId, MachineId, UserName) = (identity.BootId, identity.MachineId, host.UserName ?? identity.UserName);
        Since = LastConnected = DateTimeOffset.Now;
    }

    /// <summary>Number of the session, from 1; never used twice.</summary>
    public int Id { get; }

    /// <summary>The host as it was asked for.</summary>
    public string HostName => Host.HostName;

    /// <summary>Login name; where none was asked for, the one that the host told.</summary>
    public string? UserName { get; }

    /// <summary>TCP port; null for what ssh_config says.</summary>
    public int? Port => Host.Port;

    /// <summary>Private key file; null for the default identities.</summary>
    public string? KeyFilePath => Host.KeyFilePath;

    /// <summary>The transport that carries it.</summary>
    public SshTransport Transport { get; private set; }

    /// <summary>Whether its scripts run through sudo.</summary>
    public bool Sudo => _options.Sudo;

    /// <summary>What is known of its connection. A host that vanished without a word is found out by the next command only.</summary>
    public KdumpSessionState State => _closed ? KdumpSessionState.Closed : _connection is { IsOpen: true } ? KdumpSessionState.Opened : KdumpSessionState.Broken;

    /// <summary>When the session was made.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>When its present connection was made; later than <see cref="Since"/> after a reconnect.</summary>
    public DateTimeOffset LastConnected { get; private set; }

    /// <summary>How many connections it has had: 1 as long as none was lost.</summary>
    public int ConnectionCount => Volatile.Read(ref _generation);

    /// <summary>Boot of the host when it was last connected to.</summary>
    public string? BootId { get; private set; }

    /// <summary>Machine id of the host; null where there is none. A reconnect that ends on another machine is refused.</summary>
    public string? MachineId { get; }

    /// <summary>The host, reached through this session.</summary>
    internal SshHost Host { get; }

    /// <summary>The host for an operation, which will then use this session.</summary>
    public SshHost ToHost() => Host;

    internal static async Task<KdumpSession> OpenAsync(int id, IHostConnector connector, SshOptions options, SshHost host, CancellationToken cancellationToken)
    {
        var connection = await connector.ConnectAsync(host, options, cancellationToken).ConfigureAwait(false);
        try
        {
            return new KdumpSession(id, host, connector, options, connection, await IdentifyAsync(connection, options.OperationTimeout, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lends the connection.</summary>
    /// <param name="wanted">The borrower's options; of those only the limits and <see cref="SshOptions.MayReconnect"/> count, the rest is the session's.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="HostException">SessionClosed; ConnectionLost: it died and may not be replaced for this borrower; MachineIdMismatch; and those of connecting.</exception>
    public async Task<IHostConnection> LeaseAsync(SshOptions wanted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var (generation, story) = await RenewAsync(wanted, cancellationToken).ConfigureAwait(false);
            return new SessionLease(this, wanted, generation, story);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Runs a script of a borrower.</summary>
    /// <param name="lease">Whose.</param>
    /// <param name="script">What.</param>
    /// <param name="cancellationToken">Cancelling closes the connection, as with any other.</param>
    internal async Task<ScriptResult> RunAsync(SessionLease lease, RemoteScript script, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ThrowIfClosed();
            if (lease.Generation != _generation || _connection is not { IsOpen: true })
            {
                if (lease.Used)
                {
                    throw SshErrors.Lost(HostName, $"The connection of session {Id} was lost.");
                }

                // Another borrower broke it while this one waited for its turn; this one has not begun.
                (lease.Generation, _) = await RenewAsync(lease.Wanted, cancellationToken).ConfigureAwait(false);
            }

            lease.Used = true;
            return await _connection!.RunAsync(script with { Timeout = script.Timeout ?? lease.Wanted.OperationTimeout }, cancellationToken).ConfigureAwait(false);
        }
        catch (HostException e) when (_closed && ErrorIds.IsLost(e.ErrorId))
        {
            throw Closed(e);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Closes the connection; whoever uses it gets SessionClosed.</summary>
    public async ValueTask DisposeAsync()
    {
        _closed = true;
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"session {Id} ({HostName})";

    /// <summary>A connection that answers, the old one or a new one. Only with the turn.</summary>
    private async Task<(int Generation, string Story)> RenewAsync(SshOptions wanted, CancellationToken cancellationToken)
    {
        ThrowIfClosed();
        var lost = await LossAsync(wanted, cancellationToken).ConfigureAwait(false);
        if (lost is null)
        {
            return (_generation, $"Session {Id}.");
        }

        if (!wanted.MayReconnect)
        {
            throw new HostException(ErrorIds.ConnectionLost, HostName, $"The connection of session {Id} was lost after the host was looked at, and for this it is not opened again.", lost)
            {
                HostSaid = lost.HostSaid,
                Remedy = "Nothing was done. Look at the host, then run the command again.",
            };
        }

        var limit = wanted.ConnectTimeout < _options.ConnectTimeout ? wanted.ConnectTimeout : _options.ConnectTimeout;
        var connection = await _connector.ConnectAsync(Host with { Session = null }, _options with { ConnectTimeout = limit }, cancellationToken).ConfigureAwait(false);
        var kept = false;
        try
        {
            var identity = await IdentifyAsync(connection, _options.OperationTimeout, cancellationToken).ConfigureAwait(false);
            if (MachineId is not null && identity.MachineId != MachineId)
            {
                throw new HostException(ErrorIds.MachineIdMismatch, HostName, $"The name leads to another machine than when session {Id} was made: machine-id {identity.MachineId ?? "(none)"} instead of {MachineId}.")
                {
                    Remedy = "Find out which one you mean; close this session (Remove-KdumpSession) and make a new one.",
                };
            }

            var rebooted = identity.BootId != BootId;
            (BootId, Transport, LastConnected) = (identity.BootId, connection.Transport, DateTimeOffset.Now);
            kept = true;
            _connection = connection;
            if (_closed)
            {
                await DisposeAsync().ConfigureAwait(false);
                throw Closed(null);
            }

            return (Interlocked.Increment(ref _generation), $"Session {Id}, connected again{(rebooted ? "; the host has rebooted since" : "")} ({lost.What})");
        }
        finally
        {
            if (!kept)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Why the connection cannot be used; null when it has just answered.</summary>
    private async Task<HostException?> LossAsync(SshOptions wanted, CancellationToken cancellationToken)
    {
        if (_connection is not { } connection)
        {
            return SshErrors.Lost(HostName, "There is no connection.");
        }

        try
        {
            var limit = wanted.ConnectTimeout < AnswerLimit ? wanted.ConnectTimeout : AnswerLimit;
            var identity = await IdentifyAsync(connection, limit, cancellationToken).ConfigureAwait(false);
            if (identity.BootId == BootId)
            {
                return null;
            }

            // A connection does not survive a boot. What answers here is not what was connected to.
            await DropAsync(connection).ConfigureAwait(false);
            return SshErrors.Lost(HostName, "The host answers with another boot.");
        }
        catch (Exception e) when (e is HostException or ObjectDisposedException)
        {
            await DropAsync(connection).ConfigureAwait(false);
            return e as HostException ?? SshErrors.Lost(HostName, "The connection was closed.");
        }
    }

    private async Task DropAsync(IHostConnection connection)
    {
        Interlocked.CompareExchange(ref _connection, null, connection);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private void ThrowIfClosed()
    {
        if (_closed)
        {
            throw Closed(null);
        }
    }

    private HostException Closed(Exception? inner) => new(ErrorIds.SessionClosed, HostName, $"Session {Id} was closed.", inner)
    {
        Remedy = "Make another one with New-KdumpSession.",
    };

    /// <summary>Asks a host which boot of which machine it is.</summary>
    internal static async Task<Identity> IdentifyAsync(IHostConnection connection, TimeSpan limit, CancellationToken cancellationToken)
    {
        var reply = await HostReply.RunAsync(connection, HostScript.Load("session") with { Timeout = limit }, cancellationToken).ConfigureAwait(false);
        return new Identity(reply.Required("boot.id").Trim(), reply.Text("machine.id")?.Trim() is { Length: > 0 } id ? id : null, reply.Text("user")?.Trim() is { Length: > 0 } user ? user : null);
    }

    /// <summary>What a host says of itself when a session begins.</summary>
    internal sealed record Identity(string BootId, string? MachineId, string? UserName);
}
