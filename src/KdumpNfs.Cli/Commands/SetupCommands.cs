using System.CommandLine;
using KdumpNfs.Setup;

namespace KdumpNfs.Cli.Commands;

/// <summary><c>kdumpnfs install-kdump</c>, <c>disable-kdump</c> and <c>update-initramfs</c>: Install-Kdump, Disable-Kdump, Update-KdumpInitramfs.</summary>
internal static class SetupCommands
{
    /// <summary>Install-Kdump.</summary>
    public static Command CreateInstall()
    {
        var hosts = Shared.Hosts();
        var refresh = new Option<bool>("--refresh") { Description = "Fetch the package lists first" };
        var command = new Command("install-kdump", "Install the packages of kdump over NFS and enable its service; upgrades and removes nothing") { hosts, refresh };
        var storeLimit = Shared.StoreLimit(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new InstallKdumpOperation(connection.Access(parsed)) { Refresh = parsed.GetValue(refresh), Stores = Shared.Stores(parsed, storeLimit) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }

    /// <summary>Disable-Kdump.</summary>
    public static Command CreateDisable()
    {
        var hosts = Shared.Hosts();
        var remove = new Option<bool>("--remove-reservation") { Description = "Also take the reservation out of the boot loader, from the next boot on" };
        var command = new Command("disable-kdump", "Switch kdump off: no crash of the host is captured any more") { hosts, remove };
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new DisableKdumpOperation(connection.Access(parsed)) { RemoveReservation = parsed.GetValue(remove) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }

    /// <summary>Update-KdumpInitramfs.</summary>
    public static Command CreateUpdate()
    {
        var hosts = Shared.Hosts();
        var command = new Command("update-initramfs", "Build the capture image again and load it; the host stays armed meanwhile") { hosts };
        var storeLimit = Shared.StoreLimit(command);
        var connection = new ConnectionOptions(command, changes: true);
        command.SetAction(parsed => Session.Run(() => connection.Session(parsed), session =>
        {
            var operation = new UpdateInitramfsOperation(connection.Access(parsed)) { Stores = Shared.Stores(parsed, storeLimit) };
            session.ForEach(parsed.GetValue(hosts)!, name => connection.Host(parsed, name), (host, context, token) => operation.RunAsync(host, null, context, token));
        }));
        return command;
    }
}
