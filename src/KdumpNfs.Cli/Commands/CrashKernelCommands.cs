using System.CommandLine;
using KdumpNfs.Kdump;
using KdumpNfs.Setup;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs reservation</c> and <c>kdumpnfs set-reservation</c>: Get- and Set-CrashKernelReservation.</summary>
internal static class CrashKernelCommands
{
    /// <summary>Looks.</summary>
    public static Command CreateGet()
    {
        var hosts = Shared.Hosts();
        var estimate = new Option<bool>("--estimate") { Description = "Also ask kdumpctl estimate: up to a minute, and a stale capture image is built first" };
        var command = new Command("reservation", "The memory reserved for the capture kernel, now and after the next boot") { hosts, estimate };
        var connection = new ConnectionOptions(command);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new GetCrashKernelOperation(connection.Access(parsed)) { Estimate = parsed.GetValue(estimate) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name),
                async (host, context, token) => context.Output(await operation.RunAsync(host, context, token)));
        }));
        return command;
    }

    /// <summary>Changes.</summary>
    public static Command CreateSet()
    {
        var hosts = Shared.Hosts();
        var size = new Option<string[]>("--size") { Description = "What stands after crashkernel=: 256M, 1G-4G:192M,4G-:256M, or 512M,high (repeat for 128M,low)" };
        var recommended = new Option<bool>("--recommended") { Description = "What each distribution's own tools set by default" };
        var force = new Option<bool>("--force") { Description = "Trust that a host boots from its own boot loader although nothing shows it" };
        var command = new Command("set-reservation", "Reserve memory for the capture kernel from the next boot on; reboots nothing") { hosts, size, recommended, force };
        var imageRoot = Shared.ImageRoot(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed) with { Force = parsed.GetValue(force) }, session =>
        {
            var operation = new SetCrashKernelOperation(connection.Access(parsed), CrashKernelRequest.Create(parsed.GetValue(size), parsed.GetValue(recommended)))
            {
                TrustBootLoader = parsed.GetValue(force),
                ImageRoot = parsed.GetValue(imageRoot) is { } root ? TargetInput.CheckImageRoot(root) : null,
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }
}
