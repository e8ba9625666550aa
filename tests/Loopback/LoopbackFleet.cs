using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Loopback;

/// <summary>
/// Hosts on loopback addresses behind the real sshd and the real sh, each with files, identity and kdump of its own. An sshd listens on 16 sockets
/// at most, so there is one for each sixteen hosts; its ForceCommand enters the host that the address belongs to.
/// </summary>
public sealed class LoopbackFleet : IDisposable
{
    private const int SocketsOfAnSshd = 16;
    private readonly List<Process> _servers = [];
    private readonly List<LoopbackHost> _hosts = [];

    private LoopbackFleet(string home) => Home = home;

    /// <summary>Why fleets cannot be run here; null when they can.</summary>
    public static string? NotRunnable => Obstacle.Value;

    private static readonly Lazy<string?> Obstacle = new(() =>
        OperatingSystem.IsWindows() || Environment.UserName != "root" ? "a loopback fleet needs root on Linux" :
        !File.Exists(Sshd) ? "no sshd is installed (openssh-server)" :
        CommandRunner.Run("unshare", ["-m", "-u", "true"], mayFail: true).Status != 0 ? "mount namespaces are not allowed here" : TryOverlay());

    // In a container the root is often an overlay itself, and another one cannot be put on it.
    private static string? TryOverlay()
    {
        var home = Directory.CreateTempSubdirectory("kdumpnfs-overlay-").FullName;
        try
        {
            var (status, text) = CommandRunner.Run("unshare", ["-m", "sh", "-c", "cd \"$1\" && mkdir up work root && mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root", "sh", home], mayFail: true);
            return status == 0 ? null : "an overlay of this machine's files cannot be mounted: " + text.Trim();
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static string Sshd => CommandRunner.PathOf("sshd") ?? "/usr/sbin/sshd";

    /// <summary>Its directory.</summary>
    public string Home { get; }

    /// <summary>The port of every host.</summary>
    public int Port { get; private set; }

    /// <summary>The hosts.</summary>
    public IReadOnlyList<LoopbackHost> Hosts => _hosts;

    /// <summary>A user key that every host accepts.</summary>
    public string UserKey => Path.Combine(Home, "user");

    /// <summary>known_hosts with every host, and with the proxies that may stand before them.</summary>
    public string KnownHosts => Path.Combine(Home, "known_hosts");

    /// <summary>Options for reaching the fleet.</summary>
    public SshOptions Options => new()
    {
        KnownHostsFiles = [KnownHosts],
        ConfigFile = "/dev/null",
        ConnectTimeout = TimeSpan.FromSeconds(60),
        OperationTimeout = TimeSpan.FromSeconds(120),
    };

    /// <summary>Starts a fleet.</summary>
    /// <param name="hosts">How many hosts.</param>
    /// <param name="configuration">Lines of sshd_config before ours; the first value of an option wins.</param>
    public static LoopbackFleet Start(int hosts, string configuration = "")
    {
        var fleet = new LoopbackFleet(Directory.CreateTempSubdirectory("kdumpnfs-fleet-").FullName);
        try
        {
            fleet.Prepare();
            fleet.Port = FreePort();
            for (var i = 0; i < hosts; i++)
            {
                fleet._hosts.Add(new LoopbackHost(fleet, AddressOf(98, i), i));
            }

            Parallel.ForEach(fleet._hosts, new ParallelOptions { MaxDegreeOfParallelism = 8 }, host => host.Start());
            foreach (var group in fleet._hosts.Chunk(SocketsOfAnSshd))
            {
                fleet.Serve(group, configuration);
            }

            var key = string.Join(' ', File.ReadAllText(Path.Combine(fleet.Home, "host.pub")).Split(' ').Take(2)).Trim();
            File.WriteAllLines(fleet.KnownHosts, Enumerable.Range(0, hosts).SelectMany(i => new[] { AddressOf(98, i), AddressOf(97, i) }).Select(a => $"[{a}]:{fleet.Port} {key}"));
            return fleet;
        }
        catch
        {
            fleet.Dispose();
            throw;
        }
    }

    /// <summary>The content of kdump.conf that sends dumps to a directory of the store.</summary>
    public static string Configuration(string directory) =>
        $"# written by hand\nnfs 192.0.2.10:/dumps\npath /{directory}\ncore_collector makedumpfile -l --message-level 7 -d 31\nfailure_action reboot\n";

    /// <summary>A proxy before a host, on an address of its own and the same port.</summary>
    public FaultProxy ProxyOf(LoopbackHost host, TimeSpan roundTrip = default) =>
        new(new IPEndPoint(ProxyAddressOf(host), Port), new IPEndPoint(host.Address, Port), roundTrip);

    /// <summary>How a controller reaches a host through its proxy.</summary>
    public static SshHost ThroughProxy(LoopbackHost host) => host.Host with { HostName = ProxyAddressOf(host).ToString() };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var server in _servers)
        {
            server.Kill(entireProcessTree: true);
            server.WaitForExit();
            server.Dispose();
        }

        foreach (var host in _hosts)
        {
            host.Dispose();
        }

        Directory.Delete(Home, recursive: true);
    }

    private static IPAddress ProxyAddressOf(LoopbackHost host) => AddressOf(97, host.Number);

    private static IPAddress AddressOf(int network, int number) => new([127, (byte)network, (byte)(number / 250), (byte)((number % 250) + 1)]);

    private static int FreePort()
    {
        using var listener = new TcpListener(AddressOf(98, 0), 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Prepare()
    {
        Directory.CreateDirectory("/run/sshd");
        CommandRunner.Run("cp", ["-a", Path.Combine(AppContext.BaseDirectory, "host") + "/.", Home]);
        CommandRunner.Run("chmod", ["-R", "755", Home]);
        foreach (var name in new[] { "host", "user" })
        {
            CommandRunner.Run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", Path.Combine(Home, name)]);
        }
    }

    private void Serve(LoopbackHost[] hosts, string configuration)
    {
        var file = Path.Combine(Home, $"sshd_config.{_servers.Count}");
        File.WriteAllText(file, $"""
            {configuration}
            {string.Join('\n', hosts.Select(h => $"ListenAddress {h.Address}:{Port}"))}
            PidFile none
            HostKey {Home}/host
            AuthorizedKeysFile {Home}/user.pub
            ForceCommand {Home}/enter.sh {Home}
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            StrictModes no
            UsePAM no
            UseDNS no
            PrintMotd no
            MaxStartups 500
            MaxSessions 50
            SetEnv HOME={Home}

            """);
        var server = Process.Start(new ProcessStartInfo(Sshd, ["-D", "-f", file, "-E", Path.Combine(Home, "log")]))!;
        _servers.Add(server);
        var clock = Stopwatch.StartNew();
        while (!hosts.All(Answers))
        {
            if (server.HasExited || clock.Elapsed > TimeSpan.FromSeconds(60))
            {
                throw new InvalidOperationException("sshd does not start: " + File.ReadAllText(Path.Combine(Home, "log")));
            }

            Thread.Sleep(20);
        }
    }

    private bool Answers(LoopbackHost host)
    {
        try
        {
            using var probe = new TcpClient(new IPEndPoint(IPAddress.Loopback, 0));
            probe.Connect(host.Address, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
