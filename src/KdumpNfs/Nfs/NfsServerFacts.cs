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

    private NfsServerFacts(string hostName, HostReply reply)
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

    public static async Task<NfsServerFacts> ReadAsync(IHostConnection connection, string exportPath, string? dumpDirectory, CancellationToken cancellationToken) =>
        new(connection.Host.HostName, await HostReply.RunAsync(connection,
            HostScript.Load("nfsfacts", ("export_path", exportPath), ("dump_dir", dumpDirectory ?? "")), cancellationToken).ConfigureAwait(false));

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
