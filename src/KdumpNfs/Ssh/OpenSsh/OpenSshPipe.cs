using System.ComponentModel;
using System.Diagnostics;

namespace KdumpNfs.Ssh.OpenSsh;

/// <summary>One ssh process and its three pipes, read without a thread of their own.</summary>
internal sealed class OpenSshPipe : IScriptPipe, IAsyncDisposable
{
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly CancellationTokenSource _stop = new();
    private readonly object _gate = new();
    private Task _kill = Task.CompletedTask;
    private Task _pump = Task.CompletedTask;
    private bool _aborted;

    private OpenSshPipe(Process process) => _process = process;

    /// <summary>Starts ssh.</summary>
    /// <exception cref="HostException">SshClientMissing.</exception>
    public static OpenSshPipe Start(string program, IEnumerable<string> arguments, string hostName, Askpass? askpass = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        InlineSockets.KeepFrom(start);

        // BatchMode asks nothing on the terminal; this keeps a window from asking. With a passphrase to give, our helper is asked instead.
        start.Environment["SSH_ASKPASS_REQUIRE"] = askpass is null ? "never" : "force";
        if (askpass is not null)
        {
            start.Environment["SSH_ASKPASS"] = askpass.Helper;
        }

        try
        {
            return new OpenSshPipe(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw new HostException(ErrorIds.SshClientMissing, hostName, $"The program '{program}' could not be started: {e.Message}", e)
            {
                Remedy = "Install the OpenSSH client (openssh-client, openssh-clients) and see that 'ssh' is on PATH.",
            };
        }
    }

    /// <summary>Begins to read; <paramref name="ended"/> gets the exit status once, when nothing more will come.</summary>
    public void Attach(ScriptLoop.StreamSide output, ScriptLoop.StreamSide error, Action<int> ended) =>
        _pump = PumpAsync(output, error, ended);

    /// <summary>Reads all of stderr until ssh ends.</summary>
    public async Task<string> ReadErrorAsync(CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(_process.StandardError.BaseStream);
        var text = await reader.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await InlineSockets.LeaveAsync().ConfigureAwait(false);
        return text;
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            var stdin = _process.StandardInput.BaseStream;
            await stdin.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            await stdin.FlushAsync(cancellationToken).ConfigureAwait(false);
            await InlineSockets.LeaveAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("The connection is closed.", e);
        }
    }

    public void Abort()
    {
        lock (_gate)
        {
            if (_aborted)
            {
                return;
            }

            // A ProxyCommand or ProxyJump is a child of ssh; finding and ending it takes some milliseconds, so not on this thread.
            _aborted = true;
            _kill = Task.Run(Kill);
        }
    }

    public async Task EndAsync(ReadOnlyMemory<byte> farewell)
    {
        try
        {
            // The end of stdin ends the loop on the host, that ends ssh.
            if (!_aborted)
            {
                using var limit = new CancellationTokenSource(EndGrace);
                await WriteAsync(farewell, limit.Token).ConfigureAwait(false);
                _process.StandardInput.Close();
                await _process.WaitForExitAsync().WaitAsync(EndGrace).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            // Killed below.
        }

        Abort();
        await _kill.ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _pump.ConfigureAwait(false);
        _process.Dispose();
        _stop.Dispose();
    }

    public ValueTask DisposeAsync() => new(EndAsync(default));

    private void Kill()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.Kill(entireProcessTree: MayHaveChildren());
            }
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or AggregateException)
        {
            // It ended by itself in the meantime.
        }
    }

    // Looking for a whole tree reads about every process of this machine, for each host; most ssh have no proxy. Linux tells children directly.
    private bool MayHaveChildren()
    {
        try
        {
            return !OperatingSystem.IsLinux() || File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children").Length > 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without CONFIG_PROC_CHILDREN.
            return true;
        }
    }

    private async Task PumpAsync(ScriptLoop.StreamSide output, ScriptLoop.StreamSide error, Action<int> ended)
    {
        var reads = Task.WhenAll(ReadAsync(_process.StandardOutput.BaseStream, output), ReadAsync(_process.StandardError.BaseStream, error));
        var status = -1;
        try
        {
            await _process.WaitForExitAsync(_stop.Token).ConfigureAwait(false);

            // A process that ssh started (ControlPersist, a proxy) may hold the pipes open for longer than ssh lives.
            await Task.WhenAny(reads, Task.Delay(EndGrace, _stop.Token)).ConfigureAwait(false);
            status = _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }

        ended(status);
    }

    private async ValueTask<int> ReadAsync(Stream stream, byte[] buffer)
    {
        var count = await stream.ReadAsync(buffer, _stop.Token).ConfigureAwait(false);
        await InlineSockets.LeaveAsync().ConfigureAwait(false);
        return count;
    }

    private async Task ReadAsync(Stream stream, ScriptLoop.StreamSide side)
    {
        // Not pooled and not early: an idle connection holds no buffer of its own beyond this one.
        var buffer = new byte[32 << 10];
        try
        {
            int count;
            while ((count = await ReadAsync(stream, buffer).ConfigureAwait(false)) > 0)
            {
                side.Feed(buffer.AsSpan(0, count));
            }

            side.Finish();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The end of the process tells why.
        }
    }
}
