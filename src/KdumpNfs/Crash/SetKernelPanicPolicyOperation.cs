using System.Globalization;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>
/// Set-KernelPanicPolicy: makes kernels panic where they would go on. Only the settings asked for; what the running kernel does not know is
/// reported and not written; what was there before is remembered on the host for Restore-KernelPanicPolicy.
/// </summary>
public sealed class SetKernelPanicPolicyOperation
{
    private readonly HostAccess _access;
    private readonly List<KeyValuePair<string, string>> _wanted = [];

    /// <summary>An operation for some settings.</summary>
    /// <param name="access">How hosts are reached.</param>
    /// <param name="settings">The settings and their values: 1 and 0, seconds for <see cref="PanicSetting.PanicTimeout"/>.</param>
    /// <exception cref="HostException">InvalidInput: no setting, or a value that no kernel takes.</exception>
    public SetKernelPanicPolicyOperation(HostAccess access, IReadOnlyDictionary<PanicSetting, int> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _access = access;
        if (settings.Count == 0)
        {
            throw new HostException(ErrorIds.InvalidInput, "", "No setting was given.") { Remedy = "Name what to set: -SoftlockupPanic, -PanicOnOops:$false, -PanicTimeout 60." };
        }

        foreach (var setting in PanicSettings.All.Where(settings.ContainsKey))
        {
            PanicSettings.Check(setting, settings[setting]);
            _wanted.Add(new(setting.Key(), settings[setting].ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>How long it lasts.</summary>
    public SettingScope Scope { get; init; } = SettingScope.Persistent;

    /// <summary>An image tree on the host, which is a build host then: the drop-in there is changed, and nothing that runs. Checked by <see cref="SysctlImage.Check"/>.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Works on one host; nothing is given if the answer was no.</summary>
    /// <exception cref="HostException">KernelSettingRefused, WriteFailed (FileSystemReadOnly, NoSpace), FileChanged, and those of connecting and of changes.</exception>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await _access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (ImageRoot is { } root)
            {
                await ChangeImageAsync(root, host, connection, context, cancellationToken).ConfigureAwait(false);
                return;
            }

            var facts = await SysctlFacts.ReadAsync(connection, KernelPanicPolicyOperation.Keys, KernelPanicPolicyOperation.Record, cancellationToken).ConfigureAwait(false);
            var plan = SysctlPlan.Set(facts, _wanted, Scope);
            var result = Result(plan);
            foreach (var unknown in plan.Unknown)
            {
                context.Warning($"The running kernel of {host.HostName} has no {unknown}; it is not written.");
            }

            foreach (var winner in result.OverriddenBy)
            {
                context.Warning($"{winner.Path} on {host.HostName} is read after {EnableSysrqOperation.DropInPath} and sets {winner.Key} to {winner.Value}: at the next boot its value wins.");
            }

            if (!plan.Changes)
            {
                context.Output(result);
                return;
            }

            if (plan is { WritesFile: true, NewContent: not null } && plan.Facts.LostAtReboot is { } lost)
            {
                context.Warning(lost);
            }

            var warns = Warns && !plan.Unknown.Contains(PanicSetting.PanicOnWarn.Key());
            var changed = plan.Values.Count > 0 ? string.Join(", ", plan.Values) : "values in force as they are, for later boots too";
            var question = new ChangeQuestion(host.HostName, $"Change when the kernel panics ({(Scope == SettingScope.Boot ? "this boot only" : "persistent")}): {changed}")
            {
                Description = plan.Diff.Length == 0 ? null : plan.Diff,
                Danger = warns ? PanicSettings.PanicOnWarnDanger : null,
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            var backup = await SysctlJob.ApplyAsync(plan, KernelPanicPolicyOperation.Record, "Setting the panic policy", _access, host, connection, context, cancellationToken).ConfigureAwait(false);
            context.Output(result with { Backup = backup });
        }
    }

    // A kernel that panics at a warning asks for a second answer.
    private bool Warns => _wanted.Exists(w => w.Key == PanicSetting.PanicOnWarn.Key() && w.Value == "1");

    private async Task ChangeImageAsync(string root, SshHost host, IHostConnection connection, HostContext context, CancellationToken cancellationToken)
    {
        var action = $"Change when the kernel panics: {string.Join(", ", _wanted.Select(w => $"{w.Key} = {w.Value}"))}";
        var change = await SysctlImage.ApplyAsync(root, _wanted, action, _access, host, connection, context, cancellationToken, Warns ? PanicSettings.PanicOnWarnDanger : null).ConfigureAwait(false);
        if (change is not null)
        {
            context.Output(new KernelPanicPolicyChange
            {
                HostName = host.HostName,
                Changed = change.Plan.Changes,
                Scope = SettingScope.Persistent,
                OverriddenBy = change.OverriddenBy,
                Backup = change.Backup,
                Diff = change.Plan.Diff,
                ImageRoot = root,
            });
        }
    }

    private KernelPanicPolicyChange Result(SysctlPlan plan) => new()
    {
        HostName = plan.Facts.HostName,
        Changed = plan.Changes,
        Scope = Scope,
        Values = plan.Values,
        Unknown = plan.Unknown,
        OverriddenBy = Scope == SettingScope.Boot || plan.NewContent is null ? []
            : [.. _wanted.Where(w => !plan.Unknown.Contains(w.Key)).Select(w => plan.Facts.OverriddenBy(w.Key, plan.NewContent)).OfType<SysctlWinner>()],
        Diff = plan.Diff,
    };
}
