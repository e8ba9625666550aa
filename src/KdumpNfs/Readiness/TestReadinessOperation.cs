using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using KdumpNfs.Ssh;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Readiness;

/// <summary>Test-KdumpReadiness: whether a crash of a host now would end as a usable vmcore. Two round trips, two more with <see cref="Probe"/>.
/// Nothing on the host is changed; the probe writes and removes one small file on the store.</summary>
public sealed class TestReadinessOperation(HostAccess access)
{
    // As a change of the target mounts it: soft and timed, so that a dead server gives an error and not a hanging host.
    private const string ProbeMountOptions = "soft,nolock,tcp,timeo=100,retrans=1,retry=0";

    private static readonly string[] NeedProbe = [ExportMountable, DumpPathExists, DumpPathWritable, FreeSpace];

    /// <summary>Also mounts the target from the host, writes there, and counts how large a dump would be. Needs root.</summary>
    public bool Probe { get; init; }

    /// <summary>How many hosts mount a store for the probe at once, whatever the throttle says.</summary>
    public SharedLimit Stores { get; init; } = new(SharedLimit.DefaultForStores);

    /// <summary>Where dumps are to go; null to accept any network target.</summary>
    public KdumpTarget? ExpectedTarget { get; init; }

    /// <summary>Looks at one host. A host on which something is wrong is a result, not an error.</summary>
    /// <exception cref="HostException">The host could not be asked; NotRoot: the probe needs root.</exception>
    public async Task<HostReadiness> RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var result = await ReadAsync(connection, context, cancellationToken).ConfigureAwait(false);
            foreach (var check in result.Checks.Where(check => check.Outcome != CheckOutcome.Pass))
            {
                context.Verbose(check.ToString());
            }

