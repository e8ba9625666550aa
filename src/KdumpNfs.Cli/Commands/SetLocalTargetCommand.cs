using System.CommandLine;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs set-local-target</c>: Set-KdumpLocalTarget.</summary>
internal static class SetLocalTargetCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var dumpPath = new Option<string?>("--dump-path") { Description = "The directory, on the device or from the host's root; without it the host keeps what it has" };
        var device = new Option<string?>("--device") { Description = "A device that is mounted for the dump: /dev/…, UUID=… or LABEL=…" };
        var fileSystem = new Option<string?>("--file-system") { Description = "The device's file system: ext4, xfs, btrfs…" };
        var createPath = new Option<bool>("--create-path") { Description = "Make the dump directory if it is missing" };
        var command = new Command("set-local-target", "Keep the dumps of hosts on their own disks") { hosts, dumpPath, device, fileSystem, createPath };
        var imageRoot = Shared.ImageRoot(command);
        var capture = new CaptureOptionSet(command);
        var passPlan = Shared.PassPlan();
        command.Options.Add(passPlan);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Changes = !parsed.GetValue(passPlan) }, session =>
        {
            var request = LocalTargetRequest.Create(parsed.GetValue(dumpPath), parsed.GetValue(device), parsed.GetValue(fileSystem), capture.Read(parsed), parsed.GetValue(createPath));
            var operation = new SetLocalTargetOperation(connection.Access(parsed), request) { PassPlan = parsed.GetValue(passPlan), ImageRoot = TargetChangeOperation.CheckImageRoot(parsed.GetValue(imageRoot), request) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }
}
