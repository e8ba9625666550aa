namespace KdumpNfs.Ssh.Sessions;

/// <summary>Lends the session of a host that has one; makes a connection for every other host.</summary>
/// <param name="inner">Makes connections.</param>
public sealed class SessionConnector(IHostConnector inner) : IHostConnector
{
    /// <inheritdoc/>
    public SshTransport Transport => inner.Transport;

    /// <inheritdoc/>
    public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.Session is { } session ? session.LeaseAsync(options, cancellationToken) : inner.ConnectAsync(host, options, cancellationToken);
    }
}
