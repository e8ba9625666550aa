using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
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
