using System.CommandLine;
using KdumpNfs.Crash;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs enable-sysrq</c>: Enable-Sysrq.</summary>
internal static class EnableSysrqCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var hosts = Shared.Hosts();
        var mask = new Option<int>("--mask") { Description = "1 for everything, else a sum: 8 dumps and crashes, 16 sync, 32 remount, 128 reboot", DefaultValueFactory = _ => EnableSysrqOperation.AllFunctions };
        var scope = new Option<SettingScope>("--scope") { Description = "How long it lasts", DefaultValueFactory = _ => SettingScope.Persistent };
        var command = new Command("enable-sysrq", "Allow the sysrq functions of the kernel, for this boot or for good") { hosts, mask, scope };
        var imageRoot = Shared.ImageRoot(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new EnableSysrqOperation(connection.Access(parsed))
            {
                Mask = parsed.GetValue(mask), Scope = parsed.GetValue(scope), ImageRoot = SysctlImage.Check(parsed.GetValue(imageRoot), parsed.GetValue(scope)),
            };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), operation.RunAsync);
        }));
        return command;
    }
}
