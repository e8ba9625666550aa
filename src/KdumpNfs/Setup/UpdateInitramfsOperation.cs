using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Setup;

/// <summary>Update-KdumpInitramfs: builds the capture image again, as after changes of network, keys or modules that the tools do not watch. The
/// old crash kernel stays loaded meanwhile.</summary>
public sealed class UpdateInitramfsOperation(HostAccess access)
{
    /// <summary>How many hosts rebuild for a store at once: the tools look at it, and some mount it.</summary>
    public SharedLimit Stores { get; init; } = new(SharedLimit.DefaultForStores);

    /// <summary>Works on one host. Gives a <see cref="KdumpInitramfsChange"/>, or nothing if the answer was no.</summary>
    public async Task RunAsync(SshHost host, string? machineId, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await HostFacts.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            HostRequirement.SameMachine(host.HostName, facts.MachineId, machineId);
            Check(facts);
            SetupProbe.WarnOfDiskless(context, facts);
            var disarms = facts.Family == HostFamily.RedHat && !facts.CanRebuildWhileLoaded;
            if (disarms)
            {
                context.Warning($"kdumpctl of {host.HostName} builds only while it restarts: for these minutes no crash is captured.");
            }

            var question = new ChangeQuestion(host.HostName, "Build the capture image again and load it")
            {
                Description = facts.Image is { } image ? $"{image.Path}, built {image.Time:u}" : "there is no image yet",
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName);
            }
            var family = facts.Family switch { HostFamily.Debian => "debian", HostFamily.Suse => "suse", _ => "rhel" };
            var unit = SetupProbe.UnitOf(facts.Family);
            var job = HostJob.Compose("updateinitramfs", ("family", family), ("file", facts.ConfigurationPath), ("rebuild", facts.CanRebuildWhileLoaded ? "1" : "0"), ("unit", unit));
            const string Activity = "Building the capture image";
            var done = await Stores.RunForStoreAsync(
                KdumpConfiguration.Read(facts)?.Target?.Store, Activity, context,
                () => new HostJob(access, host, context).RunAsync(connection, Activity, job, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (HostJob.FailureOf(done, host.HostName) is { } failure)
            {
                throw Explain(failure, unit);
            }

            static DateTimeOffset? Time(long? seconds) => seconds is { } s ? DateTimeOffset.FromUnixTimeSeconds(s) : null;
            context.Output(new KdumpInitramfsChange
            {
                HostName = host.HostName,
                Changed = true,
                Image = done.Required("image"),
                ImageTime = Time(done.Number("image.time")),
                PreviousTime = Time(done.Number("image.before")),
                Bytes = done.Number("image.size") ?? 0,
                MachineId = facts.MachineId,
                Family = facts.Family,
            });
        }
    }

    private static void Check(HostFacts facts)
    {
        SetupProbe.CheckSystemd(facts);
        if (facts.OtherMechanism is { } other)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, $"The host dumps through {other}, which has no capture image of its own.");
        }

        if (!facts.KdumpInstalled)
        {
            throw new HostException(ErrorIds.KdumpNotInstalled, facts.HostName, "The kdump tools are not installed.") { Remedy = "Install them with Install-Kdump." };
        }

        if (facts.ReservedBytes is null or 0)
        {
            throw new HostException(ErrorIds.NotReady, facts.HostName, "No memory is reserved for the capture kernel, so nothing could be loaded.")
            {
                HostSaid = facts.KernelCommandLine,
                Remedy = "Reserve it with Set-CrashKernelReservation, reboot, then run the command again.",
            };
        }
    }

    private static HostException Explain(HostException failure, string unit)
    {
        var (what, remedy) = failure.ErrorId switch
        {
            ErrorIds.ChangeRolledBack => ("The new capture image could not be built or loaded; the old one is back and loaded. The host is armed as before.", "Read the words above, mend the cause, run the command again."),
            ErrorIds.RollbackFailed => ("The new capture image could not be built or loaded, nor the old one. The host is NOT armed.", $"Log in and look at the words of {unit}."),
            ErrorIds.ActivationFailed => ("The crash kernel is loaded, but its image is not a new one.", "Read the words above: the host's tool built nothing."),
            _ => (failure.What, "Run the command again with -Verbose."),
        };
        return new HostException(failure.ErrorId, failure.HostName, what) { HostSaid = failure.HostSaid, Remedy = remedy };
    }
}
