using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Get-VmcoreEstimate: makedumpfile's own count of pages, and what a dump at a level keeps of them.</summary>
public sealed class VmcoreEstimateOperation(HostAccess access)
{
    /// <summary>The level to estimate for.</summary>
    public DumpLevel DumpLevel { get; init; } = DumpLevel.All;

    /// <summary>Estimates for one host.</summary>
    /// <exception cref="HostException">NotRoot, KdumpNotInstalled, EstimateNotPossible.</exception>
    public async Task<VmcoreEstimate> RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var reply = await HostReply.RunAsync(connection, HostScript.Load("memusage"), cancellationToken).ConfigureAwait(false);
            if (reply.Text("uid")?.Trim() != "0")
            {
                throw new HostException(ErrorIds.NotRoot, host.HostName, "The kernel's memory map is readable for root only.") { Remedy = "Connect as root, or use -Sudo." };
            }

            if (reply.Text("tool") is not { Length: > 0 })
            {
                throw new HostException(ErrorIds.KdumpNotInstalled, host.HostName, "makedumpfile is not installed.") { Remedy = "Install the package makedumpfile (kexec-tools on EL9 and before)." };
            }

            return VmcoreEstimate.Create(host.HostName, reply.Required("output"), DumpLevel);
        }
    }
}
