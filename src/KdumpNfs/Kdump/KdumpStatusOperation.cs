using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Get-KdumpStatus: one connection, one round trip.</summary>
public sealed class KdumpStatusOperation(HostAccess access)
{
    private readonly MachineIds _machineIds = new();

    /// <summary>Where dumps are to go; null to accept any network target.</summary>
    public KdumpTarget? ExpectedTarget { get; init; }

    /// <summary>Reads and judges one host.</summary>
    public async Task<KdumpStatus> RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            if (_machineIds.Notice(facts) is { } noticed)
            {
                context.Warning(noticed);
            }

            var status = KdumpStatus.From(facts, ExpectedTarget);
            foreach (var finding in status.Findings)
            {
                context.Verbose(finding);
            }

            return status;
        }
    }
}
