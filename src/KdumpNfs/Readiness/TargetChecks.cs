using System.Net;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Readiness;

/// <summary>The target: named, resolvable, mountable, writable, with room for a dump, by a collector that works.</summary>
internal static class TargetChecks
{
    private const string WithoutProbe = "Without -Probe nothing is mounted.";

    public static void Judge(ReadinessInput input, ReadinessReport report)
    {
        var target = input.Target;
        if (input.Status.NotReadyReason.Any(r => r is NotReadyReason.TargetMissing or NotReadyReason.TargetNotNetwork or NotReadyReason.TargetNotExpected) || target is null)
        {
            report.Fail(Target, input.Status.Findings.FirstOrDefault(f => f.Contains("target", StringComparison.OrdinalIgnoreCase) || f.StartsWith("Dumps go", StringComparison.Ordinal))
                ?? $"Dumps go to {target?.ToString() ?? "nowhere"}.", "Set-KdumpNfsTarget.");
        }
        else if (target is { Kind: KdumpTargetKind.Nfs, Export: null })
        {
            report.Fail(Target, $"The NFS target '{Printable.Escape(target.Text)}' is not server:/export.", "Set-KdumpNfsTarget.");
        }
        else
        {
            report.Pass(Target, $"Dumps go to {target}.");
        }

        JudgeName(input, report);
        if (target is { Kind: KdumpTargetKind.Ssh })
        {
            JudgeSsh(input, report);
        }
        else
        {
            JudgeExport(input, report);
        }

        JudgeSecurity(input, report);
        JudgeSpace(input, report);
        JudgeCollector(input, report);
    }

    private static void JudgeName(ReadinessInput input, ReadinessReport report)
    {
        if (input.Target?.Store is not { } store)
        {
            report.NotChecked(TargetResolves, "The target names no server.");
        }
        else if (input.More.Resolved.Count == 0)
        {
            report.Fail(TargetResolves, $"The host does not resolve '{Printable.Escape(store)}'.", "Mend DNS or /etc/hosts on the host, or name the store by its address.");
        }
        else if (input.More.Route("dev") is not { } device)
        {
            report.Fail(TargetResolves, $"There is no route to {string.Join(", ", input.More.Resolved.Distinct())}: {input.More.Reply.Text("route")?.Trim()}.", "Mend the host's network.");
        }
        else if (IPAddress.TryParse(store, out _))
        {
            report.Pass(TargetResolves, $"{store} is an address, reached through {device}.");
        }
        else
        {
            report.Pass(TargetResolves, $"{store} is {string.Join(", ", input.More.Resolved.Distinct())}, reached through {device}.");
        }
    }

    private static void JudgeExport(ReadinessInput input, ReadinessReport report)
    {
        void All(string why)
        {
            report.NotChecked(ExportMountable, why);
            report.NotChecked(DumpPathExists, why);
            report.NotChecked(DumpPathWritable, why);
        }

        var where = input.Target?.Location ?? "the target";
        var status = input.More.Probe?.Number("probe.status");
        var words = input.More.ProbeWords.Trim();
        if (input.Target is not { Kind: KdumpTargetKind.Nfs, Export: not null })
        {
            All("The target is not an NFS export.");
        }
        else if (!input.Probe)
        {
            All(WithoutProbe);
        }
        else if (status is null or not (0 or 92 or 93))
        {
            var hint = words.Contains("access denied", StringComparison.OrdinalIgnoreCase) ? "The store does not export it to this host: Get-NfsExport on the store, Enable-NfsExport for this host's address."
                : "Look at the NFS server, its exports (Get-NfsExport) and the firewall between them.";
            report.Fail(ExportMountable, $"{where} cannot be mounted from the host: {(words.Length == 0 ? $"exit status {status}" : words)}.", hint);
            report.NotChecked(DumpPathExists, "The export cannot be mounted.");
            report.NotChecked(DumpPathWritable, "The export cannot be mounted.");
        }
        else
        {
            report.Pass(ExportMountable, $"{where} was mounted from the host ({input.More.MountOptions}).");
            if (status == 92)
            {
                report.Fail(DumpPathExists, $"{words}.", "Enable-NfsExport -DumpPath … -CreateDirectory on the store, or Set-KdumpNfsTarget -CreatePath.");
                report.NotChecked(DumpPathWritable, "The directory does not exist.");
                return;
            }

            report.Pass(DumpPathExists, $"The directory {input.Target.DumpPath ?? input.Target.Export} is there.");
            if (status == 0)
            {
                report.Pass(DumpPathWritable, "The host's root wrote a file there and removed it.");
            }
            else if (IsFull(words))
            {
                report.NotChecked(DumpPathWritable, $"The store is full: {words}.");
            }
            else
            {
                report.Fail(DumpPathWritable, $"The host's root cannot write there: {words}.",
                    "The store probably squashes root, or is read-only: Enable-NfsExport -Option rw,sync,no_root_squash,no_subtree_check, or give the directory to the account that it maps root to.");
            }
        }
    }

