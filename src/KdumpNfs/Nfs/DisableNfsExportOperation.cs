using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Nfs;

/// <summary>Disable-NfsExport: one client's export of one directory ends, in the files and now. Directories and dumps stay.</summary>
public sealed class DisableNfsExportOperation
{
    private const string ExportsPath = "/etc/exports";
    private readonly HostAccess _access;
    private readonly string _path;
    private readonly string _client;

    /// <summary>Checks what was asked for.</summary>
    /// <param name="access">How servers are reached.</param>
    /// <param name="exportPath">The exported directory.</param>
    /// <param name="client">The client, as the export names it.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public DisableNfsExportOperation(HostAccess access, string exportPath, string client)
    {
        ExportClient.Check(client);
        (_access, _path, _client) = (access, TargetInput.CheckDirectory(exportPath, "export path"), client);
    }

    /// <summary>Also while hosts have it mounted: what they write fails from then on.</summary>
    public bool Force { get; init; }

    /// <summary>Works on one storage server; nothing is given if the answer was no.</summary>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await _access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await NfsServerFacts.ReadAsync(connection, _path, null, _client, cancellationToken).ConfigureAwait(false);
            var changes = Changes(facts);
            var live = facts.Live.Any(e => e.Path == _path && string.Equals(e.Client, _client, StringComparison.OrdinalIgnoreCase));
            var mounted = live ? facts.MountedBy(_path, _client) : [];
            var result = new NfsExportRemoval
            {
                HostName = host.HostName,
                Changed = changes.Count > 0 || live,
                ExportPath = _path,
                Client = _client,
                File = [.. changes.Select(c => c.Old.Path)],
                WasLive = live,
                MountedBy = mounted,
                Diff = string.Join('\n', changes.Select(c => UnifiedDiff.Show(c.Old.Content.Span, c.New, c.Old.Path, c.Old.Path))),
            };
            if (!result.Changed)
            {
                context.Output(result);
                return;
            }

            Check(context, facts, mounted);
            var question = new ChangeQuestion(host.HostName, $"Stop exporting {_path} to {_client}")
            {
                Description = string.Join('\n', new[] { result.Diff, live ? $"takes {_client}:{_path} out of the live exports" : "" }.Where(l => l.Length > 0)),
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName);
            }

            var reply = await new HostJob(_access, host, context).RunAsync(connection, "Ending the NFS export", Compose(changes, live), cancellationToken).ConfigureAwait(false);
            if (HostJob.FailureOf(reply, host.HostName) is { } failure)
            {
                throw Explain(failure);
            }

            if (ExportTable.Parse(reply.Text("live") ?? "").Any(e => e.Path == _path && string.Equals(e.Client, _client, StringComparison.OrdinalIgnoreCase)))
            {
                throw new HostException(ErrorIds.ExportFailed, host.HostName, $"{_path} is still exported to {_client} after the change.") { HostSaid = reply.Text("live"), Remedy = "Look at exportfs -v on the server." };
            }

            context.Output(result with { Backup = reply.All("backup") });
        }
    }

    private List<(HostFile Old, byte[] New, bool Empty)> Changes(NfsServerFacts facts)
    {
        var changes = new List<(HostFile, byte[], bool)>();
        foreach (var file in facts.DropIns.Prepend(facts.Exports).OfType<HostFile>())
        {
            var content = ExportsDocument.Parse(file.Content.Span).WithoutClient(_path, _client).ToBytes();
            if (!file.Content.Span.SequenceEqual(content))
            {
                // A drop-in that is ours by its name goes with its last entry; others stay, and so does /etc/exports.
                var ours = file.Path.StartsWith("/etc/exports.d/kdumpnfs", StringComparison.Ordinal) && content.All(b => b is (byte)' ' or (byte)'\t' or (byte)'\n');
                changes.Add((file, content, ours));
            }
        }

        return changes;
    }

    private void Check(HostContext context, NfsServerFacts facts, IReadOnlyList<string> mounted)
    {
        if (mounted.Count > 0 && !Force)
        {
            throw new HostException(ErrorIds.ExportInUse, facts.HostName, $"{_path} is mounted, or may be, by {string.Join(", ", mounted.Take(20))}{(mounted.Count > 20 ? $" and {mounted.Count - 20} more" : "")}: a dump may be on its way.")
            {
                Remedy = "Wait until the hosts are done (Get-Vmcore shows dumps in state Writing), aim them elsewhere (Set-KdumpNfsTarget), or end it all the same with -Force.",
            };
        }

        if (mounted.Count > 0)
        {
            context.Warning($"{_path} of {facts.HostName} is mounted, or may be, by {string.Join(", ", mounted)}: what they write fails from now on.");
        }
        else if (!facts.KnowsClients)
        {
            context.Warning($"The kernel of {facts.HostName} does not tell of NFSv4 clients: whether {_path} is mounted is not known.");
        }
    }

    private string Compose(List<(HostFile Old, byte[] New, bool Empty)> changes, bool live)
    {
        var values = new List<(string, string)>
        {
            ("export_path", _path), ("client", _client), ("live", live ? "1" : "0"), ("files", changes.Count.ToString(CultureInfo.InvariantCulture)),
            ("stamp", DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)),
        };
        for (var i = 0; i < changes.Count; i++)
        {
            var (old, @new, empty) = changes[i];
            values.AddRange([($"file_{i + 1}", old.Path), ($"sha_{i + 1}", old.Sha256), ($"old_{i + 1}", Convert.ToBase64String(old.Content.Span)),
                ($"new_{i + 1}", Convert.ToBase64String(@new)), ($"empty_{i + 1}", empty ? "1" : "0")]);
        }

        return HostJob.Compose("disableexport", [.. values]);
    }

    private HostException Explain(HostException failure)
    {
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.FileChanged => ($"{ExportsPath} or a file beside it is not what the plan was made from. Nothing was changed.", "Somebody else edits it: look who, then run the command again."),
            var id when WriteFailure.Is(id) => ("A file could not be written; the exports are as they were.", WriteFailure.Remedy(id)),
            ErrorIds.ExportFailed => ($"{_path} could not be taken from {_client}; the files are as they were.", "Read the server's words above."),
            _ => (failure.What, "Run the command again with -Verbose."),
        };
        return new HostException(failure.ErrorId, failure.HostName, what) { HostSaid = failure.HostSaid, Remedy = remedy };
    }
}
