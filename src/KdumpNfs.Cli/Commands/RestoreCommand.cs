using System.CommandLine;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs backups</c> and <c>kdumpnfs restore</c>: Restore-KdumpConfiguration.</summary>
internal static class RestoreCommand
{
    /// <summary>The command that lists; a command of its own, because it asks nothing.</summary>
    public static Command CreateList()
    {
        var hosts = Shared.Hosts();
        var command = new Command("backups", "List the copies of the kdump configuration that changes left on hosts, the newest first") { hosts };
        var imageRoot = Shared.ImageRoot(command);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var request = RestoreRequest.Create(null, false);
            var operation = new RestoreConfigurationOperation(connection.Access(parsed), request) { ImageRoot = TargetChangeOperation.CheckImageRoot(parsed.GetValue(imageRoot), request) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.ListAsync);
        }));
        return command;
    }

    /// <summary>The command that restores.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var backup = new Option<string?>("--backup") { Description = "Its path on the host, its file name or a part of it; without it the state before the last change" };
        var createPath = new Option<bool>("--create-path") { Description = "Make the dump directory of the restored target if it is missing" };
        var command = new Command("restore", "Bring back a copy of the kdump configuration that a change left, rebuilt and loaded") { hosts, backup, createPath };
        var storeLimit = Shared.StoreLimit(command);
        var imageRoot = Shared.ImageRoot(command);
        var passPlan = Shared.PassPlan();
        command.Options.Add(passPlan);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Changes = !parsed.GetValue(passPlan) }, session =>
        {
            var request = RestoreRequest.Create(parsed.GetValue(backup), parsed.GetValue(createPath));
            var operation = new RestoreConfigurationOperation(connection.Access(parsed), request) { Stores = Shared.Stores(parsed, storeLimit), PassPlan = parsed.GetValue(passPlan), ImageRoot = TargetChangeOperation.CheckImageRoot(parsed.GetValue(imageRoot), request) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }
}
