using KdumpNfs.Text;

namespace KdumpNfs.Ssh.Recorded;

/// <summary>Makes connections that reach nobody: every script gets the answer that the host gave when it was recorded, in the same order; the last one is given again.</summary>
/// <param name="recording">The answers.</param>
public sealed class ReplayConnector(Recording recording) : IHostConnector
{
    /// <inheritdoc/>
    public SshTransport Transport => SshTransport.Auto;

    /// <inheritdoc/>
    /// <exception cref="HostException">NotRecorded: the host is not in the recording.</exception>
    public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        return !recording.Hosts.Contains(host.HostName)
            ? throw new HostException(ErrorIds.NotRecorded, host.HostName, "The recording has no such host.") { Remedy = "Its hosts are: " + string.Join(", ", recording.Hosts) }
            : Task.FromResult<IHostConnection>(new Connection(host, recording));
    }

    private sealed class Connection(SshHost host, Recording recording) : IHostConnection
    {
        private readonly SecretMask _mask = new();
        private volatile bool _over;

        public SshHost Host => host;

        // No transport carries it; what asks for one gets the program's.
        public SshTransport Transport => SshTransport.OpenSsh;

        public string? TransportReason => "Nobody was connected to: the answers come from a recording.";

        public bool IsOpen => !_over;

        public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(script);
            ObjectDisposedException.ThrowIf(_over, this);
            var input = await RecordedInput.ReadAsync(script, cancellationToken).ConfigureAwait(false);
            var answer = recording.Next(host.HostName, ScriptPrint.Of(script.Text, input, _mask)) ?? throw Missing("The host was not asked this when it was recorded.");
            if (answer.Failure is { } id)
            {
                _over = ErrorIds.IsLost(id) || id is ErrorIds.Timeout;
                throw new HostException(id, host.HostName, answer.What ?? "It failed when it was recorded.");
            }

            var output = Convert.FromBase64String(answer.Output ?? throw Missing("What the host sent then was too long to be recorded."));
            var error = Convert.FromBase64String(answer.Error ?? "");
            if (script.OnOutput is { } take)
            {
                take(output);
                output = [];
            }

            return new ScriptResult(output, error, answer.ExitStatus);
        }

        public ValueTask DisposeAsync()
        {
            _over = true;
            return ValueTask.CompletedTask;
        }

        private HostException Missing(string what) => new(ErrorIds.NotRecorded, host.HostName, what)
        {
            Remedy = "Record again (New-KdumpSession -RecordPath) with the same commands, parameters and version of the module.",
        };
    }
}
