using System.CommandLine;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs status</c>: Get-KdumpStatus.</summary>
internal static class StatusCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var expected = new Option<string?>("--expected-target") { Description = "Where dumps should go, as server:/path; another target makes a host NotReady" };
        var command = new Command("status", "Whether each host would leave a vmcore, and what stands against it") { hosts, expected };
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            session.FailsAsStatus = true;
            var operation = new KdumpStatusOperation(connection.Access(parsed))
            {
                ExpectedTarget = parsed.GetValue(expected) is { } text ? TargetInput.Parse(text).Target : null,
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name),
                async (host, context, token) => context.Output(await operation.RunAsync(host, context, token)));
        }));
        return command;
    }
}
