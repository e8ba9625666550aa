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
        return host.Session is null ? new Left(connection, context) : connection;
    }

    /// <summary>A connection whose end the host's story takes over.</summary>
    private sealed class Left(IHostConnection inner, HostContext context) : IHostConnection
    {
        private int _disposed;

        public SshHost Host => inner.Host;

        public SshTransport Transport => inner.Transport;

        public string? TransportReason => inner.TransportReason;

        public bool IsOpen => inner.IsOpen;

        public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return inner.RunAsync(script, cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                context.Leave(inner.DisposeAsync().AsTask());
            }

            return ValueTask.CompletedTask;
        }
    }
}
