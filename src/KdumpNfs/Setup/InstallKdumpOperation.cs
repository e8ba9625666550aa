using System.Globalization;
using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Text;

namespace KdumpNfs.Setup;

/// <summary>Install-Kdump: the packages that kdump over NFS takes, and the service from the next boot on. Nothing is upgraded or removed.</summary>
public sealed class InstallKdumpOperation(HostAccess access)
{
    /// <summary>Fetches the package lists first (apt-get update, dnf makecache, zypper refresh).</summary>
    public bool Refresh { get; init; }

    /// <summary>How many hosts start kdump for a store at once: what starts it may build the capture image, and the tools look at the store.</summary>
    public SharedLimit Stores { get; init; } = new(SharedLimit.DefaultForStores);

    /// <summary>Works on one host. Gives a <see cref="KdumpInstallation"/>, or nothing if the answer was no.</summary>
    public async Task RunAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            HostRequirement.SameMachine(host.HostName, facts.MachineId, machineId);
            SetupProbe.CheckSystemd(facts);
            // Which packages these are depends on the distribution: a second look, which asks the package manager.
            var packages = PackagePlan.Kdump(facts.OsRelease);
            if (facts.KdumpInstalled)
            {
                // The tools are there, under whatever package name: only what NFS takes may be missing.
                packages = [.. packages.Where(p => p.StartsWith("nfs-", StringComparison.Ordinal))];
            }
            else if (packages.Count == 0)
            {
                throw new HostException(ErrorIds.NotSupported, host.HostName, $"'{facts.OsRelease.Name}' is of no family whose packages are known.");
            }

            var reply = await HostReply.RunAsync(connection, new RemoteScript(HostScript.Read("common") + PackagePlan.Script(packages)), cancellationToken).ConfigureAwait(false);
            var plan = PackagePlan.Create(host.HostName, reply, packages, Refresh);
            var (old, content) = Configuration(facts);
            var family = facts.KdumpInstalled ? facts.Family : facts.OsRelease.Family;
            var unit = SetupProbe.UnitOf(family);
            var enable = facts.Service?.Enabled != "enabled";
            var start = facts is { ReservedBytes: > 0, OtherMechanism: null } && !(facts.CrashKernelLoaded && facts.Service?.IsActive == true);
            KdumpInstallation Result(HostReply? done) => new()
            {
                HostName = host.HostName,
                Changed = done is not null,
                Installed = done is null ? [] : PackagePlan.Installed(done),
                PackageManager = plan.Missing.Count > 0 ? plan.Manager : "",
                Service = unit,
                Enabled = true,
                Loaded = done?.Flag("loaded") ?? facts.CrashKernelLoaded,
                ReservedBytes = facts.ReservedBytes,
                RebootRequired = facts is { ReservedBytes: 0, OtherMechanism: null },
                Diff = content is null ? "" : UnifiedDiff.Show((old?.Content ?? default).Span, content, facts.ConfigurationPath, facts.ConfigurationPath),
                MachineId = facts.MachineId,
                Family = family,
            };
            if (plan.Missing.Count == 0 && content is null && !enable && !start)
            {
                Tell(context, facts);
                context.Output(Result(null));
                return;
            }

            SetupProbe.WarnOfDiskless(context, facts);
            var question = new ChangeQuestion(host.HostName, plan.Missing.Count > 0 ? $"Install {string.Join(", ", plan.Missing)}" : $"Enable {unit}")
            {
                Description = string.Join('\n', new[] { plan.Describe(), Result(null).Diff, enable ? $"enables {unit}" : "", start ? $"starts {unit}" : "" }.Where(l => l.Length > 0)),
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName);
            }
            var job = HostJob.Compose("installkdump",
                ("missing", string.Join(' ', plan.Missing)), ("refresh", Refresh ? "1" : "0"), ("unit", unit), ("enable", enable ? "1" : "0"), ("start", start ? "1" : "0"),
                ("write", content is null ? "0" : "1"), ("file", facts.ConfigurationPath), ("old_sha", old?.Sha256 ?? ""), ("new_data", Convert.ToBase64String(content ?? [])),
                ("stamp", DateTimeOffset.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)));
            job = HostScript.Read("packages") + job;
            const string Activity = "Installing kdump";
            var done = await Stores.RunForStoreAsync(
                start ? KdumpConfiguration.Read(facts)?.Target?.Store : null, Activity, context,
                () => new HostJob(access, host, context).RunAsync(connection, Activity, job, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (HostJob.FailureOf(done, host.HostName) is { } failure)
            {
                throw PackagePlan.Explain(failure, plan.Missing) ?? (failure.ErrorId == ErrorIds.ActivationFailed
                    ? new HostException(failure.ErrorId, host.HostName, $"The packages are there, but {unit} does not load a crash kernel.") { HostSaid = failure.HostSaid, Remedy = "Read the service's words above and mend the cause; Get-KdumpStatus names what is missing." }
                    : failure);
            }

            Tell(context, facts);
            context.Output(Result(done));
        }
    }

    // USE_KDUMP=0 is Debian's way to have it installed and off.
    private static (HostFile? Old, byte[]? Content) Configuration(HostFacts facts)
    {
        if (facts.Family != HostFamily.Debian || facts.Configuration is not { } file)
        {
            return (null, null);
        }

        var content = KdumpToolsDefaults.Parse(file.Content.Span).WithUseKdump(true).ToBytes();
        return file.Content.Span.SequenceEqual(content) ? (file, null) : (file, content);
    }

    private static void Tell(HostContext context, HostFacts facts)
    {
        if (facts is { ReservedBytes: 0, OtherMechanism: null })
        {
            context.Warning($"No memory is reserved on {facts.HostName}: Set-CrashKernelReservation -Recommended, then reboot it.");
        }
    }
}
