using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>Kernel parameters in an image tree on a build host: the drop-in that the image's hosts will read at their boot.</summary>
public static class SysctlImage
{
    /// <summary>Checks what was asked for.</summary>
    /// <param name="imageRoot">The tree; null for none.</param>
    /// <param name="scope">How long the change lasts.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static string? Check(string? imageRoot, SettingScope scope) => imageRoot is null ? null
        : scope == SettingScope.Persistent ? TargetInput.CheckImageRoot(imageRoot)
        : throw new HostException(ErrorIds.InvalidInput, "", "Nothing of an image runs: there is no boot for which a value could be set.") { Remedy = "Leave -Scope out with -ImageRoot." };

    /// <summary>Asks and writes; null if the answer was no.</summary>
    internal static async Task<Change?> ApplyAsync(
        string root, IReadOnlyList<KeyValuePair<string, string>> wanted, string action, HostAccess access, SshHost host, IHostConnection connection, HostContext context,
        CancellationToken cancellationToken, string? danger = null)
    {
        var facts = await SysctlFacts.ReadImageAsync(connection, root, cancellationToken).ConfigureAwait(false);
        var plan = SysctlPlan.Image(facts, wanted);
        SysctlWinner[] winners = [.. wanted.Select(w => facts.OverriddenBy(w.Key, plan.NewContent!)).OfType<SysctlWinner>()];
        foreach (var winner in winners)
        {
            context.Warning($"{winner.Path} in {root} on {host.HostName} is read after {EnableSysrqOperation.DropInPath} and sets {winner.Key} to {winner.Value}: its value wins.");
        }

        if (!plan.Changes)
        {
            return new Change(plan, winners, null);
        }

        var question = new ChangeQuestion(host.HostName, $"{action} in the image {root}") { Description = plan.Diff, Danger = danger };
        if (!await context.ConfirmAsync(question, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var backup = await SysctlJob.ApplyAsync(plan, "", "Writing kernel parameters into the image", access, host, connection, context, cancellationToken).ConfigureAwait(false);
        return new Change(plan, winners, backup);
    }

    /// <summary>What was done.</summary>
    /// <param name="Plan">The change of the drop-in.</param>
    /// <param name="OverriddenBy">Files of the tree that win over it.</param>
    /// <param name="Backup">The drop-in as it was; null if there was none or it did not change.</param>
    internal sealed record Change(SysctlPlan Plan, IReadOnlyList<SysctlWinner> OverriddenBy, string? Backup);
}
