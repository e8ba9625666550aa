using System.CommandLine;
using KdumpNfs.Crash;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs disable-sysrq</c>: Disable-Sysrq.</summary>
internal static class DisableSysrqCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var mask = new Option<int?>("--mask") { Description = "The mask to set; without it what was there before enable-sysrq comes back" };
        var scope = new Option<SettingScope>("--scope") { Description = "Boot changes what is in force only", DefaultValueFactory = _ => SettingScope.Persistent };
        var command = new Command("disable-sysrq", "Take enable-sysrq back, or set a smaller mask") { hosts, mask, scope };
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new DisableSysrqOperation(connection.Access(parsed)) { Mask = parsed.GetValue(mask), Scope = parsed.GetValue(scope) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }
}
