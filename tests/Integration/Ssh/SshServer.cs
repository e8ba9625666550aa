using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KdumpNfs.Tests.Integration.Ssh;

/// <summary>A real sshd of its own: own host keys, own configuration, a free port on a loopback address; nothing is left when disposed.</summary>
public sealed class SshServer : IDisposable
{
    public const string Address = "127.0.0.1";

    private static readonly string[] Programs = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd"];

    private readonly Process _process;

    private SshServer(string directory, int port, Process process)
    {
        Home = directory;
        Port = port;
        _process = process;
    }

    /// <summary>Path of sshd, or null.</summary>
    public static string? Program => Programs.FirstOrDefault(File.Exists);

    /// <summary>Why servers cannot be run here; null when they can.</summary>
    public static string? NotRunnable =>
        Program is null ? "no sshd is installed (openssh-server)" :
        !CommandRunner.Exists("ssh-keygen") || !CommandRunner.Exists("ssh") ? "no OpenSSH client is installed" :
        OperatingSystem.IsWindows() || Environment.UserName != "root" ? "sshd runs as root only in these tests" : null;

    /// <summary>Temporary directory with keys, configuration and whatever a test puts there.</summary>
    public string Home { get; }

    public int Port { get; }

    public int ProcessId => _process.Id;

    /// <summary>A user key that the server accepts.</summary>
    public string UserKey => Path.Combine(Home, "user_ed25519");

    /// <summary>known_hosts with all keys of the server.</summary>
    public string KnownHosts => Path.Combine(Home, "known_hosts");

    /// <summary>Name of the server in known_hosts.</summary>
    public string Lookup => $"[{Address}]:{Port}";

    /// <summary>Public host key, "TYPE BASE64".</summary>
    public string HostKey(string kind) =>
        string.Join(' ', File.ReadAllText(Path.Combine(Home, $"host_{kind}.pub")).Split(' ').Take(2)).Trim();

    /// <summary>Starts a server.</summary>
    /// <remarks>Sessions have a home of their own: what this machine's root has in its start-up files belongs to no test, and may take seconds for each session.</remarks>
    /// <param name="configuration">Lines that come before ours; the first value wins in sshd_config, and of SetEnv the first line.</param>
    /// <param name="hostKeys">Kinds of host keys.</param>
    public static SshServer Start(string configuration = "", params string[] hostKeys)
    {
        var kinds = hostKeys.Length == 0 ? ["ed25519", "ecdsa", "rsa"] : hostKeys;
        var home = Directory.CreateTempSubdirectory("kdumpnfs-sshd-").FullName;
        foreach (var kind in kinds)
        {
            GenerateKey(kind, Path.Combine(home, "host_" + kind));
        }

        GenerateKey("ed25519", Path.Combine(home, "user_ed25519"));
        File.Copy(Path.Combine(home, "user_ed25519.pub"), Path.Combine(home, "authorized_keys"));
        Directory.CreateDirectory("/run/sshd");
        for (var attempt = 0; ; attempt++)
        {
            var port = FreePort();
            // Of MaxStartups, unlike other words, sshd takes the last one.
            var config = $"""
                {configuration.Replace("HOME", home, StringComparison.Ordinal)}
                ListenAddress {Address}:{port}
                PidFile {home}/pid
                {string.Join('\n', kinds.Select(kind => $"HostKey {home}/host_{kind}"))}
                AuthorizedKeysFile {home}/authorized_keys
                PermitRootLogin yes
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                StrictModes no
                UsePAM no
                UseDNS no
                PrintMotd no
                {(configuration.Contains("MaxStartups", StringComparison.Ordinal) ? "" : "MaxStartups 200")}
                LogLevel VERBOSE
                SetEnv HOME={home}

                """;
            File.WriteAllText(Path.Combine(home, "sshd_config"), config);
            var process = Process.Start(new ProcessStartInfo(Program!, ["-D", "-f", Path.Combine(home, "sshd_config"), "-E", Path.Combine(home, "log")]))!;
            if (Listening(process, port))
            {
                var server = new SshServer(home, port, process);
                File.WriteAllText(server.KnownHosts, string.Concat(kinds.Select(kind => $"{server.Lookup} {server.HostKey(kind)}\n")));
                return server;
            }

            process.Dispose();
            if (attempt == 5)
            {
                throw new InvalidOperationException("sshd does not start: " + File.ReadAllText(Path.Combine(home, "log")));
            }
        }
    }

    /// <summary>Makes a key without a passphrase (or with one).</summary>
    public static void GenerateKey(string kind, string path, string passphrase = "", string format = "RFC4716")
    {
        File.Delete(path);
        var size = kind == "rsa" ? new[] { "-b", "2048" } : [];
        CommandRunner.Run("ssh-keygen", ["-q", "-t", kind, .. size, "-m", format, "-N", passphrase, "-C", "", "-f", path]);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Parse(Address), 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Kills the server's processes for open connections: not the server, and none of what runs in the sessions.</summary>
    public void KillSessions()
    {
        foreach (var child in Descendants(_process.Id).Where(id => Name(id).StartsWith("sshd", StringComparison.Ordinal)))
        {
            CommandRunner.Run("kill", ["-9", child.ToString(System.Globalization.CultureInfo.InvariantCulture)], mayFail: true);
        }
    }

    public void Dispose()
    {
        var children = Descendants(_process.Id);
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        foreach (var child in children)
        {
            CommandRunner.Run("kill", ["-9", child.ToString(System.Globalization.CultureInfo.InvariantCulture)], mayFail: true);
        }

        Directory.Delete(Home, recursive: true);
    }

    /// <summary>Processes below one, by /proc.</summary>
    public static List<int> Descendants(int root)
    {
        var parents = new Dictionary<int, int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out var id) && ParentOf(id) is { } parent)
            {
                parents[id] = parent;
            }
        }

        var found = new List<int> { root };
        for (var i = 0; i < found.Count; i++)
        {
            found.AddRange(parents.Where(p => p.Value == found[i]).Select(p => p.Key));
        }

        return found[1..];
    }

    private static string Name(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/comm");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static int? ParentOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool Listening(Process process, int port)
    {
        for (var i = 0; i < 1500 && !process.HasExited; i++)
        {
            try
            {
                using var probe = new TcpClient(Address, port);
                return true;
            }
            catch (SocketException)
            {
                Thread.Sleep(20);
            }
        }

        return false;
    }
}
