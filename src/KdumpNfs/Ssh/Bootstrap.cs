using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KdumpNfs.Ssh;

/// <summary>How a connection begins: the command given to the SSH server, and the program that this command reads from stdin.</summary>
/// <remarks>
/// The command is parsed by the login shell, whatever it is (bash, dash, csh, fish): one pair of single quotes, no backslash, no
/// exclamation mark, no line feed. It reads exactly as many bytes as announced and runs them, or exits with
/// <see cref="CutExitStatus"/> when they are not the program from its first to its last word: a start-up file of the shell read some of
/// stdin, and what was sent behind the program moved up.
/// Where sudo may ask, it is told to ask on stderr and to read from stdin (-S). Until the shell says that it is there nothing else is
/// sent, so that sudo gets the password if it asks, and nothing else does if it does not. sudo reads that line byte by byte.
/// </remarks>
internal sealed class Bootstrap
{
    /// <summary>The program or a script arrived cut.</summary>
    public const int CutExitStatus = 97;

    /// <param name="options">Whether sudo runs the shell, and whether there is a password for it.</param>
    public Bootstrap(SshOptions options)
    {
        Nonce = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        Password = options.SecretForSudo;
        var text = $"_kn_n={Nonce}\n_kn_sudo={(options.Sudo ? 1 : 0)}\n" + Hosts.HostScript.Read("sshloop").Replace("\r", "", StringComparison.Ordinal) + "#" + Nonce;
        Program = Encoding.ASCII.GetBytes(text);
        var n = Program.Length.ToString(CultureInfo.InvariantCulture);

        // sudo speaks the language of the account; its words are looked at, so they have to be the English ones.
        var sudo = "exec env LC_ALL=C sudo ";
        var here = "";
        if (Password is not null)
        {
            // Only a prompt that nobody can print by chance is answered. It must not begin like the nonce, for which the decoder looks.
            Prompt = "kdumpnfs-asks-" + Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
            sudo += $"-S -p {Prompt} -- ";
            here = $"echo;echo {Nonce} {Here};";
        }
        else
        {
            sudo += "-n -- ";
        }

        Command = (options.Sudo ? sudo : "exec ") +
            $"/bin/sh -c '{here}LC_ALL=C;export LC_ALL;s=$(head -c {n};echo x);s=${{s%x}};case ${{#s}},$s in {n},_kn_n={Nonce}*#{Nonce}) ;; *) exit {CutExitStatus};; esac;eval \"$s\"'";
    }

    /// <summary>The marker that the shell gives before it reads the program, where sudo may want a password first.</summary>
    public const string Here = "here";

    /// <summary>What sudo is given when it asks; null when it must not ask.</summary>
    public Secret? Password { get; }

    /// <summary>What sudo asks with, on stderr; null when it must not ask.</summary>
    public string? Prompt { get; }

    /// <summary>128 random bits that no output contains by chance.</summary>
    public string Nonce { get; }

    /// <summary>For the exec request of the SSH protocol.</summary>
    public string Command { get; }

    /// <summary>The first bytes of stdin.</summary>
    public byte[] Program { get; }
}
