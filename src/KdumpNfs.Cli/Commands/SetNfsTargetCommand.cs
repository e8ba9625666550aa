using System.CommandLine;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs set-nfs-target</c>: Set-KdumpNfsTarget.</summary>
internal static class SetNfsTargetCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var server = new Option<string>("--nfs-server") { Description = "Name or address of the NFS server, as the hosts reach it", Required = true };
        var export = new Option<string>("--export") { Description = "The exported directory on it", Required = true };
        var dumpPath = new Option<string?>("--dump-path") { Description = "Directory for dumps inside the export" };
        var level = Shared.DumpLevel("What the dump leaves out; without it the host keeps what it has");
        var compression = new Option<VmcoreCompression?>("--compression") { Description = "How pages are compressed; without it the host keeps what it has" };
        var createPath = new Option<bool>("--create-path") { Description = "Make the dump directory, from the host, if it is missing" };
        var command = new Command("set-nfs-target", "Send the dumps of hosts to an NFS export, after a check from the host that it mounts and can be written")
        {
            hosts, server, export, dumpPath, level, compression, createPath,
        };
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var request = NfsTargetRequest.Create(parsed.GetValue(server)!, parsed.GetValue(export)!, parsed.GetValue(dumpPath),
                parsed.GetValue(level) is { } text ? (int)DumpLevels.Parse(text) : null, parsed.GetValue(compression), parsed.GetValue(createPath));
            var operation = new SetNfsTargetOperation(connection.Access(parsed), request);
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }
}
