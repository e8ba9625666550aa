using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>Disable-Sysrq: back to what was there before Enable-Sysrq, or to a given mask.</summary>
public sealed class DisableSysrqOperation(HostAccess access)
{
    private readonly int? _mask;

    /// <summary>The mask to set; null for the one that was in force before Enable-Sysrq.</summary>
    public int? Mask
    {
        get => _mask;
        init => _mask = value is { } mask ? SysrqMask.Checked(mask) : null;
    }

    /// <summary>Boot changes what is in force only; the drop-in stays and rules again at the next boot.</summary>
    public SettingScope Scope { get; init; } = SettingScope.Persistent;

    /// <summary>Works on one host; nothing is given if the answer was no.</summary>
    /// <exception cref="HostException">NotSupported, KernelSettingRefused, WriteFailed (FileSystemReadOnly, NoSpace), FileChanged, and those of connecting and of changes.</exception>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await SysrqMask.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            var plan = Mask is { } mask
                ? SysctlPlan.Set(facts, [new(SysrqMask.Key, mask.ToString(CultureInfo.InvariantCulture))], Scope)
                : SysctlPlan.Restore(facts, Scope);
            if (Mask is null && facts.Record is null && facts.DropIn is { } file && SysctlDropIn.Parse(file.Content.Span).Get(SysrqMask.Key) is { } value)
            {
                context.Warning($"{EnableSysrqOperation.DropInPath} on {host.HostName} sets {SysrqMask.Key} to {value}, but what was there before is not known; give -Mask.");
            }

            if (plan.Foreign.Count > 0)
            {
                context.Warning($"{SysrqMask.Key} on {host.HostName} was changed by somebody else since Enable-Sysrq; it is left as it is. Give -Mask to change it all the same.");
            }

            await SysrqMask.ApplyAsync(plan, Scope, "Disabling sysrq", access, host, connection, context, cancellationToken).ConfigureAwait(false);
        }
    }
}
