using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Nfs;

/// <summary>A unit as systemd knows it.</summary>
internal sealed record ServerUnit(string Id, IReadOnlyList<string> Names, bool Loaded, bool Active, string Enabled);

/// <summary>What a storage server said of itself in one round trip (nfsfacts.sh).</summary>
internal sealed class NfsServerFacts
{
    private readonly HostReply _reply;
    private readonly Lazy<IReadOnlyList<ServerUnit>> _units;

    internal NfsServerFacts(string hostName, HostReply reply)
    {
        HostName = hostName;
        _reply = reply;
        _units = new Lazy<IReadOnlyList<ServerUnit>>(ParseUnits);
        OsRelease = OsRelease.Parse(reply.Text("os.release") ?? "");
        Mounts = HostMount.ParseAll(reply.Text("mounts") ?? "");
        Exports = reply.File("exports");
        DropIns = [.. reply.All("exports.d").Select(name => reply.File("exports.d:" + name)!)];
        Live = ExportTable.Parse(reply.Text("live") ?? "");
    }

    /// <param name="connection">The server.</param>
    /// <param name="exportPath">A directory to look at; empty for none.</param>
    /// <param name="dumpDirectory">Another one.</param>
    /// <param name="client">Whom the export is for: its address tells the firewall's zone.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<NfsServerFacts> ReadAsync(IHostConnection connection, string exportPath, string? dumpDirectory, string client, CancellationToken cancellationToken)
    {
        var address = client.Split('/')[0];
        var script = HostScript.Load("nfsfacts", ("export_path", exportPath), ("dump_dir", dumpDirectory ?? ""),
            ("client_address", System.Net.IPAddress.TryParse(address, out _) ? address : ""));
        return new(connection.Host.HostName, await HostReply.RunAsync(connection,
            new RemoteScript(script.Text + HostScript.Read("firewallfacts") + HostScript.Read("nfsmounts")), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The zone of the running firewalld that the clients come through; null where no firewalld runs.</summary>
    public string? FirewallZone => _reply.Text("firewall.zone") is { Length: > 0 } zone ? zone : null;

    /// <summary>Services of NFS that the running firewall does not let in.</summary>
    public IReadOnlyList<string> FirewallLacks => Lacking("firewall.services");

    /// <summary>Services of NFS that it will not let in after its next start.</summary>
    public IReadOnlyList<string> FirewallLacksLater => Lacking("firewall.permanent");

    /// <summary>Whether the kernel tells of NFSv4 clients (5.3 and later); of others the server keeps a list.</summary>
    public bool KnowsClients => _reply.Flag("clients.known");

    /// <summary>Hosts that have a directory mounted, as far as the server knows: by name or address.</summary>
    /// <param name="path">The exported directory.</param>
    /// <param name="client">Only hosts that this client of an export can mean.</param>
    public IReadOnlyList<string> MountedBy(string path, string client)
    {
        var found = new List<string>();
        // rmtab: HOST:/PATH:COUNT, kept by mountd for NFSv3.
        foreach (var line in (_reply.Text("rmtab") ?? "").Split('\n'))
        {
            var slash = line.IndexOf(":/", StringComparison.Ordinal);
            var end = line.LastIndexOf(':');
            if (slash > 0 && end > slash)
            {
                var mounted = line[(slash + 1)..end];
                if (mounted == path || mounted.StartsWith(path.TrimEnd('/') + "/", StringComparison.Ordinal))
                {
                    found.Add(line[..slash]);
                }
            }
        }

        // An NFSv4 client is known by its address only, not by what it has mounted.
        found.AddRange(_reply.All("client").Select(a => a.Trim('"')).Select(a => a.LastIndexOf(':') is var port and > 0 ? a[..port].Trim('[', ']') : a));
        return [.. found.Distinct(StringComparer.Ordinal).Where(host => ExportClient.May(client, host))];
    }

    private IReadOnlyList<string> Lacking(string key) => FirewallZone is null or "trusted" ? []
        : [.. FirewallServices.Except((_reply.Text(key) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    // NFSv4 takes the first alone; mounting as NFSv3, and exportfs -s from elsewhere, the others.
    private static readonly string[] FirewallServices = ["nfs", "mountd", "rpc-bind"];

    public string HostName { get; }

    public bool IsRoot => _reply.Text("uid")?.Trim() == "0";

    public OsRelease OsRelease { get; }

    public IReadOnlyList<HostMount> Mounts { get; }

    public bool Installed => _reply.Text("tool.exportfs") is { Length: > 0 };

    public HostFile? Exports { get; }

    public IReadOnlyList<HostFile> DropIns { get; }

    /// <summary>What is exported now.</summary>
    public IReadOnlyList<ExportTableEntry> Live { get; }

    /// <summary>Mode and owner ("uid gid mode") of a directory that was asked about; null if it is none.</summary>
    public string? Directory(string path) =>
        _reply.All("dir").Select(line => line.Split(' ', 4)).Where(words => words.Length == 4 && words[3] == path)
            .Select(words => string.Join(' ', words[..3])).FirstOrDefault();

    /// <summary>Whether something that is no directory has this name.</summary>
    public bool IsOther(string path) => _reply.All("notdir").Contains(path, StringComparer.Ordinal);

    public bool IsMountPoint(string path) => Mounts.Any(m => m.MountPoint == path);

    /// <summary>
    /// The units that serve NFS here, as the distribution names them: EL7 needs rpcbind, nfs-server, nfs-lock and nfs-idmap, later ones
    /// bring what they need with nfs-server; Debian calls it nfs-kernel-server, SUSE nfsserver.
    /// </summary>
    public IReadOnlyList<ServerUnit> ServingUnits
    {
        get
        {
            string[] wanted = OsRelease.Family == HostFamily.RedHat && OsRelease.VersionId.Split('.')[0] == "7"
                ? ["rpcbind.service", "nfs-server.service", "nfs-lock.service", "nfs-idmap.service"]
                : ["nfs-server.service", "nfs-kernel-server.service", "nfsserver.service"];
            var found = wanted.Select(name => _units.Value.FirstOrDefault(u => u.Loaded && (u.Id == name || u.Names.Contains(name, StringComparer.Ordinal))))
                .OfType<ServerUnit>().DistinctBy(u => u.Id).ToList();
            return wanted[0] == "rpcbind.service" ? found : [.. found.Take(1)];
        }
    }

    private List<ServerUnit> ParseUnits()
    {
        var units = new List<ServerUnit>();
        foreach (var block in (_reply.Text("units") ?? "").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var values = block.Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
                .ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.Ordinal);
            if (values.TryGetValue("Id", out var id))
            {
                units.Add(new ServerUnit(id, values.GetValueOrDefault("Names", id).Split(' '), values.GetValueOrDefault("LoadState") == "loaded",
                    values.GetValueOrDefault("ActiveState") == "active", values.GetValueOrDefault("UnitFileState", "")));
            }
        }

        return units;
    }
}
