using System.CommandLine;
using System.Net;
using KdumpNfs.Crash;
using KdumpNfs.Ssh;

namespace KdumpNfs.Cli.Commands;

/// <summary>Options that name the serial consoles of hosts.</summary>
internal sealed class ConsoleOptions
{
    private readonly Option<string?> _server = new("--console-host") { Description = "The console server: a machine with conman (or ipmitool), reached over SSH" };
    private readonly Option<string?> _name = new("--console") { Description = "The console's name at conman, or the BMC's address; without it the first part of the host's name" };
    private readonly Option<ConsoleKind> _kind = new("--console-kind") { Description = "What holds the consoles", DefaultValueFactory = _ => ConsoleKind.Conman };
    private readonly Option<string?> _user = new("--console-user") { Description = "Login name on the console server" };
    private readonly Option<int?> _port = new("--console-port") { Description = "Port of its SSH server" };
    private readonly Option<string?> _key = new("--console-key") { Description = "Private key file for it" };
    private readonly Option<bool> _sudo = new("--console-sudo") { Description = "Run conman or ipmitool through sudo -n" };
    private readonly Option<string?> _daemon = new("--conman-daemon") { Description = "Where conmand listens, as HOST:PORT seen from the console server" };
    private readonly Option<bool> _join = new("--join") { Description = "Share a console that somebody holds (conman -j)" };
    private readonly Option<string?> _bmcUser = new("--bmc-user") { Description = "The BMC's user (ipmitool)" };
    private readonly Option<string?> _bmcPasswordFile = new("--bmc-password-file") { Description = "File on the console server with the BMC's password; without it IPMI_PASSWORD of the environment there" };

    /// <summary>Adds the options to a command.</summary>
    public ConsoleOptions(Command command)
    {
        foreach (var option in new Option[] { _server, _name, _kind, _user, _port, _key, _sudo, _daemon, _join, _bmcUser, _bmcPasswordFile })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>How console servers are reached.</summary>
    public HostAccess Access(ParseResult parsed, HostAccess hosts) => hosts with { Options = hosts.Options with { Sudo = parsed.GetValue(_sudo) } };

    /// <summary>The console of a host; null where no console server is named.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public SerialConsole? Make(ParseResult parsed, string hostName)
    {
        var name = parsed.GetValue(_name);
        if (parsed.GetValue(_server) is not { } server)
        {
            return name is null ? null : throw ConnectionOptions.Refused($"The console {Printable.Escape(name)} is named, but not the server that has it.", "Give --console-host as well.");
        }

        var host = new SshHost(server, parsed.GetValue(_user), parsed.GetValue(_port), parsed.GetValue(_key) is { } key ? Path.GetFullPath(key) : null);
        return new SerialConsole(host, parsed.GetValue(_kind), name ?? (IPAddress.TryParse(hostName, out _) ? hostName : hostName.Split('.')[0]))
        {
            Daemon = parsed.GetValue(_daemon),
            Join = parsed.GetValue(_join),
            Sudo = parsed.GetValue(_sudo),
            BmcUser = parsed.GetValue(_bmcUser),
            BmcPasswordFile = parsed.GetValue(_bmcPasswordFile),
        }.Validated();
    }
}
