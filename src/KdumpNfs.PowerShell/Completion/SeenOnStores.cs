using System.Collections.Concurrent;
using KdumpNfs.Collection;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;

namespace KdumpNfs.PowerShell;

/// <summary>
/// Exports, dumps, targets and copies of configurations that came through the cmdlets of this process, for completion: a Tab never opens a connection, which could ask, hang or log somebody in.
/// </summary>
internal static class SeenOnStores
{
    // What is offered at a prompt is what a person has looked at: a nightly run over thousands of dumps need not stay in memory.
    private const int Most = 1000;
    private static readonly ConcurrentDictionary<(string Store, string Path), string> Exports = new();
    private static readonly ConcurrentDictionary<(string Store, string Path), VmcoreDump> Dumps = new();
    private static readonly ConcurrentDictionary<(string Store, string Client), string> Clients = new();
    private static readonly ConcurrentDictionary<(string Store, string Target), KdumpTarget> Targets = new();
    private static readonly ConcurrentDictionary<(string Host, string Path), KdumpBackup> Backups = new();

    /// <summary>Keeps what a result tells of a store.</summary>
    public static void Note(object value)
    {
        switch (value)
        {
            case NfsExport export:
                Keep(Exports, (export.HostName, export.ExportPath), $"exported to {export.Client}");
                Keep(Clients, (export.HostName, export.Client), $"may mount {export.ExportPath}");
                break;
            case NfsExportChange change:
                Keep(Exports, (change.HostName, change.ExportPath), $"exported to {change.Client}");
                Keep(Clients, (change.HostName, change.Client), $"may mount {change.ExportPath}");
                break;
            case KdumpStatus { Target: { Store: { } store, Export: { } path } target }:
                Keep(Exports, (store, path), "where a host sends its dumps");
                Keep(Targets, (store, target.Location), target);
                break;
            case KdumpTargetChange { Target: { Store: { } store, Export: { } path } target }:
                Keep(Exports, (store, path), "where a host sends its dumps");
                Keep(Targets, (store, target.Location), target);
                break;
            case KdumpBackup backup:
                Keep(Backups, (backup.HostName, backup.Path), backup);
                break;
            case VmcoreDump dump:
                Keep(Dumps, (dump.StoreHost ?? "", dump.Path), dump);
                break;
            case VmcoreRemoval { Outcome: RemovalOutcome.Removed } removal:
                Dumps.TryRemove((removal.StoreHost ?? "", removal.Path), out _);
                break;
        }
    }

    /// <summary>Exports seen; of one store where it is named.</summary>
    public static IEnumerable<(string Store, string Path, string What)> ExportsOf(string? store) =>
        Exports.Where(seen => store is null || string.Equals(seen.Key.Store, store, StringComparison.OrdinalIgnoreCase))
            .Select(seen => (seen.Key.Store, seen.Key.Path, seen.Value)).OrderBy(seen => seen.Path, StringComparer.Ordinal);

    /// <summary>Dumps seen, the newest first; of one store where it is named.</summary>
    public static IEnumerable<VmcoreDump> DumpsOf(string? store) =>
        Dumps.Values.Where(dump => store is null || string.Equals(dump.StoreHost, store, StringComparison.OrdinalIgnoreCase)).OrderByDescending(dump => dump.LastChange);

    /// <summary>Clients of exports; of one store where it is named.</summary>
    public static IEnumerable<(string Client, string What)> ClientsOf(string? store) =>
        Clients.Where(seen => store is null || string.Equals(seen.Key.Store, store, StringComparison.OrdinalIgnoreCase))
            .OrderBy(seen => seen.Key.Client, StringComparer.Ordinal).Select(seen => (seen.Key.Client, $"{seen.Key.Store}: {seen.Value}"));

    /// <summary>Where hosts send their dumps; to one store where it is named.</summary>
    public static IEnumerable<KdumpTarget> TargetsOf(string? store) =>
        Targets.Where(seen => store is null || string.Equals(seen.Key.Store, store, StringComparison.OrdinalIgnoreCase)).OrderBy(seen => seen.Key.Target, StringComparer.Ordinal).Select(seen => seen.Value);

    /// <summary>Copies of configurations that Restore-KdumpConfiguration -List has shown, the newest first; of one host where it is named.</summary>
    public static IEnumerable<KdumpBackup> BackupsOf(string? host) =>
        Backups.Values.Where(backup => host is null || string.Equals(backup.HostName, host, StringComparison.OrdinalIgnoreCase)).OrderByDescending(backup => backup.Time);

    private static void Keep<T>(ConcurrentDictionary<(string, string), T> seen, (string, string) key, T value)
    {
        if (seen.Count < Most || seen.ContainsKey(key))
        {
            seen[key] = value;
        }
    }
}
