using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Nfs;

/// <summary>Enable-NfsExport: directories, one entry of /etc/exports, that one export, the services.</summary>
public sealed class EnableNfsExportOperation(HostAccess access, NfsExportRequest request)
{
    private const string ExportsPath = "/etc/exports";

    /// <summary>Installs the NFS server where it is missing; nothing is upgraded or removed.</summary>
    public bool Install { get; init; }

    /// <summary>With <see cref="Install"/>: fetches the package lists first.</summary>
    public bool Refresh { get; init; }

    /// <summary>Lets NFS through a running firewalld, now and after its next start: the services nfs, mountd and rpc-bind that are missing.</summary>
    public bool OpenFirewall { get; init; }

    /// <summary>Works on one storage server; nothing is given if the answer was no.</summary>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<HostPackage> installed = [];
            if (!facts.Installed && Install)
            {
                if (await InstallAsync(connection, host, facts, context, cancellationToken).ConfigureAwait(false) is not { } came)
                {
                    return;
                }

                installed = came;
                facts = await ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            }

            Check(facts);
            var old = facts.Exports?.Content ?? default;
            var changed = ExportsDocument.Parse(old.Span).WithClient(request.ExportPath, request.Client, request.Option).ToBytes();
            var writes = facts.Exports is null || !facts.Exports.Content.Span.SequenceEqual(changed);
            var diff = writes ? UnifiedDiff.Show(old.Span, changed, ExportsPath, ExportsPath) : "";
            var units = facts.ServingUnits;
            var enable = units.Where(u => u.Enabled == "disabled").Select(u => u.Id).ToList();
            var start = units.Where(u => !u.Active).Select(u => u.Id).ToList();
            var makesDump = request.DumpDirectory is { } dump && facts.Directory(dump) != "0 0 700";
            var exported = ExportTable.Has(facts.Live, request.ExportPath, request.Client, request.Option);
            var makesPath = facts.Directory(request.ExportPath) is null;
            string[] opens = OpenFirewall ? [.. facts.FirewallLacks.Union(facts.FirewallLacksLater)] : [];

            Warn(context, facts);
            if (!writes && exported && enable.Count == 0 && start.Count == 0 && !makesDump && !makesPath && opens.Length == 0)
            {
                context.Output(Result(host, installed.Count > 0, null, "") with { Installed = installed });
                return;
            }

            if (writes && HostMount.LostAtReboot(facts.Mounts, facts.HostName) is { } lost)
            {
                context.Warning($"{lost}.");
            }

