namespace KdumpNfs.Ssh.Sessions;

/// <summary>A session's connection in the hands of one operation. Giving it back leaves the connection open.</summary>
internal sealed class SessionLease(KdumpSession session, SshOptions wanted, int generation, string story) : IHostConnection
{
    private volatile bool _over;

    public SshHost Host => session.Host;

    public SshTransport Transport => session.Transport;

    public string? TransportReason => story;

    public bool IsOpen => !_over && session.State == KdumpSessionState.Opened;

    /// <summary>What the borrower asked for.</summary>
    public SshOptions Wanted => wanted;

    /// <summary>Which connection of the session was lent. Set by the session, with its turn.</summary>
    public int Generation { get; set; } = generation;

    /// <summary>Whether a script was begun: from then on the connection is not replaced under the borrower.</summary>
    public bool Used { get; set; }

    public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(script);
        ObjectDisposedException.ThrowIf(_over, this);
        return session.RunAsync(this, script, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _over = true;
        return ValueTask.CompletedTask;
    }
}
