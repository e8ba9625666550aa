using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>Enable-Sysrq: our drop-in and only our key, or this boot only. What was there before is remembered for Disable-Sysrq.</summary>
public sealed class EnableSysrqOperation(HostAccess access)
{
    /// <summary>Our drop-in; panic settings share it. The reference text names it so.</summary>
    public const string DropInPath = "/etc/sysctl.d/kernel_debug.conf";

    /// <summary>Everything allowed (Documentation/admin-guide/sysrq.rst).</summary>
    public const int AllFunctions = 1;

    private readonly int _mask = AllFunctions;

    /// <summary>0 to 511: 1 allows all, other values are a sum (8: dumps of processes and the crash; 16 sync, 32 remount, 128 reboot).</summary>
    public int Mask
    {
        get => _mask;
        init => _mask = SysrqMask.Checked(value);
    }

    /// <summary>How long it lasts.</summary>
    public SettingScope Scope { get; init; } = SettingScope.Persistent;

    /// <summary>An image tree on the host, which is a build host then: the drop-in there is changed, and nothing that runs. Checked by <see cref="SysctlImage.Check"/>.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Works on one host; nothing is given if the answer was no.</summary>
    /// <exception cref="HostException">NotSupported, KernelSettingRefused, WriteFailed (FileSystemReadOnly, NoSpace), FileChanged, and those of connecting and of changes.</exception>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (ImageRoot is { } root)
            {
                await ChangeImageAsync(root, host, connection, context, cancellationToken).ConfigureAwait(false);
                return;
            }

            var facts = await SysrqMask.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
            var plan = SysctlPlan.Set(facts, [new(SysrqMask.Key, Mask.ToString(CultureInfo.InvariantCulture))], Scope);
            await SysrqMask.ApplyAsync(plan, Scope, "Enabling sysrq", access, host, connection, context, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ChangeImageAsync(string root, SshHost host, IHostConnection connection, HostContext context, CancellationToken cancellationToken)
    {
        var mask = Mask.ToString(CultureInfo.InvariantCulture);
        var change = await SysctlImage.ApplyAsync(root, [new(SysrqMask.Key, mask)], $"Set {SysrqMask.Key} to {mask}", access, host, connection, context, cancellationToken).ConfigureAwait(false);
        if (change is not null)
        {
            int? before = int.TryParse(SysctlDropIn.Parse(change.Plan.OldContent ?? []).Get(SysrqMask.Key), NumberStyles.None, CultureInfo.InvariantCulture, out var old) ? old : null;
            context.Output(new SysrqChange(host.HostName, change.Plan.Changes, Mask, before, SettingScope.Persistent, change.OverriddenBy.Count > 0 ? change.OverriddenBy[0].Path : null, change.Plan.Diff)
            {
                ImageRoot = root,
            });
        }
    }
}