            var question = new ChangeQuestion(host.HostName, $"Export {request.ExportPath} to {request.Client} ({string.Join(',', request.Option)})")
            {
                Description = string.Join('\n', new[] { Describe(diff, makesPath, makesDump, enable, start) }.Concat(opens.Select(o => $"lets {o} through the firewall (zone {facts.FirewallZone})")).Where(l => l.Length > 0)),
                Danger = ExportClient.KindOf(request.Client) is ExportClientKind.World or ExportClientKind.Wildcard
                    ? $"Every host that matches '{request.Client}' could mount {request.ExportPath} of {host.HostName}" + (Squashes ? "." : " and its root could read and delete every dump.")
                    : null,
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName);
            }

            var stamp = DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
            var job = HostJob.Compose("enableexport",
                ("export_path", request.ExportPath), ("dump_dir", request.DumpDirectory ?? ""),
                ("create_directory", request.CreateDirectory ? "1" : "0"), ("make_dump_dir", makesDump ? "1" : "0"),
                ("write", writes ? "1" : "0"), ("file", ExportsPath), ("old_sha", facts.Exports?.Sha256 ?? ""),
                ("old_data", Convert.ToBase64String(old.Span)), ("new_data", Convert.ToBase64String(changed)), ("stamp", stamp),
                ("client", request.Client), ("options", string.Join(',', request.Option)),
                ("units_enable", string.Join(' ', enable)), ("units_start", string.Join(' ', start)), ("was_exported", exported ? "1" : "0"),
                ("zone", facts.FirewallZone ?? ""), ("opens_now", OpenFirewall ? string.Join(' ', facts.FirewallLacks) : ""), ("opens_later", OpenFirewall ? string.Join(' ', facts.FirewallLacksLater) : ""));
            var reply = await new HostJob(access, host, context).RunAsync(connection, "Enabling the NFS export", job, cancellationToken).ConfigureAwait(false);
            if (HostJob.FailureOf(reply, host.HostName) is { } failure)
            {
                throw Explain(failure);
            }

            if (!ExportTable.Has(ExportTable.Parse(reply.Text("live") ?? ""), request.ExportPath, request.Client, request.Option))
            {
                throw new HostException(ErrorIds.ExportFailed, host.HostName, $"{request.ExportPath} is not in the server's table of exports after the change.")
                {
                    HostSaid = reply.Text("words") + "\n" + reply.Text("live"),
                    Remedy = "Look at exportfs -v and at the NFS server's journal on the host.",
                };
            }

            context.Output(Result(host, true, reply, diff) with { Installed = installed, FirewallOpened = opens });
        }
    }

    private Task<NfsServerFacts> ReadAsync(IHostConnection connection, CancellationToken cancellationToken) =>
        NfsServerFacts.ReadAsync(connection, request.ExportPath, request.DumpDirectory, request.Client, cancellationToken);

    // Null when the answer was no. The export itself is asked about afterwards: what it takes is seen only once the server is there.
    private async Task<IReadOnlyList<HostPackage>?> InstallAsync(IHostConnection connection, SshHost host, NfsServerFacts facts, HostContext context, CancellationToken cancellationToken)
    {
        var packages = PackagePlan.NfsServer(facts.OsRelease);
        if (packages.Count == 0)
        {
            throw NotInstalled(facts);
        }

        var reply = await HostReply.RunAsync(connection, new RemoteScript(HostScript.Read("common") + PackagePlan.Script(packages)), cancellationToken).ConfigureAwait(false);
        var plan = PackagePlan.Create(host.HostName, reply, packages, Refresh);
        var old = facts.Exports?.Content ?? default;
        var diff = UnifiedDiff.Show(old.Span, ExportsDocument.Parse(old.Span).WithClient(request.ExportPath, request.Client, request.Option).ToBytes(), ExportsPath, ExportsPath);
        var question = new ChangeQuestion(host.HostName, $"Install {string.Join(", ", plan.Missing)} and then export {request.ExportPath} to {request.Client}")
        {
            Description = plan.Describe() + "\n" + diff,
        };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        if (!facts.IsRoot)
        {
            throw HostRequirement.NotRoot(host.HostName);
        }

        var job = HostScript.Read("packages") + HostJob.Compose("installpackages", ("missing", string.Join(' ', plan.Missing)), ("refresh", Refresh ? "1" : "0"));
        var done = await new HostJob(access, host, context).RunAsync(connection, "Installing the NFS server", job, cancellationToken).ConfigureAwait(false);
        return HostJob.FailureOf(done, host.HostName) is { } failure
            ? throw PackagePlan.Explain(failure, plan.Missing) ?? failure
            : PackagePlan.Installed(done);
    }

    internal static HostException NotInstalled(NfsServerFacts facts) => new(ErrorIds.NfsServerNotInstalled, facts.HostName, "There is no NFS server: exportfs is missing.")
    {
        Remedy = "Enable-NfsExport -Install brings it (" + (PackagePlan.NfsServer(facts.OsRelease) is { Count: > 0 } names ? string.Join(", ", names) : "nfs-utils or nfs-kernel-server") + ").",
    };

    private bool Squashes => !new ExportClient(request.Client, request.Option).NoRootSquash;

    private void Check(NfsServerFacts facts)
    {
        if (!facts.Installed)
        {
            throw NotInstalled(facts);
        }

        if (facts.ServingUnits.Count == 0)
        {
            throw new HostException(ErrorIds.NfsServerNotInstalled, facts.HostName, "systemd knows no NFS server here.") { Remedy = "Install the NFS server's package, or export on a host with systemd." };
        }

        foreach (var path in new[] { request.ExportPath, request.DumpDirectory }.OfType<string>())
        {
            if (facts.IsOther(path))
            {
                throw new HostException(ErrorIds.ExportPathMissing, facts.HostName, $"{path} exists and is not a directory.") { Remedy = "Choose another path." };
            }
        }

        if (facts.Directory(request.ExportPath) is null && !request.CreateDirectory)
        {
            throw new HostException(ErrorIds.ExportPathMissing, facts.HostName, $"{request.ExportPath} does not exist.") { Remedy = "Mount the data disk, or make the directory with -CreateDirectory." };
        }

        if (request.RequireMount && !facts.IsMountPoint(request.ExportPath))
        {
            throw new HostException(ErrorIds.NotAMountPoint, facts.HostName,
                $"{request.ExportPath} is not a mount of its own: dumps would fill the file system of {HostMount.Of(facts.Mounts, request.ExportPath)?.MountPoint ?? "/"}.")
            {
                Remedy = "Mount the data disk there, export its mount point, or leave -RequireMount out.",
            };
        }
    }

    private void Warn(HostContext context, NfsServerFacts facts)
    {
        if (new ExportClient(request.Client, request.Option).Warning is { } warning)
        {
            context.Warning($"{request.ExportPath} on {facts.HostName}: {warning}");
        }

        if (facts.FirewallLacks.Count > 0 && !OpenFirewall)
        {
            context.Warning($"The firewall of {facts.HostName} (zone {facts.FirewallZone}) does not let {string.Join(", ", facts.FirewallLacks)} in; -OpenFirewall does.");
        }

        foreach (var problem in ExportsDocument.Parse((facts.Exports?.Content ?? default).Span).Problems)
        {
            context.Warning($"{ExportsPath} on {facts.HostName}: {problem}");
        }
    }

    private string Describe(string diff, bool makesPath, bool makesDump, List<string> enable, List<string> start)
    {
        var lines = new List<string>();
        if (makesPath)
        {
            lines.Add($"makes {request.ExportPath}");
        }

        if (makesDump)
        {
            lines.Add($"makes {request.DumpDirectory}, root only (0700)");
        }

        lines.AddRange(enable.Select(unit => $"enables {unit}"));
        lines.AddRange(start.Select(unit => $"starts {unit}"));
        return string.Join('\n', lines.Append(diff).Where(line => line.Length > 0));
    }

    private HostException Explain(HostException failure)
    {
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.ExportPathMissing => ($"{request.ExportPath} does not exist.", "Mount the data disk, or make the directory with -CreateDirectory."),
            ErrorIds.FileChanged => ($"{ExportsPath} is not the file that the plan was made from. Nothing was changed.", "Somebody else edits it: look who, then run the command again."),
            var id when WriteFailure.Is(id) => ("A file or directory could not be written.", WriteFailure.Remedy(id)),
            ErrorIds.FirewallFailed => ($"{request.ExportPath} is exported, but the firewall could not be opened.", "Read firewalld's words above."),
            ErrorIds.ExportFailed => ($"{request.ExportPath} could not be exported; {ExportsPath} is as it was.", "Read the server's words above; the file system may not be exportable, or an option is unknown to this server."),
            _ => (failure.What, "Run the command again with -Verbose."),
        };
        return new HostException(failure.ErrorId, failure.HostName, what) { HostSaid = failure.HostSaid, Remedy = remedy };
    }

    private NfsExportChange Result(SshHost host, bool changed, HostReply? reply, string diff) => new()
    {
        HostName = host.HostName,
        Changed = changed,
        ExportPath = request.ExportPath,
        DumpPath = request.DumpPath,
        Client = request.Client,
        Option = request.Option,
        Created = reply?.All("created") ?? [],
        Enabled = reply?.All("enabled") ?? [],
        Started = reply?.All("started") ?? [],
        Backup = reply?.Text("backup"),
        Diff = diff,
    };
}
