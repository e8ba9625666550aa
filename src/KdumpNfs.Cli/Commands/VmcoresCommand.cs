using System.CommandLine;
using KdumpNfs.Collection;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs vmcores</c>: Get-Vmcore.</summary>
internal static class VmcoresCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = new Argument<string[]>("HOST") { Description = "Only dumps of these hosts: names or addresses as the store knows them", Arity = ArgumentArity.ZeroOrMore };
        var states = new Option<VmcoreState[]>("--state") { Description = "Only dumps in these states", AllowMultipleArgumentsPerToken = true };
        var since = new Option<DateTimeOffset?>("--since") { Description = "Only crashes since then" };
        var command = new Command("vmcores", "The dumps of a store, one line for each crash") { hosts, states, since };
        var store = new StoreOptions(command);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var place = store.Make(parsed, connection);
            var filter = new VmcoreFilter { Hosts = parsed.GetValue(hosts) ?? [], States = parsed.GetValue(states) ?? [], Since = parsed.GetValue(since) };
            session.Fleet.Start(store.Name(parsed), async (context, token) =>
            {
                await using (place)
                {
                    foreach (var dump in await GetVmcoreOperation.RunAsync(place, filter, context, token))
                    {
                        context.Output(dump);
                    }
                }
            });
        }));
        return command;
    }
}
