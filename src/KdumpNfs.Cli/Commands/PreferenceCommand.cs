using System.CommandLine;
using KdumpNfs.Fleet;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs preference</c>: Get-KdumpPreference.</summary>
internal static class PreferenceCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var file = new Argument<string?>("FILE") { Description = "A file of settings to read and check, instead of the one in force", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "As a JSON object, which is what such a file holds" };
        var command = new Command("preference", $"""
            The settings in force, those of the file that {Preferences.Variable} names: defaults for user, key, transport, store and limits.

            An option that is given wins over them. Set-KdumpPreference and the cmdlets read the same file.
            """) { file, json };
        command.SetAction(parsed => Session.Run(() => new SessionOptions(parsed.GetValue(json), false, false, 1, false, false, false), session =>
            session.Output(parsed.GetValue(file) is { } named ? Preferences.Read(named) : Preferences.Current)));
        return command;
    }
}
