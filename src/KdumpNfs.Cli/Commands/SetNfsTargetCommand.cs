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
        var createPath = new Option<bool>("--create-path") { Description = "Make the dump directory, from the host, if it is missing" };
        var timeout = new Option<double?>("--nfs-timeout") { Description = "Seconds that an NFS request waits before it is sent again (Debian only)" };
        var retrans = new Option<int?>("--nfs-retrans") { Description = "How often an NFS request is sent again (Debian only)" };
        var command = new Command("set-nfs-target", "Send the dumps of hosts to an NFS export, after a check from the host that it mounts and can be written")
        {
            hosts, server, export, dumpPath, createPath, timeout, retrans,
        };
        var storeLimit = Shared.StoreLimit(command);
        var imageRoot = Shared.ImageRoot(command);
        var capture = new CaptureOptionSet(command);
        var passPlan = Shared.PassPlan();
        command.Options.Add(passPlan);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Changes = !parsed.GetValue(passPlan) }, session =>
        {
            var options = capture.Read(parsed);
            var request = NfsTargetRequest.Create(parsed.GetValue(server)!, parsed.GetValue(export)!, parsed.GetValue(dumpPath),
                (int?)options.DumpLevel, options.Compression, parsed.GetValue(createPath), options.MessageLevel, options.FailureAction,
                parsed.GetValue(timeout) is { } seconds ? TimeSpan.FromMilliseconds(Math.Clamp(seconds, -1, 1e6) * 1000) : null, parsed.GetValue(retrans));
            var operation = new SetNfsTargetOperation(connection.Access(parsed), request) { PassPlan = parsed.GetValue(passPlan), ImageRoot = TargetChangeOperation.CheckImageRoot(parsed.GetValue(imageRoot), request), Stores = Shared.Stores(parsed, storeLimit) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }
}
