using System.CommandLine;
using KdumpNfs.Nfs;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs enable-export</c>: Enable-NfsExport.</summary>
internal static class EnableExportCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var path = new Option<string>("--export") { Description = "The directory to export", Required = true };
        var client = new Option<string>("--client") { Description = "Who may mount it: host, address, subnet, wildcard or netgroup", Required = true };
        var option = new Option<string[]>("--option") { Description = $"Export options; {string.Join(',', NfsExportRequest.DefaultOption)} by default", AllowMultipleArgumentsPerToken = true };
        var dumpPath = new Option<string?>("--dump-path") { Description = "Directory for dumps inside the export, made for root alone" };
        var create = new Option<bool>("--create-directory") { Description = "Make the exported directory if it is missing" };
        var mount = new Option<bool>("--require-mount") { Description = "Refuse a directory that is not a mount of its own" };
        var force = new Option<bool>("--force") { Description = "Export to everybody without a second question" };
        var install = new Option<bool>("--install") { Description = "Install the NFS server where it is missing; nothing is upgraded or removed" };
        var refresh = new Option<bool>("--refresh") { Description = "With --install: fetch the package lists first" };
        var firewall = new Option<bool>("--open-firewall") { Description = "Let NFS through a running firewalld, now and for good" };
        var command = new Command("enable-export", "Export a directory of a storage server to the hosts that dump to it")
        {
            hosts, path, client, option, dumpPath, create, mount, install, refresh, firewall, force,
        };
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Force = parsed.GetValue(force) }, session =>
        {
            var request = NfsExportRequest.Create(parsed.GetValue(path)!, parsed.GetValue(client)!, parsed.GetValue(option), parsed.GetValue(dumpPath),
                parsed.GetValue(create), parsed.GetValue(mount));
            var operation = new EnableNfsExportOperation(connection.Access(parsed), request)
            {
                Install = parsed.GetValue(install),
                Refresh = parsed.GetValue(refresh),
                OpenFirewall = parsed.GetValue(firewall),
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }
}
