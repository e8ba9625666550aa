using System.Collections.Concurrent;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Lab;

/// <summary>
/// Keeps connections to the guests between operations: a handshake with an emulated machine takes a second or two, and the scenarios make
/// hundreds. What connecting itself does is tested elsewhere, against an sshd of this machine.
/// </summary>
internal sealed class KeptConnector(IHostConnector inner) : IHostConnector, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ConcurrentBag<IHostConnection>> _idle = new();

    public SshTransport Transport => inner.Transport;

    public async Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        var idle = _idle.GetOrAdd(host.HostName, _ => []);
        while (idle.TryTake(out var kept))
        {
            try
            {
                // A guest that was away meanwhile shows here, before the script that counts.
                await kept.RunAsync(new RemoteScript("exit 0") { Timeout = TimeSpan.FromSeconds(30) }, cancellationToken);
                return new Lease(kept, idle);
            }
            catch (HostException)
            {
                await kept.DisposeAsync();
            }
        }

        return new Lease(await inner.ConnectAsync(host, options, cancellationToken), idle);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _idle.Values.SelectMany(bag => bag))
        {
            await connection.DisposeAsync();
        }
    }

    private sealed class Lease(IHostConnection connection, ConcurrentBag<IHostConnection> idle) : IHostConnection
    {
        private bool _usable = true;

        public SshHost Host => connection.Host;

        public SshTransport Transport => connection.Transport;

        public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
        {
            try
            {
                return await connection.RunAsync(script, cancellationToken);
            }
            catch
            {
                _usable = false;
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (_usable)
            {
                idle.Add(connection);
            }
            else
            {
                await connection.DisposeAsync();
            }
        }
    }
}
