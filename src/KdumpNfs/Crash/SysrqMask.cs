using System.Globalization;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>What Enable-Sysrq and Disable-Sysrq share: the parameter, its range, one change of it.</summary>
internal static class SysrqMask
{
    /// <summary>The parameter.</summary>
    public const string Key = "kernel.sysrq";

    /// <summary>Name of the record of what was there before.</summary>
    public const string Record = "sysrq";

    /// <summary>Refuses a mask that no kernel takes.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static int Checked(int mask) => mask is >= 0 and <= 511
        ? mask
        : throw new HostException(ErrorIds.InvalidInput, "", $"The sysrq mask {mask} is not between 0 and 511.")
        {
            Remedy = "1 allows everything, 8 is enough for the crash key over a console, 0 allows nothing.",
        };

    /// <summary>Reads the parameter, the drop-in and the record.</summary>
    /// <exception cref="HostException">NotSupported: the kernel has no sysrq.</exception>
    public static async Task<SysctlFacts> ReadAsync(IHostConnection connection, CancellationToken cancellationToken)
    {
        var facts = await SysctlFacts.ReadAsync(connection, [Key], Record, cancellationToken).ConfigureAwait(false);
        return int.TryParse(facts.Value(Key), NumberStyles.None, CultureInfo.InvariantCulture, out _) ? facts
            : throw new HostException(ErrorIds.NotSupported, connection.Host.HostName, "The kernel has no /proc/sys/kernel/sysrq.") { Remedy = "It was built without CONFIG_MAGIC_SYSRQ." };
    }

    /// <summary>The mask in force.</summary>
    public static int Of(SysctlFacts facts) => int.Parse(facts.Value(Key)!, CultureInfo.InvariantCulture);

    /// <summary>Asks, applies, and tells.</summary>
    public static async Task ApplyAsync(
        SysctlPlan plan, SettingScope scope, string activity, HostAccess access, SshHost host, IHostConnection connection, Fleet.HostContext context, CancellationToken cancellationToken)
    {
        var before = Of(plan.Facts);
        var after = plan.Values.Count == 0 ? before : int.Parse(plan.Values[0].After, CultureInfo.InvariantCulture);
        var overriddenBy = scope == SettingScope.Persistent && plan.NewContent is { } ours && SysctlDropIn.Parse(ours).Get(Key) is not null
            ? plan.Facts.OverriddenBy(Key, ours)?.Path : null;
        if (overriddenBy is not null)
        {
            context.Warning($"{overriddenBy} on {host.HostName} is read after {EnableSysrqOperation.DropInPath} and sets {Key} too: at the next boot its value wins.");
        }

        if (!plan.Changes)
        {
            context.Output(new SysrqChange(host.HostName, false, before, before, scope, overriddenBy, ""));
            return;
        }

        if (plan is { WritesFile: true, NewContent: not null } && plan.Facts.LostAtReboot is { } lost)
        {
            context.Warning(lost);
        }

        var question = new Fleet.ChangeQuestion(host.HostName, $"Set {Key} from {before} to {after} ({(scope == SettingScope.Boot ? "this boot only" : "persistent")})")
        {
            Description = plan.Diff.Length == 0 ? null : plan.Diff,
        };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        await SysctlJob.ApplyAsync(plan, Record, activity, access, host, connection, context, cancellationToken).ConfigureAwait(false);
        context.Output(new SysrqChange(host.HostName, true, after, before, scope, overriddenBy, plan.Diff));
    }
}
