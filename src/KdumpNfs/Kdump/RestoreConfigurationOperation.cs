using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Kdump;

/// <summary>Restore-KdumpConfiguration: the exact bytes of a backup come back, rebuilt and loaded, with the same checks and the same rollback as a change.</summary>
public sealed class RestoreConfigurationOperation(HostAccess access, RestoreRequest request) : TargetChangeOperation(access, request)
{
    /// <summary>Gives the backups of a host, the newest first, and changes nothing.</summary>
    /// <exception cref="HostException">Those of connecting.</exception>
    public async Task ListAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var connection = await Access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = ImageRoot is { } root
                ? await HostFacts.ReadImageAsync(connection, root, ["backups"], cancellationToken).ConfigureAwait(false)
                : await HostFacts.ReadAsync(connection, ["backups"], [], cancellationToken).ConfigureAwait(false);
            foreach (var backup in KdumpBackup.Of(facts))
            {
                context.Output(backup);
            }
        }
    }
}
