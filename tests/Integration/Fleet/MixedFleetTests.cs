using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>
/// A fleet in which one host in twenty has each of the faults, changed in one run: every host gets exactly one answer, the healthy ones all succeed. Only
/// where KDUMPNFS_FLEET_HOSTS says how many hosts (build.sh bench long does): beside other tests so many sessions of one machine would wait for each other.
/// </summary>
[Collection(FleetGroup.Name), Trait("Category", "Long")]
public sealed class MixedFleetTests(SharedFleet shared, ITestOutputHelper output) : FleetScenarios(shared, output)
{
    private static readonly int Size = int.TryParse(Environment.GetEnvironmentVariable("KDUMPNFS_FLEET_HOSTS"), CultureInfo.InvariantCulture, out var size) ? size : 0;

    // The hosts' side of all changes runs on this machine too; more at once would only wait for each other.
    private const int Throttle = 12;

    private static readonly Mishap[] Mishaps =
    [
        new("garbled banner", new Fault(FaultKind.GarbledBanner, 0), ErrorIds.ProtocolError),
        new("refused", new Fault(FaultKind.Refused, 0), ErrorIds.NotAdmitted),
        new("reset", new Fault(FaultKind.Reset, 4500), ErrorIds.ConnectionReset),
        new("silent from the start", new Fault(FaultKind.Stall, 10), ErrorIds.Timeout),
        new("silent later", new Fault(FaultKind.Stall, 4500), ErrorIds.Timeout),
        new("slow line", new Fault(FaultKind.Trickle, 2000) { BytesPerSecond = 4000 }, null),
        new("slow service", "echo 3 >/etc/fleet/systemctl-seconds", "rm /etc/fleet/systemctl-seconds", null),

        // sudo is asked for by nobody here.
        .. HostFault.All.Where(fault => fault.ErrorId != ErrorIds.SudoRefused).Select(fault => new Mishap(fault.Name, fault.Make, fault.Undo, fault.ErrorId)),
    ];

    private static IHostConnector Connector { get; } = new KdumpNfs.Ssh.OpenSsh.OpenSshConnector();

    [SkippableFact]
    public async Task Every_host_of_a_fleet_full_of_faults_gets_exactly_one_answer()
    {
        NeedFleet();
        Skip.If(Size == 0, "KDUMPNFS_FLEET_HOSTS says no number of hosts; `./build.sh bench long` runs it with 200");
        using var fleet = LoopbackFleet.Start(Size);
        var mishaps = fleet.Hosts.Select(host => host.Number % 20 < Mishaps.Length ? Mishaps[host.Number % 20] : null).ToArray();
        var before = fleet.Hosts.Select(host => host.Read(Conf)).ToArray();
        var proxies = new List<FaultProxy>();
        var reached = new List<SshHost>();
        foreach (var (host, mishap) in fleet.Hosts.Zip(mishaps))
        {
            if (mishap?.Fault is { } fault)
            {
                proxies.Add(fleet.ProxyOf(host));
                proxies[^1].Expect(fault);
            }
            else if (mishap is not null)
            {
                host.Run(mishap.Make);
            }

            reached.Add(mishap?.Fault is null ? host.Host : LoopbackFleet.ThroughProxy(host));
        }

        var clock = Stopwatch.StartNew();
        var front = Change(fleet.Options with { ConnectTimeout = TimeSpan.FromSeconds(60), OperationTimeout = TimeSpan.FromSeconds(90) }, Connector, "b", Throttle, [.. reached]);
        Out.WriteLine($"{Size} hosts, {proxies.Count} behind faulty connections: {clock.Elapsed.TotalSeconds:0.0} s, {front.Outputs.Count} changed, {front.Errors.Count} errors");
        foreach (var proxy in proxies)
        {
            await proxy.DisposeAsync();
        }

        var changed = front.Outputs.Cast<KdumpTargetChange>().ToLookup(change => change.HostName);
        var errors = front.Errors.ToLookup(error => error.HostName);
        foreach (var (host, address, mishap, old) in fleet.Hosts.Select((host, i) => (host, reached[i].HostName, mishaps[i], before[i])))
        {
            var what = $"{address}, {mishap?.Name ?? "healthy"}";
            var answers = string.Join("; ", errors[address].Select(e => $"{e.ErrorId}: {e.Message}").Concat(changed[address].Select(c => $"changed: {c.Changed}")));
            Assert.True(changed[address].Count() + errors[address].Count() == 1, $"{what}: {answers}");
            var id = errors[address].FirstOrDefault()?.ErrorId;
            Assert.True(id == mishap?.ErrorId, $"{what}: {answers}");
            Settle(host);
            if (mishap?.Undo is { } undo)
            {
                host.Run(undo);
            }

            Assert.True(Consistent(host, old, what) == (mishap?.ErrorId is null), what);
        }

        var again = Change(fleet.Options, Connector, "b", Throttle, [.. fleet.Hosts.Select(host => host.Host)]);
        Out.WriteLine($"again: {clock.Elapsed.TotalSeconds:0.0} s, {again.Outputs.Count} of them without errors");
        Assert.Empty(again.Errors.Select(error => error.Message));
        Assert.Equal(Size, again.Outputs.Cast<KdumpTargetChange>().Select(change => change.HostName).Distinct().Count());
        foreach (var host in fleet.Hosts)
        {
            Assert.Equal(LoopbackFleet.Configuration("b"), host.Read(Conf));
            Assert.Equal("", host.Leftovers());
        }

        Assert.Empty(Clients(fleet));
    }

    /// <summary>What may be wrong with a host, of its connection or of itself, and what the answer is called; null where it is only slow.</summary>
    private sealed record Mishap(string Name, Fault? Fault, string? ErrorId)
    {
        public Mishap(string name, string make, string undo, string? errorId)
            : this(name, null, errorId) => (Make, Undo) = (make, undo);

        public string Make { get; } = "";

        public string? Undo { get; }
    }
}
