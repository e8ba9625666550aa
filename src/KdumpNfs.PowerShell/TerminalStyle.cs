using System.Management.Automation;
using System.Management.Automation.Host;
using KdumpNfs.Text;

namespace KdumpNfs.PowerShell;

/// <summary>What $PSStyle of the session says about colour. Its type is not in the reference assembly, so its properties are read by name.</summary>
internal static class TerminalStyle
{
    /// <summary>The colours of a diff that goes straight to the host; null for plain text: NO_COLOR, PlainText, a host without colours, or redirected output.</summary>
    public static DiffColours? Diff(SessionState session, PSHost host)
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) || Value(session.PSVariable.GetValue("PSStyle"), "OutputRendering") is not { } rendering)
        {
            return null;
        }

        // Ansi is what a user sets who wants colours in a file; Host means: where they are seen.
        var style = session.PSVariable.GetValue("PSStyle");
        var seen = rendering.ToString() switch
        {
            "PlainText" => false,
            "Ansi" => true,
            _ => !Console.IsOutputRedirected && host.UI?.SupportsVirtualTerminal == true,
        };
        return seen && Value(style, "Foreground") is { } foreground
            ? new DiffColours($"{Value(foreground, "Green")}", $"{Value(foreground, "Red")}", $"{Value(foreground, "Cyan")}", $"{Value(style, "Reset")}") : null;
    }

    private static object? Value(object? of, string property) => of is null ? null : PSObject.AsPSObject(of).Properties[property]?.Value;
}
