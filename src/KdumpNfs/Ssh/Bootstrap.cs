using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>How a connection begins: the command given to the SSH server, and the program that this command reads from stdin.</summary>
/// <remarks>
/// The command is parsed by the login shell, whatever it is (bash, dash, csh, fish): one pair of single quotes, no backslash, no
/// exclamation mark, no line feed. It reads exactly as many bytes as announced and runs them, or exits with
/// <see cref="CutExitStatus"/> when they did not arrive whole (a start-up file of the shell read stdin).
/// </remarks>
internal sealed class Bootstrap
{
    /// <summary>The program or a script arrived cut.</summary>
    public const int CutExitStatus = 97;

    public Bootstrap(bool sudo)
    {
        Nonce = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        var text = $"_kn_n={Nonce}\n_kn_sudo={(sudo ? 1 : 0)}\n" + Hosts.HostScript.Read("sshloop").Replace("\r", "", StringComparison.Ordinal);
        Program = Encoding.ASCII.GetBytes(text);
        var n = Program.Length.ToString(CultureInfo.InvariantCulture);
        Command = (sudo ? "exec sudo -n -- /bin/sh" : "exec /bin/sh") +
            $" -c 'LC_ALL=C;export LC_ALL;s=$(head -c {n};echo x);s=${{s%x}};[ ${{#s}} -eq {n} ]||exit {CutExitStatus};eval \"$s\"'";
    }

    /// <summary>128 random bits that no output contains by chance.</summary>
    public string Nonce { get; }

    /// <summary>For the exec request of the SSH protocol.</summary>
    public string Command { get; }

    /// <summary>The first bytes of stdin.</summary>
    public byte[] Program { get; }
}