    private static void JudgeSsh(ReadinessInput input, ReadinessReport report)
    {
        report.NotChecked(ExportMountable, "The target is an account on a server, not an export.");
        var probe = input.More.Probe;
        var words = probe?.Text("ssh.words")?.Trim();
        if (!input.Probe || probe is null)
        {
            report.NotChecked(DumpPathExists, WithoutProbe);
            report.NotChecked(DumpPathWritable, WithoutProbe);
        }
        else if (probe.Number("ssh.status") != 0)
        {
            report.Fail(DumpPathExists, $"root of the host cannot make or find {input.Target!.Location} with its dump key: {(string.IsNullOrEmpty(words) ? $"ssh ended with status {probe.Text("ssh.status")}" : words)}.",
                "Set-KdumpSshTarget installs the key and pins the store's host key.");
            report.NotChecked(DumpPathWritable, "The directory was not reached.");
        }
        else
        {
            report.Pass(DumpPathExists, $"{input.Target!.Location} is there.");
            if (probe.Number("ssh.write") == 0)
            {
                report.Pass(DumpPathWritable, "A directory was made there and removed.");
            }
            else
            {
                report.Fail(DumpPathWritable, "Nothing can be made there with the host's dump key.", "Give the directory on the store to the account that receives dumps.");
            }
        }
    }

    private static void JudgeSecurity(ReadinessInput input, ReadinessReport report)
    {
        if (input.Target is not { Kind: KdumpTargetKind.Nfs } target)
        {
            report.NotChecked(SecurityFlavour, "The target is not NFS.");
            return;
        }

        var places = new List<(string Where, string Options)>();
        if (input.Image?.MountOptions is { } baked)
        {
            places.Add(("inside the capture image", baked));
        }

        foreach (var line in input.Facts.NfsFstab.Split('\n').Select(l => l.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)))
        {
            if (line.Length >= 4 && line[0][0] != '#' && KdumpTarget.ParseNfs(HostMount.Unescape(line[0]), null) is { Store: { } store, Export: { } export } &&
                string.Equals(store, target.Store, StringComparison.OrdinalIgnoreCase) && KdumpTarget.NormalPath(export) == KdumpTarget.NormalPath(target.Export ?? "/"))
            {
                places.Add(("in /etc/fstab", line[3]));
            }
        }

        if (input.Conf?.Get("dracut_args") is { } dracut)
        {
            places.Add(("in dracut_args", dracut));
        }

        if (input.More.MountOptions is { } probed)
        {
            places.Add(("by the probe's mount", probed));
        }

