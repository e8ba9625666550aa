using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace KdumpNfs.Ssh.OpenSsh;

/// <summary>
/// Hands a passphrase to one ssh process: SSH_ASKPASS names a helper in a directory of this user alone (0700), which reads it from a pipe
/// there. The passphrase lies in the kernel's buffer of that pipe, never in a file, an argument or the environment, and goes with it.
/// </summary>
/// <remarks>ssh closes inherited descriptors, so a named pipe is the only private way to the helper. SSH_ASKPASS_REQUIRE=force came with OpenSSH 8.4.</remarks>
internal sealed partial class Askpass : IDisposable
{
    private const int Answers = 4;

    private static readonly ConcurrentDictionary<string, bool> Able = new(StringComparer.Ordinal);

    private readonly string _directory;
    private readonly FileStream _pipe;

    private Askpass(string directory, FileStream pipe)
    {
        _directory = directory;
        _pipe = pipe;
    }

    /// <summary>The helper's path.</summary>
    public string Helper => Path.Combine(_directory, "askpass");

    /// <summary>Whether ssh wanted the passphrase.</summary>
    public bool Asked => Directory.Exists(Path.Combine(_directory, "asked1"));

    /// <summary>Lays the passphrase ready.</summary>
    /// <exception cref="HostException">TransportNotAvailable: this machine or its ssh cannot do that.</exception>
    public static Askpass Create(string program, Secret passphrase, string hostName)
    {
        if (OperatingSystem.IsWindows() || !Able.GetOrAdd(program, IsAble))
        {
            throw new HostException(ErrorIds.TransportNotAvailable, hostName, "This machine's OpenSSH client takes no passphrase from another program (that needs OpenSSH 8.4 or later, not on Windows).")
            {
                Remedy = "Load the key into an agent (ssh-add), or use -Transport SshNet.",
            };
        }

        var parent = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } run && Directory.Exists(run) ? run : Path.GetTempPath();
        var directory = Path.Combine(parent, "kdumpnfs-askpass-" + Convert.ToHexString(RandomNumberGenerator.GetBytes(8)));
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var helper = Path.Combine(directory, "askpass");
            File.WriteAllText(helper, Hosts.HostScript.Read("askpass"));
            File.SetUnixFileMode(helper, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var fifo = Path.Combine(directory, "pipe");
            if (MakeFifo(Encoding.UTF8.GetBytes(fifo + "\0"), Convert.ToUInt32("600", 8)) != 0)
            {
                throw new IOException($"mkfifo {fifo}: error {Marshal.GetLastPInvokeError().ToString(CultureInfo.InvariantCulture)}");
            }

            // Opened for both directions: opening does not wait for the helper, and the pipe keeps what nobody has read yet.
            var pipe = new FileStream(fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            Fill(pipe, passphrase);
            return new Askpass(directory, pipe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(directory);
            throw new HostException(ErrorIds.TransportNotAvailable, hostName, $"The passphrase could not be laid ready for ssh: {e.Message}", e)
            {
                Remedy = $"See that {parent} can be written and that programs may be run there, load the key into an agent, or use -Transport SshNet.",
            };
        }
    }

    /// <summary>Takes the passphrase away again.</summary>
    public void Dispose()
    {
        _pipe.Dispose();
        Remove(_directory);
    }

    private static void Fill(FileStream pipe, Secret passphrase)
    {
        var bytes = passphrase.ToBytes();
        byte[] line = [.. bytes, (byte)'\n'];
        try
        {
            for (var i = 0; i < Answers; i++)
            {
                pipe.Write(line);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            CryptographicOperations.ZeroMemory(line);
        }
    }

    private static void Remove(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty pipe and a script without a secret stay in a private directory.
        }
    }

    private static bool IsAble(string program)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, ["-V"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            var words = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return Version().Match(words) is { Success: true } match &&
                (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)).CompareTo((8, 4)) >= 0;
        }
        catch (Win32Exception)
        {
            // No ssh at all: starting it says so in its own words.
            return true;
        }
    }

    [GeneratedRegex(@"OpenSSH_(\d{1,4})\.(\d{1,4})", RegexOptions.CultureInvariant)]
    private static partial Regex Version();

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakeFifo(byte[] path, uint mode);
}
