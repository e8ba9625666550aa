using System.CommandLine;
using KdumpNfs.Crash;
using KdumpNfs.Fleet;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs crash</c>: Invoke-SysrqCrash, and with --collect Wait-Vmcore behind it.</summary>
internal static class CrashCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var maxDown = new Option<int>("--max-down") { Description = "Hosts that may be down at once", DefaultValueFactory = _ => 1 };
        var wait = new Option<bool>("--wait") { Description = "Give a host's result when it is back" };
        var returnTimeout = new Option<int>("--return-timeout") { Description = "Seconds that a host may be away", DefaultValueFactory = _ => 900 };
        var notReady = new Option<bool>("--allow-not-ready") { Description = "Crash hosts that are not ready, too: there will probably be no dump" };
        var collect = new Option<string?>("--collect") { Description = "STORE:/PATH: wait for the dumps there, with the same connection options" };
        var collectTimeout = new Option<int>("--collect-timeout") { Description = "Seconds to wait for each dump", DefaultValueFactory = _ => 1800 };
        var command = new Command("crash", "Crash the kernel of hosts on purpose: looks at all of them, asks once, then pulls the triggers")
        {
            hosts, maxDown, wait, returnTimeout, notReady, collect, collectTimeout,
        };
        var unreachable = new Option<bool>("--allow-unreachable") { Description = "Over the console crash hosts, too, that do not answer over SSH" };
        var listen = new Option<int>("--console-listen") { Description = "Seconds to listen to a console after the crash key", DefaultValueFactory = _ => 60 };
        command.Options.Add(unreachable);
        command.Options.Add(listen);
        var consoles = new ConsoleOptions(command);
        var connection = new ConnectionOptions(command, changes: true, batches: false);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            if (parsed.GetValue(maxDown) < 1)
            {
                throw ConnectionOptions.Refused($"--max-down {parsed.GetValue(maxDown)} would crash nothing.", "Give 1 or more.");
            }

            var access = connection.Access(parsed);
            var operation = new SysrqCrashOperation(access)
            {
                AllowNotReady = parsed.GetValue(notReady),
                AllowUnreachable = parsed.GetValue(unreachable),
                ConsoleAccess = consoles.Access(parsed, access),
                ConsoleListen = new SysrqCrashOperation(access).ConsoleListen with { Limit = ConnectionOptions.Seconds(parsed.GetValue(listen), "--console-listen") },
                ReturnTimeout = ConnectionOptions.Seconds(parsed.GetValue(returnTimeout), "--return-timeout"),
            };
            using var collector = parsed.GetValue(collect) is { } place
                ? Collector.At(session, access, place, name => connection.Host(parsed, name), ConnectionOptions.Seconds(parsed.GetValue(collectTimeout), "--collect-timeout"))
                : null;
            var list = new CrashList();
            session.Filter = value => !Keep(session, list, value);
            session.ForEach(parsed.GetValue(hosts)!,
                name =>
                {
                    consoles.Make(parsed, name);
                    return connection.Host(parsed, name);
                },
                async (host, context, token) => context.Output(await operation.ProbeAsync(host, consoles.Make(parsed, host.HostName), null, context, token)));
            session.Fleet.Finish(session);
            if (list.Candidates.Count == 0 || session.IsInterrupted || !session.Ask(list.Question(parsed.GetValue(maxDown))))
            {
                return;
            }

            // The last thing before the triggers: a store that cannot be listed ends this while all hosts are up.
            collector?.Begin();
            session.Filter = value =>
            {
                collector?.Offer(value);
                return true;
            };
            using var campaign = new CrashCampaign(operation, parsed.GetValue(maxDown), parsed.GetValue(wait));
            session.OnCancel(campaign.Cancel);
            if (!session.IsInterrupted)
            {
                campaign.Run(list.Candidates, session);
                collector?.Finish();
            }
        }));
        return command;
    }

    private static bool Keep(Session session, CrashList list, object value)
    {
        if (value is not CrashCandidate candidate)
        {
            return false;
        }

        if (!list.TryAdd(candidate, out var twin))
        {
            session.Warning(candidate.Host.HostName, $"{candidate.Host.HostName} is the same machine as {twin.Host.HostName}; it is crashed once.");
        }

        return true;
    }
}
