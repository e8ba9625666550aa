using System.Buffers;
using KdumpNfs.Ssh.Sessions;
using KdumpNfs.Text;

namespace KdumpNfs.Ssh.Recorded;

/// <summary>Makes connections that work as ever and write down what the host answers.</summary>
/// <param name="inner">Makes them.</param>
/// <param name="recording">Where.</param>
public sealed class RecordingConnector(IHostConnector inner, Recording recording) : IHostConnector
{
    // A script whose output is longer (a dump on its way here) is told of without it.
    private const int OutputLimit = 16 << 20;

    /// <inheritdoc/>
    public SshTransport Transport => inner.Transport;

    /// <summary>Asks each host who it is, as a session does when it begins: without it a recording answers the same commands, but no session can be made of it.</summary>
    public bool Identifies { get; init; }

    /// <inheritdoc/>
    public async Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        var connection = new Connection(await inner.ConnectAsync(host, options, cancellationToken).ConfigureAwait(false), recording);
        if (Identifies)
        {
            try
            {
                await KdumpSession.IdentifyAsync(connection, options.OperationTimeout, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }

        return connection;
    }

    private sealed class Connection(IHostConnection inner, Recording recording) : IHostConnection
    {
        private readonly SecretMask _mask = new();

        public SshHost Host => inner.Host;

        public SshTransport Transport => inner.Transport;

        public string? TransportReason => inner.TransportReason;

        public bool IsOpen => inner.IsOpen;

        public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(script);
            var input = await RecordedInput.ReadAsync(script, cancellationToken).ConfigureAwait(false);
            var streamed = script.OnOutput is null ? null : new ArrayBufferWriter<byte>();
            var whole = true;
            var watched = script with
            {
                Input = input.Length == 0 && script.Input is null ? null : new MemoryStream(input),
                OnOutput = script.OnOutput is not { } given ? null : piece =>
                {
                    whole = whole && streamed!.WrittenCount + piece.Length <= OutputLimit;
                    if (whole)
                    {
                        streamed!.Write(piece.Span);
                    }

                    given(piece);
                },
            };
            try
            {
                var result = await inner.RunAsync(watched, cancellationToken).ConfigureAwait(false);
                var output = streamed?.WrittenMemory ?? result.Output;
                recording.Add(Answer(script, input) with
                {
                    Output = whole && output.Length <= OutputLimit ? Convert.ToBase64String(ReplyMask.Hide(output.Span, _mask)) : null,
                    Error = result.Error.IsEmpty ? null : Convert.ToBase64String(ReplyMask.Hide(result.Error.Span, _mask)),
                    ExitStatus = result.ExitStatus,
                });
                return result;
            }
            catch (HostException e)
            {
                recording.Add(Answer(script, input) with { Failure = e.ErrorId, What = _mask.HideText(e.What) });
                throw;
            }
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private RecordedAnswer Answer(RemoteScript script, byte[] input) => new() { Host = Host.HostName, Script = ScriptPrint.Of(script.Text, input, _mask) };
    }
}

/// <summary>What a script reads, as bytes.</summary>
internal static class RecordedInput
{
    public static async Task<byte[]> ReadAsync(RemoteScript script, CancellationToken cancellationToken)
    {
        if (script.Input is not { } stream)
        {
            return [];
        }

        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, cancellationToken).ConfigureAwait(false);
        return copy.ToArray();
    }
}
