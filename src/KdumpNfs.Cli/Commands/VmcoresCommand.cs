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
        var maximum = new Option<int>("--maximum") { Description = "Look into at most so many directories, those that changed last", DefaultValueFactory = _ => new VmcoreFilter().Maximum };
        var command = new Command("vmcores", "The dumps of a store, one line for each crash") { hosts, states, since, maximum };
        var store = new StoreOptions(command);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            if (parsed.GetValue(maximum) < 1)
            {
                throw ConnectionOptions.Refused("--maximum is less than 1.", "Give the number of directories to look into.");
            }

            var place = store.Make(parsed, connection);
            var filter = new VmcoreFilter { Hosts = parsed.GetValue(hosts) ?? [], States = parsed.GetValue(states) ?? [], Since = parsed.GetValue(since), Maximum = parsed.GetValue(maximum) };
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
