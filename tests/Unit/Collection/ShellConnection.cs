// A stand-in for a host: runs scripts in this machine's own sh instead of over SSH, so that the real scripts meet a real shell.
using System.Diagnostics;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Collection;

internal sealed class ShellConnection(string shell = "/bin/sh") : IHostConnection
{
    public SshHost Host { get; init; } = new("store");

    public SshTransport Transport => SshTransport.OpenSsh;

    public int Runs { get; private set; }

    public bool Disposed { get; private set; }

    public Func<Exception?> Fault { get; set; } = () => null;

    /// <summary>Loses the connection after so many bytes of a streamed output, once.</summary>
    public long? CutAfter { get; set; }

    /// <summary>Looks at each script before it runs.</summary>
    public Action<string> Before { get; set; } = _ => { };

    public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
    {
        Runs++;
        if (Fault() is { } fault)
        {
            throw fault;
        }

        Before(script.Text);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, script.Text, cancellationToken);
            using var process = Process.Start(new ProcessStartInfo(shell, [file])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
            })!;
            if (script.Input is { } input)
            {
                await input.CopyToAsync(process.StandardInput.BaseStream, cancellationToken);
            }

            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = new MemoryStream();
            await (script.OnOutput is { } take ? StreamAsync(process, take, cancellationToken) : process.StandardOutput.BaseStream.CopyToAsync(output, cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return new ScriptResult(output.ToArray(), System.Text.Encoding.UTF8.GetBytes(await error), process.ExitCode);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private async Task StreamAsync(Process process, Action<ReadOnlyMemory<byte>> take, CancellationToken cancellationToken)
    {
        var buffer = new byte[65536];
        var count = 0L;
        for (int read; (read = await process.StandardOutput.BaseStream.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            take(buffer.AsMemory(0, read).ToArray());
            count += read;
            if (count >= CutAfter)
            {
                CutAfter = null;
                process.Kill(true);
                throw new HostException(ErrorIds.ConnectionLost, Host.HostName, "The connection was lost.");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }
}

/// <summary>Connects to nothing but this machine's own shell.</summary>
internal sealed class ShellConnector : IHostConnector
{
    public SshTransport Transport => SshTransport.OpenSsh;

    public int Connections { get; private set; }

    /// <summary>The connection that everybody gets.</summary>
    public ShellConnection Connection { get; set; } = new();

    public static HostAccess Access(ShellConnector? connector = null) => new(connector ?? new ShellConnector(), new SshOptions());

    public Task<IHostConnection> ConnectAsync(SshHost host, SshOptions options, CancellationToken cancellationToken)
    {
        Connections++;
        return Task.FromResult<IHostConnection>(Connection);
    }
}
