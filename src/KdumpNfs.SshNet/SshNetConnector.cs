using System.Diagnostics;
using System.Net.Sockets;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.Config;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace KdumpNfs.SshNet;

/// <summary>Connects through SSH.NET: in this process, without a child for each host.</summary>
/// <remarks>
/// One exec channel runs the script loop, as with the OpenSSH client. SSH.NET keeps one thread of its own for each open connection;
/// connecting, key exchange and login block a thread of the pool for their round trips, see <see cref="ThreadRoom"/>.
/// </remarks>
public sealed class SshNetConnector : IHostConnector
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, SshConfig> _configs = new(StringComparer.Ordinal);

    // What sshd says in place of its version before it closes (sshd.c: MaxStartups, PerSourcePenalties), as far as the library's dump of it shows it in one line.
    private static readonly string[] BarredWords = ["Exceeded MaxStar", "Not allowed at t"];

    /// <inheritdoc/>
    public SshTransport Transport => SshTransport.SshNet;

    /// <inheritdoc/>
    public async Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        var started = Stopwatch.GetTimestamp();
        using var room = ThreadRoom.Enter();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.ConnectTimeout);
        try
        {
            return await ConnectWithinAsync(host, options, started, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or SshOperationTimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw SshErrors.Timeout(host.HostName, options.ConnectTimeout, inner: e);
        }
    }

    private async Task<IHostConnection> ConnectWithinAsync(SshHost host, SshOptions options, long started, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var config = _configs.GetOrAdd(options.ConfigFile ?? "", _ => SshConfig.Load(options.ConfigFile));
        var target = config.Resolve(host, options);
        if (target.OpenSshReason is { } reason)
        {
            throw new HostException(ErrorIds.TransportNotAvailable, host.HostName, $"SSH.NET cannot connect as configured: {reason}.")
            {
                Remedy = "Use -Transport OpenSsh or Auto.",
            };
        }

        var hostKey = new HostKeyCheck(host, target, options);
        var session = new SessionHolder();
        var login = new Login(host, target, options, session);
        var info = new ConnectionInfo(target.HostName, target.Port, target.UserName, login.Methods) { Timeout = options.ConnectTimeout };
        hostKey.Prefer(info);
        var client = new SshClient(info) { KeepAliveInterval = TimeSpan.FromSeconds(15) };
        client.HostKeyReceived += hostKey.OnReceived;
        var bootstrap = new Bootstrap(options);
        SshNetPipe? pipe = null;
        ScriptLoop? loop = null;

        // Not ConnectAsync: that reads the host's banner byte by byte in a task each, and blocks a thread for the rest all the same. One thread blocks for all of it.
        var connecting = Task.Run(
            () =>
            {
                try
                {
                    client.Connect();
                }
                finally
                {
                    // Keys are the login's until it has ended, which may be after this call.
                    login.Dispose();
                }

                pipe = new SshNetPipe(client, session, bootstrap.Command);
                loop = new ScriptLoop(host.HostName, bootstrap, pipe);
                pipe.Open(loop, options.Sudo, host.HostName);
            },
            CancellationToken.None);
        try
        {
            await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Connecting cannot be interrupted; the call returns, nobody logs in any more, and the rest ends with its socket or its own timeout.
            _ = connecting.ContinueWith(_ => Discard(client, pipe), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            _ = session.Close();
            if (e is OperationCanceledException or SshOperationTimeoutException)
            {
                throw;
            }

            throw hostKey.Refusal ?? (pipe is null ? Explain(host, target, login, info, e) : SshErrors.Lost(host.HostName, "The connection ended before it was up.", e.Message, e));
        }

        loop!.Start(options.ConnectTimeout - Stopwatch.GetElapsedTime(started), () => SshErrors.Timeout(host.HostName, options.ConnectTimeout));
        return new LoopConnection(host, SshTransport.SshNet, loop, options.OperationTimeout);
    }

    private static void Discard(SshClient client, SshNetPipe? pipe)
    {
        try
        {
            pipe?.Release();
            client.Dispose();
        }
#pragma warning disable CA1031 // Nobody is there any more to be told.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private static HostException Explain(SshHost host, ResolvedHost target, Login login, ConnectionInfo info, Exception e)
    {
        var name = host.HostName;
        switch (e)
        {
            case HostException known:
                return known;
            case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery }:
                return SshErrors.NameNotResolved(name, e.Message, e);
            case SocketException { SocketErrorCode: SocketError.TimedOut }:
                return new HostException(ErrorIds.Timeout, name, $"No answer from {target.HostName} port {target.Port}.", e)
                {
                    Remedy = "Check that the host is up and reachable, or allow more time with -ConnectingTimeout.",
                };
            case SocketException { SocketErrorCode: SocketError.ConnectionReset } or SshConnectionException { DisconnectReason: Renci.SshNet.Messages.Transport.DisconnectReason.ConnectionLost }
                when info.ServerVersion is null:
                return SshErrors.NotAdmitted(name, e.Message, e);
            case SshConnectionException when BarredWords.Any(words => e.Message.Contains(words, StringComparison.Ordinal)):
                return SshErrors.NotAdmitted(name, e.Message, e);
            case SocketException { SocketErrorCode: not SocketError.ConnectionReset }:
                return SshErrors.Unreachable(name, $"{target.HostName} port {target.Port}: {e.Message}", e);
            case SshAuthenticationException:
                return SshErrors.AuthenticationFailed(name, $"The host refused the login as '{target.UserName}' with {login.Description}.", e.Message, e);
            case SshConnectionException { DisconnectReason: Renci.SshNet.Messages.Transport.DisconnectReason.KeyExchangeFailed }:
                return new HostException(ErrorIds.ProtocolError, name, "The host and SSH.NET have no algorithm in common.", e)
                {
                    HostSaid = e.Message,
                    Remedy = "Use -Transport OpenSsh, or update sshd on the host.",
                };
            case SshConnectionException
            {
                DisconnectReason: Renci.SshNet.Messages.Transport.DisconnectReason.ProtocolError or Renci.SshNet.Messages.Transport.DisconnectReason.ProtocolVersionNotSupported,
            }:
                return SshErrors.NotSsh(name, $"{target.HostName} port {target.Port}: {e.Message}", e);
            case SshConnectionException when e.Message.Contains("authentication failures", StringComparison.OrdinalIgnoreCase):
                return SshErrors.AuthenticationFailed(name, $"The host refused the login as '{target.UserName}' with {login.Description}.", e.Message, e);
            default:
                return SshErrors.Lost(name, "The connection ended before it was up.", e.Message, e);
        }
    }
}
