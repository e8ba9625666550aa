using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>A command of this machine that cycles a host's power or reads its console: ipmitool, a script around a hypervisor, tail on conman's log.</summary>
/// <remarks>
/// It is given to the shell as it is; the host comes in the environment (KDUMPNFS_HOST, KDUMPNFS_PORT), never into the text:
/// <c>ipmitool -I lanplus -H "bmc-$KDUMPNFS_HOST" -U admin -f /etc/bmc.password chassis power cycle</c>.
/// </remarks>
public static class ExternalCommand
{
    private const int MaximumOutput = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs a command for a host; gives its stdout, the last MiB of it.</summary>
    /// <exception cref="HostException">CommandFailed: it cannot be started, ends with another status than 0, or not within two minutes.</exception>
    public static async Task<string> RunAsync(string command, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var start = OperatingSystem.IsWindows() ? new ProcessStartInfo("cmd.exe", ["/d", "/c", command]) : new ProcessStartInfo("/bin/sh", ["-c", command]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["KDUMPNFS_HOST"] = host.HostName;
        start.Environment["KDUMPNFS_PORT"] = host.Port?.ToString(CultureInfo.InvariantCulture) ?? "";
        InlineSockets.KeepFrom(start);
        context.Verbose($"Runs: {command}");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var process = Start(start, command, host);
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var said = await output.ConfigureAwait(false);
            var complained = await error.ConfigureAwait(false);
            await InlineSockets.LeaveAsync().ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? (said.Length > MaximumOutput ? said[^MaximumOutput..] : said)
                : throw Failed(host, $"The command ended with status {process.ExitCode}: {command}", complained.Length > 0 ? complained : said, null);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(host, $"The command did not end within {Limit.TotalMinutes:0} minutes: {command}", null, e);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static Process Start(ProcessStartInfo start, string command, SshHost host)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            throw Failed(host, $"The command cannot be started: {command}", e.Message, e);
        }
    }

    private static HostException Failed(SshHost host, string what, string? said, Exception? inner) =>
        new(ErrorIds.CommandFailed, host.HostName, Printable.Escape(what), inner) { HostSaid = said, Remedy = "Try it by hand with KDUMPNFS_HOST set." };
}
