using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>What Restore-KdumpConfiguration was asked for.</summary>
/// <param name="Backup">The copy: its path, its file name or a part of the name such as its time; null for the state before the last change.</param>
public sealed record RestoreRequest(string? Backup) : TargetRequest
{
    /// <summary>Checks what is wrong on every host.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static RestoreRequest Create(string? backup, bool createPath) =>
        backup is null || (backup.Trim().Length > 0 && !backup.Any(char.IsControl))
            ? new RestoreRequest(backup?.Trim()) { CreatePath = createPath }
            : throw new HostException(ErrorIds.InvalidInput, "", "The backup has no name.") { Remedy = "Give a name from Restore-KdumpConfiguration -List, or leave it out." };

    internal override IReadOnlyList<string> MoreFacts => ["backups"];

    internal override bool IsRestore => true;

    internal override string Action(KdumpTargetPlan plan) => $"Restore {plan.RestoredFrom} (dumps to {plan.View.Target})";

    internal override byte[] Content(HostFacts facts) => (Choose(facts)?.File ?? facts.Configuration!).Content.ToArray();

    internal override string? RestoredFrom(HostFacts facts) => Choose(facts)?.Path;

    // Null: the host is already as a restore leaves it.
    private KdumpBackup? Choose(HostFacts facts)
    {
        var all = KdumpBackup.Of(facts);
        if (Backup is not null)
        {
            var named = all.Where(b => b.Path == Backup).ToList();
            named = named.Count > 0 ? named : [.. all.Where(b => b.Path[(b.Path.LastIndexOf('/') + 1)..].Contains(Backup, StringComparison.Ordinal))];
            return named switch
            {
                [var one] => one,
                [] => throw Missing(facts, $"{facts.ConfigurationPath} has no backup '{Printable.Escape(Backup)}'.", all),
                _ => throw Missing(facts, $"'{Printable.Escape(Backup)}' fits more than one backup.", named),
            };
        }

        // The copy that a restore makes of what it replaces is no state to go back to by itself: a second run would undo the first one.
        var changes = all.Where(b => !b.FromRestore).ToList();
        if (facts.Configuration is not null && all is [{ FromRestore: true }, ..] && changes.Exists(b => b.Current))
        {
            return null;
        }

        return changes.Find(b => !b.Current) ?? (changes.Count > 0 ? null
            : throw Missing(facts, $"{facts.ConfigurationPath} has no backup: no change was made through this tool, or its copies are gone.", []));
    }

    private static HostException Missing(HostFacts facts, string what, IReadOnlyList<KdumpBackup> choices) => new(ErrorIds.BackupMissing, facts.HostName, what)
    {
        HostSaid = choices.Count == 0 ? null : string.Join('\n', choices.Select(b => $"{b.Path}: {b.Target}")),
        Remedy = choices.Count == 0 ? "Set the target that you want with Set-KdumpNfsTarget." : "Name one of these with -Backup.",
    };
}
