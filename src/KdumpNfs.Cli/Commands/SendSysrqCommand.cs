using System.CommandLine;
using KdumpNfs.Crash;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs send-sysrq</c>: Send-Sysrq.</summary>
internal static class SendSysrqCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var keys = new Option<string[]>("--sysrq-key", "-k") { Description = "Sysrq keys: h lists them, t stacks of all tasks, w of blocked ones, l of all processors, m memory", Required = true };
        var quiet = new Option<int>("--quiet") { Description = "Seconds of silence after which a console is taken to be done", DefaultValueFactory = _ => 2 };
        var limit = new Option<int>("--listen") { Description = "Seconds to listen at most, for each key", DefaultValueFactory = _ => 120 };
        var until = new Option<string?>("--until") { Description = "Extended regular expression; listening ends when it is seen" };
        var keepLevel = new Option<bool>("--keep-console-level") { Description = "Leave the console's level as it is: a quiet console shows headers alone" };
        var unproven = new Option<bool>("--allow-unproven") { Description = "Send keys that are not harmless to a console that could not be proved to be the host's" };
        var force = new Option<bool>("--force") { Description = "Answer the second question, that about keys that are not harmless" };
        var command = new Command("send-sysrq", "Send sysrq keys over the serial consoles of hosts, and show what the consoles say") { hosts, keys, quiet, limit, until, keepLevel, unproven, force };
        var consoles = new ConsoleOptions(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Force = parsed.GetValue(force) }, session =>
        {
            var access = connection.Access(parsed);
            var operation = new SendSysrqOperation(access, consoles.Access(parsed, access), parsed.GetValue(keys) ?? [])
            {
                Listen = new ConsoleListen
                {
                    Quiet = ConnectionOptions.Seconds(parsed.GetValue(quiet), "--quiet"),
                    Limit = ConnectionOptions.Seconds(parsed.GetValue(limit), "--listen"),
                    Until = parsed.GetValue(until),
                },
                RaiseConsoleLevel = !parsed.GetValue(keepLevel),
                AllowUnproven = parsed.GetValue(unproven),
            };
            session.ForEach(parsed.GetValue(hosts)!,
                name =>
                {
                    _ = consoles.Make(parsed, name) ?? throw ConnectionOptions.Refused("No console server is given.", "Name it with --console-host.");
                    return connection.Host(parsed, name);
                },
                (host, context, token) => operation.RunAsync(host, consoles.Make(parsed, host.HostName)!, context, token));
        }));
        return command;
    }
}
