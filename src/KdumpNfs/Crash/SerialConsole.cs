using System.Globalization;
using KdumpNfs.Ssh;

namespace KdumpNfs.Crash;

/// <summary>The program that holds a serial console.</summary>
public enum ConsoleKind
{
    /// <summary>ConMan: <c>conman NAME</c> on the server of the consoles; break is <c>&amp;B</c>.</summary>
    Conman,

    /// <summary>Serial over LAN of a BMC: <c>ipmitool … sol activate</c>; break is <c>~B</c>. Not proven against a BMC.</summary>
    Ipmitool,
}

/// <summary>A serial console of a host, and the machine from which it is reached.</summary>
/// <param name="Server">The console server, reached over SSH: it runs conman or ipmitool.</param>
/// <param name="Kind">Which of the two.</param>
/// <param name="Name">conman: the console's name. ipmitool: the BMC's name or address.</param>
public sealed record SerialConsole(SshHost Server, ConsoleKind Kind, string Name)
{
    /// <summary>conman: where conmand listens, as HOST:PORT seen from the server; null for its default (CONMAN_HOST, else 127.0.0.1:7890).</summary>
    public string? Daemon { get; init; }

    /// <summary>conman: share the console with somebody who holds it (-j). A console is never taken from anybody (-f).</summary>
    public bool Join { get; init; }

    /// <summary>Run conman or ipmitool through sudo on the server.</summary>
    public bool Sudo { get; init; }

    /// <summary>ipmitool: the BMC's user.</summary>
    public string? BmcUser { get; init; }

    /// <summary>ipmitool: a file on the server with the BMC's password (-f); null for IPMI_PASSWORD or IPMITOOL_PASSWORD in the environment there (-E). A password is never put on a command line.</summary>
    public string? BmcPasswordFile { get; init; }

    /// <summary>Where it is, for people.</summary>
    public override string ToString() => $"{(Kind == ConsoleKind.Conman ? "conman" : "SOL")} {Name} at {Server.HostName}";

    /// <summary>Refuses what cannot be a console, before anything is contacted.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public SerialConsole Validated()
    {
        Server.Validated();

        // conman matches names by glob and takes lists with commas: the break must go to one console, the one that was named.
        if (Name.Length is 0 or > 255 || Name[0] == '-' || Name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || "*?[]{},'\"\\".Contains(c, StringComparison.Ordinal)))
        {
            throw Refused($"'{Printable.Escape(Name)}' is not the name of one console.", "Give the name as conman -q lists it, or the address of the BMC.");
        }

        if (Daemon is { } daemon && (daemon.Length == 0 || daemon[0] == '-' || daemon.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)) || !HasPort(daemon)))
        {
            throw Refused($"'{Printable.Escape(daemon)}' is not where a conmand listens.", "Give HOST:PORT as seen from the console server, such as 127.0.0.1:7890.");
        }

        if (BmcUser is { } user && (user.Length == 0 || user[0] == '-' || user.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))))
        {
            throw Refused($"'{Printable.Escape(user)}' is not a user of a BMC.", "Give the name alone.");
        }

        return BmcPasswordFile is { } file && (!file.StartsWith('/') || file.Any(char.IsControl))
            ? throw Refused($"'{Printable.Escape(file)}' is not an absolute path.", "Give the path of the password file on the console server.")
            : this;
    }

    /// <summary>The command that opens it, every word quoted. Its escape character is given, whatever the environment of the server says.</summary>
    internal string Command()
    {
        string[] words = Kind == ConsoleKind.Conman
            ? ["conman", "-e", "&", .. Daemon is { } daemon ? ["-d", daemon] : Array.Empty<string>(), .. Join ? ["-j"] : Array.Empty<string>(), "--", Name]
            : ["ipmitool", "-I", "lanplus", "-H", Name, .. BmcUser is { } user ? ["-U", user] : Array.Empty<string>(),
                .. BmcPasswordFile is { } file ? ["-f", file] : new[] { "-E" }, "-e", "~", "sol", "activate"];
        return "exec " + string.Join(' ', words.Select(ShellQuote.Word));
    }

    private static bool HasPort(string daemon) =>
        daemon.LastIndexOf(':') is > 0 and var colon && int.TryParse(daemon.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536;

    private static HostException Refused(string what, string remedy) => new(ErrorIds.InvalidInput, "", what) { Remedy = remedy };
}

/// <summary>How long to listen to a console after a key.</summary>
public sealed record ConsoleListen
{
    /// <summary>The console is taken to be done when it said nothing for so long.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long to wait for the first word.</summary>
    public TimeSpan FirstWord { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>No longer than this, whatever comes.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>An extended regular expression (grep -E) that ends the listening when it is seen; null for none.</summary>
    public string? Until { get; init; }

    /// <summary>At most so many bytes from the first break on; a console that says more is left.</summary>
    public int MaximumBytes { get; init; } = 4 << 20;
}
