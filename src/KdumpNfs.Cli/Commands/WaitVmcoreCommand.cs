using System.CommandLine;
using System.Text.Json;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs wait-vmcore</c>: Wait-Vmcore.</summary>
internal static class WaitVmcoreCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = new Argument<string[]>("HOST") { Description = "Crashed hosts: names or addresses as the store knows them", Arity = ArgumentArity.ZeroOrMore };
        var crashes = new Option<string?>("--crash") { Description = "File with the output of crash --json; - for stdin" };
        var timeout = new Option<int>("--wait-timeout") { Description = "Seconds to wait for each dump", DefaultValueFactory = _ => 1800 };
        var command = new Command("wait-vmcore", """
            Wait until the dumps of crashed hosts are complete, have failed or are overdue.

            Started together with the crash it lists the store first: kdumpnfs crash HOST --yes --json | kdumpnfs wait-vmcore --crash - ...
            """) { hosts, crashes, timeout };
        var store = new StoreOptions(command);
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var names = parsed.GetValue(hosts) ?? [];
            var file = parsed.GetValue(crashes);
            if (names.Length == 0 && file is null)
            {
                throw ConnectionOptions.Refused("It is not clear which dumps to wait for.", "Name crashed hosts, or give --crash the output of kdumpnfs crash --json.");
            }

            if (file is not null and not "-" && !File.Exists(file))
            {
                throw ConnectionOptions.Refused($"The file '{Printable.Escape(file)}' does not exist.", "Give --crash the output of kdumpnfs crash --json.");
            }

            using var collector = new Collector(session, store.Make(parsed, connection), store.Name(parsed),
                ConnectionOptions.Seconds(parsed.GetValue(timeout), "--wait-timeout"));
            collector.Begin();
            foreach (var name in names)
            {
                collector.Wait(name, [name], null);
            }

            if (file is not null)
            {
                Read(session, collector, file);
            }

            collector.Finish();
        }));
        return command;
    }

    private static void Read(Session session, Collector collector, string file)
    {
        using var lines = file == "-" ? Console.In : File.OpenText(file);
        while (!session.IsInterrupted && lines.ReadLine() is { } line)
        {
            if (line.Trim().Length == 0)
            {
                continue;
            }

            try
            {
                collector.Offer(JsonSerializer.Deserialize(line, OutputJson.Shared.SysrqCrash)!);
            }
            catch (JsonException e)
            {
                session.Failed(new HostException(ErrorIds.HostNameMissing, "", $"A line is no crash: {Printable.Escape(line.Length > 80 ? line[..80] : line)}", e)
                {
                    Remedy = "Give the output of kdumpnfs crash --json.",
                });
            }
        }
    }
}