            return result;
        }
    }

    /// <summary>The same over a connection that is there.</summary>
    internal async Task<HostReadiness> ReadAsync(IHostConnection connection, HostContext context, CancellationToken cancellationToken)
    {
        var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        if (Probe && !facts.IsRoot)
        {
            throw new HostException(ErrorIds.NotRoot, facts.HostName, "Mounting the export needs root.")
            {
                Remedy = "Connect as root, use -Sudo with an account that may run sudo, or leave out -Probe.",
            };
        }

        var status = KdumpStatus.From(facts, ExpectedTarget);
        var view = KdumpConfiguration.Read(facts);
        var conf = facts is { Family: HostFamily.RedHat, Configuration: { } redHat } ? KdumpConf.Parse(redHat.Content.Span) : null;
        var script = new RemoteScript(
            HostScript.Load("crashkernelfacts", [("tree", ""), ("estimate", "0"), .. Values(facts, view, conf)]).Text + HostScript.Read("readiness"));
        var sent = DateTimeOffset.UtcNow;
        var reply = await HostReply.RunAsync(connection, script, cancellationToken).ConfigureAwait(false);
        var received = DateTimeOffset.UtcNow;
        var probe = Probe ? await ProbeAsync(connection, facts, view, conf, context, cancellationToken).ConfigureAwait(false) : null;
        var count = Probe ? await CountAsync(connection, view, context, cancellationToken).ConfigureAwait(false) : null;
        return Judge(new ReadinessInput
        {
            Facts = facts,
            Status = status,
            View = view,
            Conf = conf,
            Defaults = facts is { Family: HostFamily.Debian, Configuration: { } debian } ? KdumpToolsDefaults.Parse(debian.Content.Span) : null,
            Reservation = GetCrashKernelOperation.Describe(new CrashKernelFacts(facts.HostName, reply)),
            More = new ReadinessFacts(reply, probe),
            Image = ImageContent.Read(reply),
            Estimate = count?.Estimate,
            CoarseReason = count?.CoarseReason,
            Probe = Probe,
            Sent = sent,
            Received = received,
        });
    }

    /// <summary>Makes every check from what was read.</summary>
    internal static HostReadiness Judge(ReadinessInput input)
    {
        var report = new ReadinessReport();
        HostChecks.Judge(input, report);
        if (input.Supported)
        {
            ImageChecks.Judge(input, report);
            TargetChecks.Judge(input, report);
            SurroundingChecks.Judge(input, report);
        }

        var checks = report.All(input.Supported ? $"Not judged for the {input.Facts.Family} family." : "The host's dump mechanism is not judged.");
        var failed = checks.Any(check => check.Outcome == CheckOutcome.Fail);
        var proven = checks.Any(check => check is { Name: LastDrill, Outcome: CheckOutcome.Pass });
        var probed = input.Probe && checks.Where(check => input.Target?.Kind == KdumpTargetKind.Ssh ? check.Name is DumpPathExists or DumpPathWritable : NeedProbe.Contains(check.Name))
            .All(check => check.Outcome is CheckOutcome.Pass or CheckOutcome.Warn);
        return new HostReadiness
        {
            HostName = input.Facts.HostName,
            Passed = !failed,
            State = !input.Supported ? KdumpState.NotSupported : failed ? KdumpState.NotReady : proven ? KdumpState.Proven : probed ? KdumpState.Probed : KdumpState.Configured,
            Checks = checks,
            Probe = input.Probe,
            Target = input.Target,
            StoreAddresses = [.. input.More.Resolved.Distinct(StringComparer.Ordinal)],
            StoreFreeBytes = input.More.Space?.Free,
            StoreTotalBytes = input.More.Space?.Total is > 0 and var total ? total : null,
            EstimateBytes = input.Estimate?.HighBytes,
            EstimateCoarse = input.CoarseReason is not null,
            LastDrill = input.Facts.LastDrill,
            Status = input.Status,
            MachineId = input.Facts.MachineId,
            BootId = input.Facts.BootId,
            CheckedAt = DateTimeOffset.Now,
        };
    }

    private static (string, string)[] Values(HostFacts facts, KdumpConfigurationView? view, KdumpConf? conf)
    {
        var collector = view?.Collector;
        var words = collector?.ToString().Trim() ?? "";
        // kdumpctl asks makedumpfile whether it takes the arguments (verify_core_collector of mkdumprd); a stream has no file to go to.
        var arguments = collector is not { IsMakedumpfile: true } ? ""
            : facts.Family == HostFamily.Debian ? words
            : words.Contains(' ', StringComparison.Ordinal) ? words[(words.IndexOf(' ', StringComparison.Ordinal) + 1)..] : "";
        return
        [
            ("family", facts.Family switch { HostFamily.RedHat => "rhel", HostFamily.Debian => "debian", _ => "other" }),
            ("image", facts.Image?.Path ?? ""),
            ("watched", conf is null ? "" : string.Join('\n', ImageChecks.Programs(conf))),
            ("extra_modules", conf?.Get("extra_modules") ?? ""),
            ("collector", collector?.Program ?? ""),
            ("collector_args", arguments),
            ("collector_files", collector?.Flattened == true ? "vmcore" : "vmcore dumpfile"),
            ("server", view?.Target.Store ?? ""),
        ];
    }

    private async Task<HostReply> ProbeAsync(
        IHostConnection connection, HostFacts facts, KdumpConfigurationView? view, KdumpConf? conf, HostContext context, CancellationToken cancellationToken)
    {
        var target = view?.Target;
        var export = target is { Kind: KdumpTargetKind.Nfs, Export: not null };
        var ssh = target is { Kind: KdumpTargetKind.Ssh, User: not null, Store: not null };
        var key = conf?.Get("sshkey") ?? (facts is { Family: HostFamily.Debian, Configuration: { } file } ? KdumpToolsDefaults.Parse(file.Content.Span).SshKey : KdumpConf.DefaultSshKey);
        context.Progress("Testing readiness", export ? $"Mounting {target!.Location}" : "Probing");
        var script = HostScript.Load("readinessprobe",
            ("check_text", export ? HostScript.Read("checkexport") : ""),
            ("mount_source", export ? $"{KdumpTarget.Bracketed(target!.Store!)}:{target.Export}" : ""),
            ("inside", export && facts.Family != HostFamily.Debian ? (target!.DumpPath ?? "/").TrimStart('/') : ""),
            ("nfs_options", ProbeMountOptions),
            // A fleet probes one directory at once: each host writes and removes a file of its own.
            ("probe", $".kdumpnfs-probe-{Guid.NewGuid():N}"),
            ("user", ssh ? target!.User! : ""),
            ("server", ssh ? target!.Store! : ""),
            ("key", key),
            ("dump_path", ssh ? target!.DumpPath ?? "/" : ""),
            ("nfs_mounts", string.Join('\n', facts.Mounts.Where(m => m.IsNfs).Select(m => m.MountPoint))));
        return await Stores.RunForStoreAsync(
            target?.Store, "Testing readiness", context, () => HostReply.RunAsync(connection, script, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    // A round trip of its own: the count takes seconds on a big host, which must not keep others from the store.
    private static async Task<PageCount?> CountAsync(IHostConnection connection, KdumpConfigurationView? view, HostContext context, CancellationToken cancellationToken)
    {
        if (view is not { Collector: { IsMakedumpfile: true, DumpLevel: { } level } })
        {
            return null;
        }

        context.Progress("Testing readiness", "Counting pages");
        var reply = await HostReply.RunAsync(connection, HostScript.Load("memusage", ("coarse", "0")), cancellationToken).ConfigureAwait(false);
        try
        {
            return PageCount.Read(reply, level, view.Collector.Compression ?? VmcoreCompression.None);
        }
        catch (HostException e) when (e.ErrorId == ErrorIds.EstimateNotPossible)
        {
            // One check says so; the others do not depend on it.
            context.Verbose(e.Message);
            return null;
        }
    }
}
