using System.CommandLine;
using KdumpNfs.Kdump;
using KdumpNfs.Nfs;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs exports</c>: Get-NfsExport.</summary>
internal static class ExportsCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var path = new Option<string?>("--export") { Description = "Only this directory" };
        var command = new Command("exports", "What storage servers export, by their live table and by their files") { hosts, path };
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new GetNfsExportOperation(connection.Access(parsed))
            {
                ExportPath = parsed.GetValue(path) is { } only ? TargetInput.CheckDirectory(only, "export path") : null,
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }
}
