using System.Management.Automation;
using KdumpNfs.Crash;
using KdumpNfs.Ssh;

namespace KdumpNfs.PowerShell;

/// <summary>A cmdlet that reaches hosts over their serial consoles too, through a console server.</summary>
public abstract class ConsoleCmdlet : FleetCmdlet
{
    /// <summary>The console server: a machine with conman (or ipmitool), reached over SSH.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(HostNameCompleter))]
    public string? ConsoleHost { get; set; }

    /// <summary>The console's name at conman, or the BMC's name or address; without it the first part of the host's name.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? Console { get; set; }

    /// <summary>What holds the consoles.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public ConsoleKind ConsoleKind { get; set; } = ConsoleKind.Conman;

    /// <summary>Login name on the console server; without it that of ssh_config or the local account.</summary>
    [Parameter]
    public string? ConsoleUserName { get; set; }

    /// <summary>Port of the console server's SSH server.</summary>
    [Parameter]
    [PortTransformation]
    public int? ConsolePort { get; set; }

    /// <summary>Private key file for the console server.</summary>
    [Parameter]
    public string? ConsoleKeyFilePath { get; set; }

    /// <summary>Runs conman or ipmitool through sudo.</summary>
    [Parameter]
    public SwitchParameter ConsoleSudo { get; set; }

    /// <summary>Where conmand listens, as HOST:PORT seen from the console server.</summary>
    [Parameter]
    public string? ConmanDaemon { get; set; }

    /// <summary>Shares the console with somebody who holds it (conman -j). It is never taken from anybody.</summary>
    [Parameter]
    public SwitchParameter Join { get; set; }

    /// <summary>The BMC's user (ipmitool).</summary>
    [Parameter]
    public string? BmcUser { get; set; }

    /// <summary>A file on the console server with the BMC's password; without it IPMI_PASSWORD of the environment there. A password is never put on a command line.</summary>
    [Parameter]
    public string? BmcPasswordFile { get; set; }

    /// <summary>How console servers are reached.</summary>
    protected HostAccess ConsoleAccess => Access with { Options = Access.Options with { Sudo = ConsoleSudo } };

    /// <summary>The console of a host, with the values that are bound now; null where no console server is named.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    protected SerialConsole? MakeConsole(string hostName)
    {
        ArgumentNullException.ThrowIfNull(hostName);
        if (string.IsNullOrEmpty(ConsoleHost))
        {
            return string.IsNullOrEmpty(Console) ? null
                : throw Refused($"The console {Printable.Escape(Console)} is named, but not the server that has it.", "Give -ConsoleHost as well.");
        }

        var server = new SshHost(ConsoleHost, string.IsNullOrEmpty(ConsoleUserName) ? Credential?.UserName : ConsoleUserName, ConsolePort,
            string.IsNullOrEmpty(ConsoleKeyFilePath) ? null : ResolveFile(ConsoleKeyFilePath, nameof(ConsoleKeyFilePath)));
        var name = !string.IsNullOrEmpty(Console) ? Console : System.Net.IPAddress.TryParse(hostName, out _) ? hostName : hostName.Split('.')[0];
        return new SerialConsole(server, ConsoleKind, name) { Daemon = ConmanDaemon, Join = Join, Sudo = ConsoleSudo, BmcUser = BmcUser, BmcPasswordFile = BmcPasswordFile }.Validated();
    }
}
