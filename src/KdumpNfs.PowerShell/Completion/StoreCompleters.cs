using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using KdumpNfs.Drills;
using KdumpNfs.Fleet;

namespace KdumpNfs.PowerShell;

/// <summary>Exports of a store that this session has seen: by Get-NfsExport, Enable-NfsExport, Get-KdumpStatus and changes of targets.</summary>
public sealed class ExportCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var store = Completions.Bound(fakeBoundParameters, "NfsServer", "StoreHost", "HostName") ?? Preferences.Loaded?.StoreHost;
        var seen = SeenOnStores.ExportsOf(store).ToList();

        // The same server may be reached by another name than hosts mount it by.
        return Completions.Of(wordToComplete, (seen.Count > 0 ? seen : SeenOnStores.ExportsOf(null))
            .DistinctBy(export => export.Path).Select(export => new Completions.Choice(export.Path, $"{export.Store}: {export.What}")));
    }
}

/// <summary>Dumps that this session has seen with Get-Vmcore and Wait-Vmcore: crash directories, or for cmdlets that read dumps their files.</summary>
public sealed class VmcoreCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var reads = commandName.EndsWith("-VmcoreReport", StringComparison.OrdinalIgnoreCase) || commandName.EndsWith("-VmcoreDmesg", StringComparison.OrdinalIgnoreCase) ||
            commandName.EndsWith("-Vmcore", StringComparison.OrdinalIgnoreCase) && (commandName.StartsWith("Test", StringComparison.OrdinalIgnoreCase) || commandName.StartsWith("Convert", StringComparison.OrdinalIgnoreCase)) ||
            commandName.EndsWith("-VmcoreBundle", StringComparison.OrdinalIgnoreCase);
        var store = Completions.Bound(fakeBoundParameters, "StoreHost");

        // A bare path is one of this machine where no store is named.
        return Completions.Of(wordToComplete, SeenOnStores.DumpsOf(store).Where(dump => store is not null || !reads || dump.StoreHost is null)
            .Select(dump => (Dump: dump, Path: reads ? dump.DumpFile : dump.Path)).Where(seen => seen.Path is not null)
            .Select(seen => new Completions.Choice(seen.Path!, string.Create(CultureInfo.InvariantCulture,
                $"{seen.Dump.CrashedHost}, {seen.Dump.CrashTime?.ToLocalTime():yyyy-MM-dd HH:mm}, {seen.Dump.State}{(seen.Dump.PanicReason is { } why ? $": {why}" : "")}"))));
    }
}

/// <summary>Numbers of the sessions that are there.</summary>
public sealed class SessionIdCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(wordToComplete, Sessions.Pool.All.Select(session =>
            new Completions.Choice(session.Id.ToString(CultureInfo.InvariantCulture), $"{session.HostName}, {session.UserName}, {session.State}")));
}

/// <summary>Clients of exports that this session has seen.</summary>
public sealed class ClientCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var seen = SeenOnStores.ClientsOf(Completions.Bound(fakeBoundParameters, "HostName")).ToList();
        return Completions.Of(wordToComplete, (seen.Count > 0 ? seen : SeenOnStores.ClientsOf(null)).DistinctBy(client => client.Client)
            .Select(client => new Completions.Choice(client.Client, client.What)));
    }
}

/// <summary>Directories for dumps inside an export: those that hosts of this session use, that of the settings, and kdump's own default.</summary>
public sealed class DumpPathCompleter : IArgumentCompleter
{
    private const string Usual = "/var/crash";

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var store = Completions.Bound(fakeBoundParameters, "NfsServer", "StoreHost", "SshServer");
        var seen = SeenOnStores.TargetsOf(store).Where(target => target.DumpPath is { Length: > 0 }).Select(target => new Completions.Choice(target.DumpPath!, $"{target.Store}: where a host sends its dumps"));
        var preferred = Preferences.Loaded?.DumpPath is { Length: > 0 } path ? [new Completions.Choice(path, "of the settings")] : Array.Empty<Completions.Choice>();
        return Completions.Of(wordToComplete, seen.Concat(preferred).Append(new Completions.Choice(Usual, "where kdump puts dumps by default")).DistinctBy(choice => choice.Text));
    }
}

/// <summary>Targets that hosts of this session have, as SERVER:/PATH.</summary>
public sealed class TargetCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(wordToComplete, SeenOnStores.TargetsOf(null).Select(target => new Completions.Choice(target.Location, "where a host sends its dumps")));
}

/// <summary>Copies of a host's configuration that Restore-KdumpConfiguration -List has shown.</summary>
public sealed class BackupCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Completions.Of(wordToComplete, SeenOnStores.BackupsOf(Completions.Bound(fakeBoundParameters, "HostName")).DistinctBy(backup => backup.Path)
            .Select(backup => new Completions.Choice(backup.Path, string.Create(CultureInfo.InvariantCulture, $"{backup.HostName}, {backup.Time?.ToLocalTime():yyyy-MM-dd HH:mm}, {backup.Target}{(backup.Current ? ", what is there now" : "")}"))));
}

/// <summary>Journals of drills in the directory where they are made without -JournalPath, the newest first. Other paths are completed as files.</summary>
public sealed class JournalCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(DrillJournal.NewPath())!);
        return !folder.Exists ? [] : Completions.Of(wordToComplete, folder.EnumerateFiles("drill-*.jsonl").OrderByDescending(file => file.Name, StringComparer.Ordinal)
            .Select(file => new Completions.Choice(file.FullName, string.Create(CultureInfo.InvariantCulture, $"last written at {file.LastWriteTime:yyyy-MM-dd HH:mm}"))));
    }
}
