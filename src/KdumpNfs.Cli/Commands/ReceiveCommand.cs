using System.CommandLine;
using KdumpNfs.Collection;
using KdumpNfs.Fleet;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs receive</c>: Receive-Vmcore.</summary>
internal static class ReceiveCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH") { Description = "Crash directories on the store, as vmcores shows them, or a file in one", Arity = ArgumentArity.OneOrMore };
        var store = new Option<string>("--store") { Description = "The storage server, or any host that sees the share as a path", Required = true };
        var to = new Option<string>("--to") { Description = "Directory of this machine to put them into", DefaultValueFactory = _ => "." };
        var dumpOnly = new Option<bool>("--dump-only") { Description = "The dump alone, without kernel log and capture log" };
        var force = new Option<bool>("--force") { Description = "Replace local files that are something else" };
        var command = new Command("receive", "Fetch crash directories from a store, verify them, and continue what was begun") { paths, store, to, dumpOnly, force };
        var connection = new ConnectionOptions(command, writesHere: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new ReceiveVmcoreOperation(connection.Access(parsed))
            {
                Destination = Path.GetFullPath(parsed.GetValue(to)!),
                DumpOnly = parsed.GetValue(dumpOnly),
                Force = parsed.GetValue(force),
            };
            var host = connection.Host(parsed, parsed.GetValue(store)!);
            foreach (var path in parsed.GetValue(paths)!.Where(path => session.Ask($"Fetch {host.HostName}:{path} to {operation.Destination}")))
            {
                session.Fleet.Add(session, host.HostName, async (context, token) => context.Output(await operation.RunAsync(host, path, context, token)));
            }
        }));
        return command;
    }
}
