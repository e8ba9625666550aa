using System.CommandLine;
using KdumpNfs.Nfs;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs disable-export</c>: Disable-NfsExport.</summary>
internal static class DisableExportCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var path = new Option<string>("--export") { Description = "The exported directory", Required = true };
        var client = new Option<string>("--client") { Description = "The client, as the export names it", Required = true };
        var force = new Option<bool>("--force") { Description = "Also while hosts have it mounted" };
        var command = new Command("disable-export", "End the export of a directory to one client; directories and dumps stay") { hosts, path, client, force };
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Force = parsed.GetValue(force) }, session =>
        {
            var operation = new DisableNfsExportOperation(connection.Access(parsed), parsed.GetValue(path)!, parsed.GetValue(client)!) { Force = parsed.GetValue(force) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }
}
