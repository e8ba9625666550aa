// A stand-in for a host: runs scripts in this machine's own sh instead of over SSH, so that the real scripts meet a real shell.
using System.Diagnostics;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Collection;

internal sealed class ShellConnection(string shell = "/bin/sh") : IHostConnection
{
    public SshHost Host { get; } = new("store");

    public SshTransport Transport => SshTransport.OpenSsh;

    public int Runs { get; private set; }

    public bool Disposed { get; private set; }

    public Func<Exception?> Fault { get; set; } = () => null;

    public async Task<ScriptResult> RunAsync(RemoteScript script, CancellationToken cancellationToken = default)
    {
        Runs++;
        if (Fault() is { } fault)
        {
            throw fault;
        }

        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, script.Text, cancellationToken);
            using var process = Process.Start(new ProcessStartInfo(shell, [file])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
            })!;
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = new MemoryStream();
            await process.StandardOutput.BaseStream.CopyToAsync(output, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return new ScriptResult(output.ToArray(), System.Text.Encoding.UTF8.GetBytes(await error), process.ExitCode);
        }
        finally
        {
            File.Delete(file);
        }
    }

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }
}
