using KdumpNfs.Hosts;
using KdumpNfs.Fleet;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>
/// Restore-KernelPanicPolicy: what was there before the first Set-KernelPanicPolicy. The drop-in byte for byte, if nobody else wrote it since;
/// else only our lines go back. A value in force goes back if it still is the one we set: what somebody else set since is reported and left.
/// </summary>
public sealed class RestoreKernelPanicPolicyOperation(HostAccess access)
{
    /// <summary>Works on one host; nothing is given if the answer was no.</summary>
    /// <exception cref="HostException">KernelSettingRefused, WriteFailed (FileSystemReadOnly, NoSpace), FileChanged, and those of connecting and of changes.</exception>
    public async Task RunAsync(SshHost host, HostContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(context);
        var connection = await access.ConnectAsync(host, context, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var facts = await SysctlFacts.ReadAsync(connection, KernelPanicPolicyOperation.Keys, KernelPanicPolicyOperation.Record, cancellationToken).ConfigureAwait(false);
            if (!facts.IsRoot)
            {
                throw HostRequirement.NotRoot(host.HostName, "Only root may see what was remembered.");
            }

            var plan = SysctlPlan.Restore(facts, SettingScope.Persistent);
            var result = new KernelPanicPolicyChange
            {
                HostName = host.HostName,
                Changed = plan.Changes,
                Scope = SettingScope.Persistent,
                Values = plan.Values,
                Foreign = plan.Foreign,
                Diff = plan.Diff,
            };
            if (!plan.Changes)
            {
                var own = facts.DropIn is { } file ? KernelPanicPolicyOperation.Keys.Where(k => SysctlDropIn.Parse(file.Content.Span).Get(k) is not null).ToList() : [];
                if (own.Count > 0)
                {
                    context.Warning($"{EnableSysrqOperation.DropInPath} on {host.HostName} sets {string.Join(", ", own)}, but not through Set-KernelPanicPolicy: there is nothing to restore.");
                }

                context.Output(result);
                return;
            }

            foreach (var key in plan.Foreign)
            {
                context.Warning($"{key} on {host.HostName} was changed by somebody else since; it is left as it is.");
            }

            var changed = plan.Values.Count > 0 ? string.Join(", ", plan.Values) : "the values in force stay";
            var question = new ChangeQuestion(host.HostName, $"Restore when the kernel panics, as of {facts.Record!.Since:yyyy-MM-dd HH:mm}: {changed}")
            {
                Description = plan.Diff.Length == 0 ? null : plan.Diff,
            };
            if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            var backup = await SysctlJob.ApplyAsync(plan, KernelPanicPolicyOperation.Record, "Restoring the panic policy", access, host, connection, context, cancellationToken).ConfigureAwait(false);
            context.Output(result with { Backup = backup });
        }
    }
}
