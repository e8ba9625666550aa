using System.CommandLine;
using KdumpNfs.Kdump;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs estimate</c>: Get-VmcoreEstimate.</summary>
internal static class EstimateCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var level = Shared.DumpLevel("What the dump leaves out; without it as the host is configured");
        var coarse = new Option<bool>("--coarse") { Description = "Take the kernel's own counters at once: quick, no root needed, a wider range" };
        var command = new Command("estimate", "How large a dump would be, from makedumpfile's own count of pages") { hosts, level, coarse };
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new VmcoreEstimateOperation(connection.Access(parsed)) { DumpLevel = parsed.GetValue(level) is { } text ? DumpLevels.Parse(text) : null, Coarse = parsed.GetValue(coarse) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name),
                async (host, context, token) => context.Output(await operation.RunAsync(host, context, token)));
        }));
        return command;
    }
}
