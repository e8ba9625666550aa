using System.Globalization;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>What became of a kernel.sysrq that was raised for a drill.</summary>
public enum DrillSysrqState
{
    /// <summary>It could not be found out; the host was not reached, or refused.</summary>
    Unknown,

    /// <summary>The host did not crash, and has the mask that it had before.</summary>
    PutBack,

    /// <summary>The host did not crash, and somebody else has set another mask meanwhile, which was left.</summary>
    LeftToOthers,

    /// <summary>The host rebooted, and has the mask that its files of kernel parameters give; or none gives one, and it is no longer the raised one.</summary>
    AsConfigured,

    /// <summary>The host rebooted and has another mask than its files give.</summary>
    NotAsConfigured,
}

/// <summary>A kernel.sysrq that was raised for a drill.</summary>
/// <param name="Before">The mask before.</param>
/// <param name="Raised">The mask for the crash.</param>
/// <param name="State">What became of it.</param>
/// <param name="After">The mask in the end; null if it is not known.</param>
/// <param name="Configured">The mask that the files of kernel parameters give at boot; null where none does, or it is not known.</param>
public sealed record DrillSysrq(int Before, int Raised, DrillSysrqState State, int? After = null, int? Configured = null);

/// <summary>Raises kernel.sysrq for the running boot and puts it back. Only the value in force is touched: no file, and nothing that Disable-Sysrq remembers.</summary>
internal static class DrillSysrqMask
{
    /// <summary>Raises the mask on the boot that was looked at.</summary>
    /// <exception cref="HostException">SysrqFailed: the mask could not be raised; nothing was triggered.</exception>
    public static async Task RaiseAsync(SysrqRaise raise, string bootId, HostAccess access, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var facts = await SysrqMask.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
                await SysctlJob.ApplyAsync(RaisePlan(facts, raise, bootId), SysrqMask.Record, "Raising sysrq for the drill", access, host, connection, context, cancellationToken).ConfigureAwait(false);
                context.Verbose($"{SysrqMask.Key} is {raise.Raised} for this boot; it was {raise.Before}.");
            }
        }
        catch (HostException e)
        {
            throw new HostException(ErrorIds.SysrqFailed, host.HostName, $"{SysrqMask.Key} could not be raised, so the crash key was not sent: {e.What}", e) { HostSaid = e.HostSaid, Remedy = e.Remedy };
        }
    }

    /// <summary>Puts the mask back where the host still runs that boot; after another boot looks whether the mask is what the configuration says.</summary>
    public static async Task<DrillSysrq> SettleAsync(SysrqRaise raise, string bootId, HostAccess access, SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await SysrqMask.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            var (settled, plan) = SettlePlan(facts, raise, bootId);
            if (plan is not null)
            {
                await SysctlJob.ApplyAsync(plan, SysrqMask.Record, "Putting sysrq back", access, host, connection, context, cancellationToken).ConfigureAwait(false);
                context.Verbose($"{SysrqMask.Key} is {raise.Before} again.");
            }

            switch (settled.State)
            {
                case DrillSysrqState.LeftToOthers:
                    context.Warning($"{SysrqMask.Key} of {host.HostName} was raised to {raise.Raised} for the drill and is {settled.After} now: somebody else has set it, and it was left.");
                    break;
                case DrillSysrqState.NotAsConfigured:
                    context.Warning($"{SysrqMask.Key} of {host.HostName} is {settled.After} after its reboot; {(settled.Configured is { } configured ? $"its configuration says {configured}" : "that is what the drill had raised it to")}.");
                    break;
            }

            return settled;
        }
    }

    /// <summary>The change that raises.</summary>
    internal static SysctlPlan RaisePlan(SysctlFacts facts, SysrqRaise raise, string bootId)
    {
        var now = SysrqMask.Of(facts);
        if (facts.BootId != bootId)
        {
            throw new HostException(ErrorIds.SysrqFailed, facts.HostName, "The host rebooted after it was looked at.") { Remedy = "Nothing was crashed; begin a new drill." };
        }

        return now == raise.Before ? Change(facts, raise.Before, raise.Raised)
            : throw new HostException(ErrorIds.SysrqFailed, facts.HostName, $"It was {raise.Before} when the host was looked at and is {now} now.") { Remedy = "Somebody else sets it; begin a new drill." };
    }

    /// <summary>What is left to do, and how it stands then.</summary>
    internal static (DrillSysrq Settled, SysctlPlan? Plan) SettlePlan(SysctlFacts facts, SysrqRaise raise, string bootId)
    {
        var now = SysrqMask.Of(facts);
        int? configured = int.TryParse(facts.Winner(SysrqMask.Key).Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
        DrillSysrq Is(DrillSysrqState state, int after) => new(raise.Before, raise.Raised, state, after, configured);
        if (facts.BootId != bootId)
        {
            return (Is(now == configured || (configured is null && now != raise.Raised) ? DrillSysrqState.AsConfigured : DrillSysrqState.NotAsConfigured, now), null);
        }

        return now == raise.Raised ? (Is(DrillSysrqState.PutBack, raise.Before), Change(facts, raise.Raised, raise.Before))
            : (Is(now == raise.Before ? DrillSysrqState.PutBack : DrillSysrqState.LeftToOthers, now), null);
    }

    // The drop-in and the record stay as they are.
    private static SysctlPlan Change(SysctlFacts facts, int from, int to) => new()
    {
        Facts = facts,
        Values = [new(SysrqMask.Key, from.ToString(CultureInfo.InvariantCulture), to.ToString(CultureInfo.InvariantCulture))],
        NewContent = facts.DropIn?.Content.ToArray(),
        NewRecord = facts.Record,
    };
}
