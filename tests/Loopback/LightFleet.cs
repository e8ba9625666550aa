using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Loopback;

/// <summary>
/// Thousands of hosts, each with an address of its own, that answer with what a real node answered (lightserver.py): for the controller's time and memory.
/// They run nothing, so nothing can be changed on them.
/// </summary>
public sealed class LightFleet : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private const int MostHosts = 60_000;

    private readonly List<Process> _workers = [];

    private LightFleet(string home, int port, IReadOnlyList<string> addresses) => (Home, Port, Addresses) = (home, port, addresses);

    /// <summary>Why such fleets cannot be run here; null when they can.</summary>
    public static string? NotRunnable => Obstacle.Value;

    private static readonly Lazy<string?> Obstacle = new(() =>
        !OperatingSystem.IsLinux() ? "every 127.x.y.z is an address of this machine only on Linux" :
        !File.Exists(Python) || CommandRunner.Run(Python, ["-W", "ignore", "-c", "import asyncssh"], mayFail: true).Status != 0 ? "python3-asyncssh is not installed" :
        CommandRunner.PathOf("ssh-keygen") is null ? "ssh-keygen is not installed (openssh-client)" : null);

    /// <summary>Its directory.</summary>
    public string Home { get; }

    /// <summary>The port of every host.</summary>
    public int Port { get; }

    /// <summary>The hosts.</summary>
    public IReadOnlyList<string> Addresses { get; }

    /// <summary>A user key that every host accepts.</summary>
    public string UserKey => Path.Combine(Home, "user");

    /// <summary>known_hosts with every host.</summary>
    public string KnownHosts => Path.Combine(Home, "known_hosts");

    /// <summary>Options for reaching the fleet.</summary>
    public SshOptions Options => new()
    {
        KnownHostsFiles = [KnownHosts],
        ConfigFile = "/dev/null",
        ConnectTimeout = TimeSpan.FromSeconds(120),
        OperationTimeout = TimeSpan.FromSeconds(120),
    };

    /// <summary>How a controller reaches a host.</summary>
    public SshHost HostOf(string address) => new(address, "root", Port, UserKey);

    /// <summary>Starts a fleet.</summary>
    /// <param name="hosts">How many hosts.</param>
    /// <param name="facts">What each answers to facts.sh.</param>
    /// <param name="answer">What each answers to <c>cat</c>.</param>
    /// <param name="roundTrip">What is added to each round trip.</param>
    public static LightFleet Start(int hosts, byte[] facts, byte[] answer, TimeSpan roundTrip = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hosts, MostHosts);
        var addresses = Enumerable.Range(0, hosts).Select(i => $"127.96.{i / 250}.{(i % 250) + 1}").ToList();
        var fleet = new LightFleet(Directory.CreateTempSubdirectory("kdumpnfs-light-").FullName, FreePort(), addresses);
        try
        {
            File.WriteAllBytes(Path.Combine(fleet.Home, "facts"), facts);
            File.WriteAllBytes(Path.Combine(fleet.Home, "answer"), answer);
            foreach (var name in new[] { "host", "user" })
            {
                CommandRunner.Run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", Path.Combine(fleet.Home, name)]);
            }

            var key = string.Join(' ', File.ReadAllText(Path.Combine(fleet.Home, "host.pub")).Split(' ').Take(2)).Trim();
            File.WriteAllLines(fleet.KnownHosts, addresses.Select(a => $"[{a}]:{fleet.Port} {key}"));
            for (var i = 0; i < Environment.ProcessorCount; i++)
            {
                fleet.StartWorker(roundTrip);
            }

            return fleet;
        }
        catch
        {
            fleet.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var worker in _workers)
        {
            worker.Kill();
            worker.WaitForExit();
            worker.Dispose();
        }

        Directory.Delete(Home, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // Each on a core; the kernel spreads the connections. Its stdin stays open as long as this process lives, and it ends with that.
    private void StartWorker(TimeSpan roundTrip)
    {
        var worker = Process.Start(new ProcessStartInfo(Python,
            ["-W", "ignore", Path.Combine(AppContext.BaseDirectory, "light", "lightserver.py"), Home, $"{Port}", roundTrip.TotalSeconds.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _workers.Add(worker);
        if (worker.StandardOutput.ReadLine() != "ready")
        {
            throw new InvalidOperationException("The light SSH server does not start.");
        }
    }
}
