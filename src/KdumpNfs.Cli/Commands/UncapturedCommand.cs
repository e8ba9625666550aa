using System.CommandLine;
using KdumpNfs.Crash;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs uncaptured</c>: Find-UncapturedCrash.</summary>
internal static class UncapturedCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var since = new Option<DateTimeOffset?>("--since") { Description = "Only boots that ended since then" };
        var all = new Option<bool>("--include-captured") { Description = "Boots, too, whose dump is there" };
        var maximum = new Option<int>("--maximum") { Description = "Look at no more than so many boots of a host", DefaultValueFactory = _ => 20 };
        var command = new Command("uncaptured", "Boots of hosts that did not end in good order, and whether the store has a dump of each") { hosts, since, all, maximum };
        var store = new StoreOptions(command);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var place = store.Make(parsed, connection);
            using var operation = new FindUncapturedCrashOperation(connection.Access(parsed), place)
            {
                Since = parsed.GetValue(since),
                IncludeCaptured = parsed.GetValue(all),
                Maximum = parsed.GetValue(maximum),
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
            KdumpNfs.Fleet.FleetPump.Finish(session.Fleet, session);
            place.DisposeAsync().AsTask().Wait(TimeSpan.FromMilliseconds(300));
        }));
        return command;
    }
}
