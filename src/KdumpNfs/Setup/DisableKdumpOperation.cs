using KdumpNfs.Changes;
using KdumpNfs.Fleet;
using KdumpNfs.Hosts;
using KdumpNfs.Ssh;

namespace KdumpNfs.Setup;

/// <summary>Disable-Kdump: no crash of the host is captured any more. The service is disabled and stopped, the crash kernel unloaded.</summary>
public sealed class DisableKdumpOperation(HostAccess access)
{
    /// <summary>Also takes the reservation out of the boot loader, so that its memory is free from the next boot on.</summary>
    public bool RemoveReservation { get; init; }

    /// <summary>Works on one host. Gives a <see cref="KdumpDisabling"/>, or nothing if the answer was no.</summary>
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
            if (facts.OtherMechanism is { } other)
            {
                throw new HostException(ErrorIds.NotSupported, host.HostName, $"The host dumps through {other}; this version switches kdump off only.");
            }

            if (RemoveReservation)
            {
                // What cannot be done is said before anything is done.
                CrashKernelPlan.Create(await CrashKernelFacts.ReadAsync(connection, estimate: false, cancellationToken).ConfigureAwait(false), CrashKernelRequest.None, force: false);
            }

            var unit = SetupProbe.UnitOf(facts.Family);
            var disable = facts.Service is { Enabled: "enabled" or "enabled-runtime" };
            var stop = facts.Service is { Active: not ("inactive" or "failed") };
            var result = new KdumpDisabling
            {
                HostName = host.HostName,
                Changed = disable || stop || facts.CrashKernelLoaded,
                Service = unit,
                WasEnabled = disable,
                WasLoaded = facts.CrashKernelLoaded,
                ReservedBytes = facts.ReservedBytes,
                MachineId = facts.MachineId,
                Family = facts.Family,
            };
            if (result.Changed && !await DisableAsync(connection, host, facts, unit, disable, stop, context, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            if (RemoveReservation)
            {
                var change = await new SetCrashKernelOperation(access, CrashKernelRequest.None).ApplyAsync(connection, host, machineId, context, cancellationToken).ConfigureAwait(false);
                result = result with { Reservation = change, Changed = result.Changed || change?.Changed == true };
            }

            context.Output(result);
        }
    }

    private async Task<bool> DisableAsync(IHostConnection connection, SshHost host, HostFacts facts, string unit, bool disable, bool stop, HostContext context, CancellationToken cancellationToken)
    {
        SetupProbe.WarnOfDiskless(context, facts);
        var steps = new[] { disable ? $"disables {unit}" : "", stop ? $"stops {unit}" : "", facts.CrashKernelLoaded ? "unloads the crash kernel" : "" };
        var question = new ChangeQuestion(host.HostName, "Switch kdump off: no crash is captured any more") { Description = string.Join('\n', steps.Where(s => s.Length > 0)) };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        if (!facts.IsRoot)
        {
            throw HostRequirement.NotRoot(host.HostName);
        }
        var job = HostJob.Compose("disablekdump", ("unit", unit), ("disable", disable ? "1" : "0"), ("stop", stop ? "1" : "0"), ("unload", "1"));
        var done = await new HostJob(access, host, context).RunAsync(connection, "Switching kdump off", job, cancellationToken).ConfigureAwait(false);
        return HostJob.FailureOf(done, host.HostName) is { } failure
            ? throw new HostException(failure.ErrorId, host.HostName, failure.ErrorId == ErrorIds.ActivationFailed ? $"{unit} could not be switched off as a whole." : failure.What)
            {
                HostSaid = failure.HostSaid,
                Remedy = "Read the words above; run the command again once the cause is mended.",
            }
            : true;
    }
}