        var flavours = places.SelectMany(p => p.Options.Split([',', ' ', '"', '\''], StringSplitOptions.RemoveEmptyEntries)
            .Where(o => o.StartsWith("sec=", StringComparison.Ordinal)).Select(o => (p.Where, Flavour: o["sec=".Length..]))).ToList();
        if (flavours.FirstOrDefault(f => f.Flavour.StartsWith("krb5", StringComparison.Ordinal)) is { Where: not null } kerberos)
        {
            report.Fail(SecurityFlavour, $"sec={kerberos.Flavour} is asked for {kerberos.Where}: a capture kernel has no ticket, keytab or rpc.gssd.",
                "Export the dump directory to this host with sec=sys, in a directory that holds nothing else.");
        }
        else if (flavours.Count > 0)
        {
            report.Pass(SecurityFlavour, $"sec={flavours[^1].Flavour} {flavours[^1].Where}.");
        }
        else if (input.Probe && input.More.MountOptions is { } options)
        {
            report.Pass(SecurityFlavour, $"Mounted without Kerberos ({options}).");
        }
        else
        {
            report.NotChecked(SecurityFlavour, input.Probe ? "The export was not mounted." : "No flavour is asked for; what the store offers is seen with -Probe.");
        }
    }

    private static void JudgeSpace(ReadinessInput input, ReadinessReport report)
    {
        if (!input.Probe)
        {
            report.NotChecked(FreeSpace, WithoutProbe);
            return;
        }

        if (input.More.Space is not { } space)
        {
            report.NotChecked(FreeSpace, "The target was not reached.");
            return;
        }

        var free = $"{HostChecks.MiB(space.Free)} are free" + (space.Total > 0 ? $" of {HostChecks.MiB(space.Total)}" : "");
        const string Room = "Make room on the store (Remove-Vmcore), or leave out more (-DumpLevel).";
        if (IsFull(input.More.ProbeWords))
        {
            report.Fail(FreeSpace, $"The store is full: not even the probe's file could be written; {free}.", Room);
        }
        else if (input.Estimate is not { } estimate)
        {
            // Neither a count nor a collector whose dump can be told: no dump is larger than the host's memory.
            var why = input.View is { Collector: { IsMakedumpfile: true, DumpLevel: not null } } ? "what a dump would hold could not be counted" : "the core collector's dump cannot be estimated";
            if (input.Facts.MemoryBytes is { } memory && memory <= space.Free)
            {
                report.Pass(FreeSpace, $"{free}, more than the host has memory ({HostChecks.MiB(memory)}).");
            }
            else
            {
                report.Warn(FreeSpace, $"{free}; {why}, and the host has {HostChecks.MiB(input.Facts.MemoryBytes ?? 0)} of memory.", "Make room for all of it (Remove-Vmcore), or use makedumpfile (Set-KdumpNfsTarget -DumpLevel 31).");
            }
        }
        else
        {
            var needs = $"{HostChecks.MiB(estimate.LowBytes)} to {HostChecks.MiB(estimate.HighBytes)}" + (input.CoarseReason is { } coarse ? $" (coarse: {Printable.Escape(coarse.TrimEnd('.'))})" : "");
            if (space.Free < estimate.LowBytes)
            {
                report.Fail(FreeSpace, $"{free}; a dump needs {needs}.", Room);
            }
            else if (space.Free < estimate.HighBytes)
            {
                report.Warn(FreeSpace, $"{free}; a dump needs {needs}.", Room);
            }
            else
            {
                report.Pass(FreeSpace, $"{free}; a dump needs {needs}.");
            }
        }
    }

    private static void JudgeCollector(ReadinessInput input, ReadinessReport report)
    {
        if (input.View is not { } view)
        {
            report.NotChecked(ReadinessCheckNames.CoreCollector, "There is no configuration.");
            return;
        }

        var (collector, reply) = (view.Collector, input.More.Reply);
        var makedumpfile = input.Facts.MakedumpfileVersion;
        var checkedStatus = reply.Number("params.status");
        var words = reply.Text("params") ?? "";
        // makedumpfile before 1.7.1 has no --check-params.
        var refused = checkedStatus is not (null or 0) && !words.Contains("check-params", StringComparison.Ordinal);
        if (collector.Problem is { } problem)
        {
            report.Fail(ReadinessCheckNames.CoreCollector, $"makedumpfile refuses '{collector}': {problem}.", "Correct the core collector: Set-KdumpNfsTarget -DumpLevel -Compression.");
        }
        else if (string.IsNullOrWhiteSpace(reply.Text("collector.path")))
        {
            report.Fail(ReadinessCheckNames.CoreCollector, $"'{Printable.Escape(collector.Program)}' is not installed.", "Install it, or name makedumpfile as the core collector.");
        }
        else if (!collector.IsMakedumpfile)
        {
            report.Warn(ReadinessCheckNames.CoreCollector, $"'{Printable.Escape(collector.ToString())}' is not makedumpfile: a dump has the size of the host's memory.", "Use makedumpfile unless that is meant.");
        }
        else if (collector.Compression is { } compression && makedumpfile is not null && !makedumpfile.Compressions.Contains(compression))
        {
            report.Fail(ReadinessCheckNames.CoreCollector, $"makedumpfile {makedumpfile.Version} there was built without {compression}: it writes uncompressed pages and calls that success.",
                $"Set-KdumpNfsTarget -Compression {string.Join(" or ", makedumpfile.Compressions.Where(c => c != VmcoreCompression.None))}.");
        }
        else if (refused)
        {
            report.Fail(ReadinessCheckNames.CoreCollector, words.Trim() is { Length: > 0 } said ? $"makedumpfile refuses '{collector}': {said}." : $"makedumpfile refuses '{collector}', and does not say why.", "Correct the core collector.");
        }
        else if (input.Facts.Family == HostFamily.RedHat && view.Target.Kind is KdumpTargetKind.Ssh or KdumpTargetKind.Raw && !collector.Flattened)
        {
            report.Fail(ReadinessCheckNames.CoreCollector, $"'{collector}' has no -F, which an ssh or raw target needs.", "Set-KdumpSshTarget adds it.");
        }
        else
        {
            report.Pass(ReadinessCheckNames.CoreCollector, $"makedumpfile {makedumpfile?.Version} takes '{collector}'{(checkedStatus == 0 ? ", it says so itself" : "")}.");
        }
    }

    private static bool IsFull(string words) =>
        words.Contains("No space left", StringComparison.OrdinalIgnoreCase) || words.Contains("Disk quota exceeded", StringComparison.OrdinalIgnoreCase);
}
