using KdumpNfs.Fleet;

namespace KdumpNfs.Ssh;

/// <summary>How the operations reach hosts: a connector and the options of one command.</summary>
public sealed record HostAccess(IHostConnector Connector, SshOptions Options)
{
    /// <summary>Connects to a host and tells its story.</summary>
    public async Task<IHostConnection> ConnectAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var connection = await Connector.ConnectAsync(host.Validated(), Options, cancellationToken).ConfigureAwait(false);
        context.Verbose($"Connected through {connection.Transport} in {System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms.{(connection.TransportReason is { } reason ? " " + reason : "")}");
        return connection;
    }
}
