using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>The loopback fleet of all fault tests.</summary>
public sealed class SharedFleet : IDisposable
{
    private readonly Lazy<LoopbackFleet> _fleet = new(() => LoopbackFleet.Start(8));

    public LoopbackFleet Fleet => _fleet.Value;

    public void Dispose()
    {
        if (_fleet.IsValueCreated)
        {
            _fleet.Value.Dispose();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class FleetGroup : ICollectionFixture<SharedFleet>
{
    public const string Name = "fleet";
}

/// <summary>What the fault tests share: a change of the target under a fault, and what must be true of the host afterwards.</summary>
public abstract class FleetScenarios(SharedFleet shared, ITestOutputHelper output)
{
    protected const string Conf = "/etc/kdump.conf";

    protected virtual LoopbackFleet Fleet => shared.Fleet;

    protected ITestOutputHelper Out { get; } = output;

    /// <summary>What a cut connection may be called: each says that the host was lost and at which point.</summary>
    protected static readonly string[] LostIds =
    [
        ErrorIds.Unreachable, ErrorIds.ConnectionLost, ErrorIds.ConnectionReset, ErrorIds.NotAdmitted, ErrorIds.Timeout, ErrorIds.ProtocolError, ErrorIds.ApplyUnfinished,
    ];

    protected static void NeedFleet() => Skip.If(LoopbackFleet.NotRunnable is not null, LoopbackFleet.NotRunnable);

    /// <summary>Changes the target of hosts as a user's command does.</summary>
    protected static CollectingFront Change(SshOptions options, IHostConnector connector, string directory, params SshHost[] hosts) => Change(options, connector, directory, 32, hosts);

    /// <summary>The same, so many hosts at once.</summary>
    protected static CollectingFront Change(SshOptions options, IHostConnector connector, string directory, int throttle, params SshHost[] hosts)
    {
        var access = new HostAccess(connector, options);
        var operation = new SetNfsTargetOperation(access, NfsTargetRequest.Create("192.0.2.10", "/dumps", "/" + directory, null, null, createPath: false));
        var front = new CollectingFront();
        using var fleet = new FleetRun(throttle);
        foreach (var host in hosts)
        {
            fleet.Add(front, host, (context, token) => operation.RunAsync(host, null, context, token));
        }

        fleet.Finish(front);
        return front;
    }

    /// <summary>Waits until no job runs on a host any more.</summary>
    protected static void Settle(LoopbackHost host)
    {
        for (var i = 0; host.Processes().Count > 0; i++)
        {
            Assert.True(i < 600, "Something still runs on the host: " + host.Run("ps -ef | tail -n 20", mayFail: true));
            Thread.Sleep(50);
        }
    }

    /// <summary>After whatever happened: old or new, a copy once it is the new one, and armed with what the file says. Gives whether it is the new one.</summary>
    protected static bool Consistent(LoopbackHost host, string before, string what)
    {
        Settle(host);
        var now = host.Read(Conf);
        var isNew = now != before;
        if (isNew)
        {
            var expected = before.Contains("path /a\n", StringComparison.Ordinal) ? before.Replace("path /a\n", "path /b\n", StringComparison.Ordinal) : before.Replace("path /b\n", "path /a\n", StringComparison.Ordinal);
            Assert.True(expected == now, $"{what}: the file is neither the old nor the new one:\n{now}");
            Assert.True(host.Run($"cat /etc/kdump.conf.kdumpnfs-*.bak").Contains(before, StringComparison.Ordinal), $"{what}: no copy of the old file");
        }

        Assert.Equal("1", host.Read("/sys/kernel/kexec_crash_loaded").Trim());
        var image = host.Run("cat /boot/initramfs-$(uname -r)kdump.img");
        Assert.True(image == now, $"{what}: what is loaded is not what the file says:\n{image}");
        return isNew;
    }

    /// <summary>A second run without faults does what was asked for and leaves nothing else.</summary>
    protected void Converges(LoopbackHost host, IHostConnector connector, string directory, string what)
    {
        var front = Change(Fleet.Options, connector, directory, host.Host);
        Assert.True(front.Errors.Count == 0, $"{what}: the second run failed: {front.Errors.FirstOrDefault()?.Message}");
        Assert.IsType<KdumpTargetChange>(Assert.Single(front.Outputs));
        Assert.Equal(LoopbackFleet.Configuration(directory), host.Read(Conf));
        Assert.True(Consistent(host, host.Read(Conf), what) is false);
        Assert.True(host.Leftovers().Length == 0, $"{what}: left on the host: {host.Leftovers()}");
        Assert.False(Change(Fleet.Options, connector, directory, host.Host).Outputs.Cast<KdumpTargetChange>().Single().Changed, what);
    }

    /// <summary>Puts a host where a scenario begins.</summary>
    protected void Reset(LoopbackHost host, IHostConnector connector, string directory)
    {
        var front = Change(Fleet.Options, connector, directory, host.Host);
        Assert.True(front.Errors.Count == 0, front.Errors.FirstOrDefault()?.Message);
        host.Run("rm -f /etc/kdump.conf.kdumpnfs-*.bak");
    }

    /// <summary>ssh programs that this process has started for hosts of this fleet and that still run: other tests of this process have their own.</summary>
    protected IReadOnlyList<string> Clients() => Clients(Fleet);

    /// <summary>The same for another fleet.</summary>
    protected static IReadOnlyList<string> Clients(LoopbackFleet fleet) =>
        [.. KdumpNfs.Tests.Integration.Ssh.SshServer.Descendants(Environment.ProcessId).Select(Arguments)
            .Where(arguments => Path.GetFileName(arguments[0]) == "ssh" && arguments.Any(argument => argument.Contains(fleet.Home, StringComparison.Ordinal)))
            .Select(arguments => string.Join(' ', arguments))];

    private static string[] Arguments(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            return [""];
        }
    }
}
