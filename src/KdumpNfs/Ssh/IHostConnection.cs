namespace KdumpNfs.Ssh;

/// <summary>An open, authenticated connection to one host. It serves one script after the other without a new handshake.</summary>
/// <remarks>Scripts run one at a time; a second call waits for the first. After a cancelled, timed-out or broken call the connection is closed.</remarks>
public interface IHostConnection : IAsyncDisposable
{
    /// <summary>The host as it was asked for.</summary>
    SshHost Host { get; }

    /// <summary>The transport that carries it; never <see cref="SshTransport.Auto"/>.</summary>
    SshTransport Transport { get; }

    /// <summary>Why this transport was taken where there was a choice, for -Verbose; null where there was none.</summary>
    string? TransportReason => null;

    /// <summary>False when it is known that no script can be run any more. True proves nothing: a host that is gone says no goodbye.</summary>
    bool IsOpen => true;

    /// <summary>Runs a POSIX sh script on the host. The host receives it whole before its first line runs.</summary>
    /// <returns>Exact bytes of stdout and stderr and the exit status; a non-zero status is not an error here.</returns>
    /// <exception cref="HostException">ConnectionLost, Timeout, SudoRefused, NoShell.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the connection is closed within 200 ms.</exception>
    Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default);
}

/// <summary>Opens connections: one implementation for each SSH implementation.</summary>
public interface IHostConnector
{
    /// <summary>Which transport this is.</summary>
    SshTransport Transport { get; }

    /// <summary>Connects, checks the host key and authenticates.</summary>
    /// <exception cref="HostException">Unreachable, Timeout, HostKeyUnknown, HostKeyChanged, HostKeyRevoked, AuthenticationFailed, NotSupported…</exception>
    Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken);
}

/// <summary>A script to run on a host.</summary>
/// <param name="Text">POSIX sh. Values are spliced in through the quoting function (ShellQuote) only.</param>
public sealed record RemoteScript(string Text)
{
    /// <summary>What the script reads on stdin; null for an empty input.</summary>
    public Stream? Input { get; init; }

    /// <summary>Called with each piece of stdout as it arrives; stdout is then not collected in the result. Called on a thread of the pool.</summary>
    public Action<ReadOnlyMemory<byte>>? OnOutput { get; init; }

    /// <summary>Overrides <see cref="SshOptions.OperationTimeout"/> for this script.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>What a script left: exact bytes and its exit status.</summary>
/// <param name="Output">stdout, empty where <see cref="RemoteScript.OnOutput"/> took it.</param>
/// <param name="Error">stderr, without what the login shell or a banner said before the script.</param>
/// <param name="ExitStatus">Exit status of the script, 0 to 255.</param>
public sealed record ScriptResult(ReadOnlyMemory<byte> Output, ReadOnlyMemory<byte> Error, int ExitStatus)
{
    /// <summary>stdout as UTF-8 text.</summary>
    public string OutputText => System.Text.Encoding.UTF8.GetString(Output.Span);

    /// <summary>stderr as UTF-8 text.</summary>
    public string ErrorText => System.Text.Encoding.UTF8.GetString(Error.Span);
}
