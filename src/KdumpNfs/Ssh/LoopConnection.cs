namespace KdumpNfs.Ssh;

/// <summary>A connection that runs its scripts through <see cref="ScriptLoop"/>; both transports give one.</summary>
internal sealed class LoopConnection(SshHost host, SshTransport transport, ScriptLoop loop, TimeSpan operationTimeout) : IHostConnection
{
    private int _disposed;

    public SshHost Host => host;

    public SshTransport Transport => transport;

    public bool IsOpen => _disposed == 0 && loop.IsOpen;

    public Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(script);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return loop.RunAsync(script, script.Timeout ?? operationTimeout, cancellationToken);
    }

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, 1) == 0 ? loop.DisposeAsync() : ValueTask.CompletedTask;
}
