using System.Buffers;
using KdumpNfs.Ssh;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace KdumpNfs.SshNet;

/// <summary>One exec channel of SSH.NET. Its streams block when read, so they are read only when the session's events say that there is something.</summary>
/// <remarks>
/// They are read in the event, on the thread that the library has for the connection: waking another one for each packet costs more than what is done with the packet.
/// So a caller that takes its time holds this connection back, and no memory fills up with what the host sends meanwhile.
/// </remarks>
internal sealed class SshNetPipe(SshClient client, SessionHolder session, string commandText) : IScriptPipe
{
    private const int FirstWrite = 64 << 10;

    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(2);

    private readonly SshCommand _command = client.CreateCommand(commandText);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly object _gate = new();

    // Held while bytes move, so that they stay in order.
    private readonly object _reading = new();
    private Stream? _input;
    private Task _execution = Task.CompletedTask;
    private Action _end = static () => { };
    private volatile bool _aborted;
    private bool _fresh = true;

    /// <summary>Opens the channel and begins to read. Blocks: it waits for two answers of the host.</summary>
    public void Open(ScriptLoop loop, bool sudo, string hostName)
    {
        _execution = _command.ExecuteAsync(CancellationToken.None);
        _input = _command.CreateInputStream();
        _end = () => End(loop, sudo, hostName);

        // After the channel's own handlers, so that the bytes are in the streams when ours runs.
        if (session.Session is { } events)
        {
            events.ChannelDataReceived += (_, _) => Move(loop);
            events.ChannelExtendedDataReceived += (_, _) => Move(loop);
        }

        // What came before that, and what comes last.
        Move(loop);
        _ = _execution.ContinueWith(_ => _end(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            if (_fresh && data.Length <= FirstWrite)
            {
                // The first script finds a window and a socket that nothing else has filled: it need not wait on a thread of its own.
                _fresh = false;
                using var cut = cancellationToken.UnsafeRegister(static pipe => ((SshNetPipe)pipe!).Abort(), this);
                Send(data.Span);
                return;
            }

            // The library blocks while the channel's window is full.
            _fresh = false;
            await Task.Run(() => Send(data.Span), CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SshException or ObjectDisposedException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException(e.Message, e);
        }
    }

    public void Abort()
    {
        lock (_gate)
        {
            if (!_aborted)
            {
                _aborted = true;
                _ = session.Close();
                _ = Task.Run(_end);
            }
        }
    }

    public async Task EndAsync(ReadOnlyMemory<byte> farewell)
    {
        // All of it in one turn of the pool: each further one wakes a thread, and a fleet ends as many connections as it makes.
        var ending = Task.Run(async () =>
        {
            if (!_aborted && _input is { } input)
            {
                // The end of stdin ends the loop on the host, that closes the channel.
                await Quietly(() =>
                {
                    Send(farewell.Span);
                    input.Dispose();
                    return _execution.WaitAsync(CloseGrace);
                }).ConfigureAwait(false);
            }

            await Quietly(() =>
            {
                Release();
                return Task.CompletedTask;
            }).ConfigureAwait(false);
        });
        try
        {
            await ending.WaitAsync(CloseGrace * 2).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Abort();
            await Quietly(() => _ended.Task.WaitAsync(CloseGrace)).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the connection and gives back what the library holds for it. Blocks.</summary>
    public void Release()
    {
        session.Disconnect();
        _end();
        _command.Dispose();
        client.Dispose();
    }

    private static async Task Quietly(Func<Task> closing)
    {
        try
        {
            await closing().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Closing: whatever fails has ended.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private void Send(ReadOnlySpan<byte> data)
    {
        _input!.Write(data);
        _input.Flush();
    }

    private void Move(ScriptLoop loop)
    {
        lock (_reading)
        {
            if (!_aborted && !_ended.Task.IsCompleted)
            {
                Drain(_command.OutputStream, loop.Output);
                Drain(_command.ExtendedOutputStream, loop.Error);
            }
        }
    }

    private void End(ScriptLoop loop, bool sudo, string hostName)
    {
        lock (_reading)
        {
            if (_ended.Task.IsCompleted)
            {
                return;
            }

            Move(loop);
            loop.Output.Finish();
            loop.Error.Finish();
            loop.Close(Reason(loop, sudo, hostName));
            _ended.SetResult();
        }
    }

    private HostException Reason(ScriptLoop loop, bool sudo, string hostName)
    {
        var said = (loop.Error.Tail + "\n" + loop.Output.Tail).Trim();
        if (_execution.Exception?.InnerException is { } error)
        {
            return SshErrors.Lost(hostName, "The connection was lost.", error.Message, error);
        }

        return _aborted ? SshErrors.Lost(hostName, "The connection was closed.")
            : loop.HasStarted || _command.ExitStatus is null ? SshErrors.Lost(hostName, "The connection was lost.", said)
            : SshErrors.NoLoop(hostName, sudo, _command.ExitStatus, said);
    }

    private static void Drain(Stream stream, ScriptLoop.StreamSide side)
    {
        byte[]? buffer = null;
        try
        {
            long available;
            while ((available = stream.Length) > 0)
            {
                // An idle connection holds none.
                buffer ??= ArrayPool<byte>.Shared.Rent((int)Math.Min(available, 64 << 10));
                var count = stream.Read(buffer, 0, (int)Math.Min(available, buffer.Length));
                if (count == 0)
                {
                    break;
                }

                side.Feed(buffer.AsSpan(0, count));
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile: nobody takes what is left.
        }
        finally
        {
            if (buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
