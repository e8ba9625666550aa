using System.CommandLine;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs hold-vmcore</c>: Set-VmcoreHold, and with --clear Clear-VmcoreHold.</summary>
internal static class HoldVmcoreCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH") { Description = "Crash directories on the store, as vmcores shows them", Arity = ArgumentArity.OneOrMore };
        var store = new Option<string>("--store") { Description = "The storage server, or any host that sees the share as a path", Required = true };
        var clear = new Option<bool>("--clear") { Description = "Let them be removed again" };
        var reason = new Option<string?>("--reason") { Description = "Why, for whoever finds the marker" };
        var command = new Command("hold-vmcore", "Keep dumps from being removed (a file .hold in the crash directory), or let go of them") { paths, store, clear, reason };
        var connection = new ConnectionOptions(command, changes: true, batches: false);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new VmcoreHoldOperation(connection.Access(parsed)) { Hold = !parsed.GetValue(clear), Reason = parsed.GetValue(reason) };
            var host = connection.Host(parsed, parsed.GetValue(store)!);
            foreach (var path in parsed.GetValue(paths)!)
            {
                session.Fleet.Add(session, host.HostName, (context, token) => operation.RunAsync(host, path, context, token));
            }
        }));
        return command;
    }
}
