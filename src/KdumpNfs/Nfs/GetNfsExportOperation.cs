using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Nfs;

/// <summary>Get-NfsExport: what a storage server exports, by its table and by its files.</summary>
public sealed class GetNfsExportOperation(HostAccess access)
{
    /// <summary>Only this directory; null for all.</summary>
    public string? ExportPath { get; init; }

    /// <summary>Gives each export of one server.</summary>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await NfsServerFacts.ReadAsync(connection, "", null, "", cancellationToken).ConfigureAwait(false);
            if (!facts.Installed)
            {
                throw EnableNfsExportOperation.NotInstalled(facts);
            }

            foreach (var export in List(facts).Where(e => ExportPath is null || e.ExportPath == ExportPath))
            {
                context.Output(export);
            }
        }
    }

    internal static IEnumerable<NfsExport> List(NfsServerFacts facts)
    {
        var seen = new HashSet<(string, string)>();
        foreach (var file in facts.DropIns.Prepend(facts.Exports).OfType<Hosts.HostFile>())
        {
            foreach (var entry in ExportsDocument.Parse(file.Content.Span).Entries)
            {
                foreach (var client in entry.Clients)
                {
                    seen.Add((entry.Path, client.Client));
                    var live = facts.Live.FirstOrDefault(e => e.Path == entry.Path && e.Client == client.Client);
                    yield return Make(facts, entry.Path, client.Client, live?.Options ?? client.Options, live is not null, file.Path);
                }
            }
        }

        foreach (var entry in facts.Live.Where(e => !seen.Contains((e.Path, e.Client))))
        {
            yield return Make(facts, entry.Path, entry.Client, entry.Options, true, null);
        }
    }

    private static NfsExport Make(NfsServerFacts facts, string path, string client, IReadOnlyList<string> options, bool live, string? file) => new()
    {
        HostName = facts.HostName,
        ExportPath = path,
        Client = client,
        Option = options,
        Live = live,
        File = file,
        OwnMount = facts.IsMountPoint(path),
        FirewallLacks = facts.FirewallLacks,
    };
}
