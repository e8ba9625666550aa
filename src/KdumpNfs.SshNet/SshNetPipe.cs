using System.Buffers;
using KdumpNfs.Ssh;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace KdumpNfs.SshNet;

/// <summary>One exec channel of SSH.NET. Its streams block when read, so they are read only when the session's events say that there is something.</summary>
internal sealed class SshNetPipe(SshClient client, SessionHolder session, string commandText) : IScriptPipe
{
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(2);

    // In case an event was missed; nothing depends on its length but the delay after such a miss.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(250);

    private readonly SshCommand _command = client.CreateCommand(commandText);
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly object _gate = new();
    private Stream? _input;
    private Task _execution = Task.CompletedTask;
    private Task _pump = Task.CompletedTask;
    private Task _closing = Task.CompletedTask;
    private volatile bool _aborted;

    /// <summary>Opens the channel and begins to read.</summary>
    public async Task OpenAsync(ScriptLoop loop, bool sudo, string hostName, CancellationToken cancellationToken)
    {
        // Opening waits for two answers of the host and blocks while it does.
        await Task.Run(
            () =>
            {
                _execution = _command.ExecuteAsync(CancellationToken.None);
                _input = _command.CreateInputStream();
            },
            CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);

        // After the channel's own handlers, so that the bytes are in the streams when ours runs.
        if (session.Session is { } events)
        {
            events.ChannelDataReceived += (_, _) => Wake();
            events.ChannelExtendedDataReceived += (_, _) => Wake();
            events.Disconnected += (_, _) => Wake();
        }

        _ = _execution.ContinueWith(_ => Wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _pump = PumpAsync(loop, sudo, hostName);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            // The library blocks while the channel's window is full.
            await Task.Run(
                () =>
                {
                    _input!.Write(data.Span);
                    _input.Flush();
                },
                CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SshException or ObjectDisposedException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
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
                _closing = session.Close();
            }
        }

        Wake();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_aborted && _input is { } input)
        {
            // The end of stdin ends the loop on the host, that closes the channel.
            await Quietly(Task.Run(input.Dispose).WaitAsync(CloseGrace)).ConfigureAwait(false);
            await Quietly(_execution.WaitAsync(CloseGrace)).ConfigureAwait(false);
        }

        Abort();
        await Quietly(_closing.WaitAsync(CloseGrace)).ConfigureAwait(false);
        await Quietly(_pump.WaitAsync(CloseGrace)).ConfigureAwait(false);
        await Quietly(Task.Run(() =>
        {
            _command.Dispose();
            client.Dispose();
        }).WaitAsync(CloseGrace)).ConfigureAwait(false);
    }

    private static async Task Quietly(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Closing: whatever fails has ended.
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }

    private void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Two at once; one is enough.
        }
    }

    private async Task PumpAsync(ScriptLoop loop, bool sudo, string hostName)
    {
        while (!_aborted)
        {
            var ended = _execution.IsCompleted;
            var moved = Drain(_command.OutputStream, loop.Output) | Drain(_command.ExtendedOutputStream, loop.Error);
            if (ended && !moved)
            {
                break;
            }

            if (!moved)
            {
                await _wake.WaitAsync(LongestSleep).ConfigureAwait(false);
            }
        }

        loop.Output.Finish();
        loop.Error.Finish();
        loop.Close(Reason(loop, sudo, hostName));
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

    private static bool Drain(Stream stream, ScriptLoop.StreamSide side)
    {
        byte[]? buffer = null;
        try
        {
            var moved = false;
            long available;
            while ((available = stream.Length) > 0)
            {
                // An idle connection holds none.
                buffer ??= ArrayPool<byte>.Shared.Rent(64 << 10);
                var count = stream.Read(buffer, 0, (int)Math.Min(available, buffer.Length));
                side.Feed(buffer.AsSpan(0, count));
                moved |= count > 0;
                if (count == 0)
                {
                    break;
                }
            }

            return moved;
        }
        catch (ObjectDisposedException)
        {
            return false;
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
