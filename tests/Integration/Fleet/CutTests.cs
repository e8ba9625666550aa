using System.Collections.Concurrent;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>A change whose connection is cut at every place: in the handshake, the probe, the change, the restart.</summary>
public abstract class CutTests(SharedFleet shared, ITestOutputHelper output) : FleetScenarios(shared, output)
{
    protected abstract IHostConnector Connector { get; }

    /// <summary>How many places; the whole sweep has more.</summary>
    protected abstract int Positions { get; }

    [SkippableFact]
    public async Task A_cut_connection_leaves_the_old_or_the_new_file_and_a_second_run_converges()
    {
        NeedFleet();
        var positions = int.Parse(Environment.GetEnvironmentVariable("KDUMPNFS_SWEEP") ?? $"{Positions}", null);
        var hosts = Fleet.Hosts.Take(4).ToList();
        var whole = await MeasureAsync(hosts[0]);
        Out.WriteLine($"a change that nothing disturbs: {whole.ToController} bytes to the controller, {whole.ToHost} to the host");

        // Spread evenly over both directions; every second one is lost for good, the others can be opened again.
        var seed = 20261123;
        var places = Enumerable.Range(0, positions).Select(i =>
        {
            var direction = i % 2 == 0 ? FaultDirection.ToController : FaultDirection.ToHost;
            var total = direction == FaultDirection.ToController ? whole.ToController : whole.ToHost;
            var at = (long)((i + new Random(seed + i).NextDouble()) * total / positions);
            return (Fault: new Fault(i % 3 == 2 ? FaultKind.Reset : FaultKind.Cut, at, direction), Once: i % 4 < 2);
        }).ToList();
        var ids = new ConcurrentDictionary<string, int>();
        var queues = hosts.Select((host, i) => (host, Places: places.Where((_, n) => n % hosts.Count == i).ToList()));
        await Task.WhenAll(queues.Select(q => Task.Run(() => SweepAsync(q.host, q.Places, ids))));
        Out.WriteLine(string.Join(", ", ids.OrderBy(p => p.Key).Select(p => $"{p.Key}: {p.Value}")));
        Assert.Empty(Clients());
        Assert.Subset(LostIds.Concat(["Changed"]).ToHashSet(), ids.Keys.ToHashSet());
    }

    protected async Task<(long ToController, long ToHost)> MeasureAsync(LoopbackHost host)
    {
        Reset(host, Connector, "a");
        await using var proxy = Fleet.ProxyOf(host);
        var front = Change(Fleet.Options, Connector, "b", LoopbackFleet.ThroughProxy(host));
        Assert.True(front.Errors.Count == 0, front.Errors.FirstOrDefault()?.Message);
        Assert.True(proxy.LastBytes is { ToController: > 5000, ToHost: > 5000 }, $"{proxy.LastBytes}");
        return proxy.LastBytes;
    }

    private async Task SweepAsync(LoopbackHost host, List<(Fault Fault, bool Once)> places, ConcurrentDictionary<string, int> ids)
    {
        Reset(host, Connector, "a");
        await using var proxy = Fleet.ProxyOf(host);
        foreach (var (fault, once) in places)
        {
            var what = $"{fault}{(once ? ", once" : "")}";
            var before = host.Read(Conf);
            var next = before.Contains("path /a\n", StringComparison.Ordinal) ? "b" : "a";
            proxy.Expect(fault, once);
            var front = Change(Fleet.Options, Connector, next, LoopbackFleet.ThroughProxy(host));
            var id = Assert.Single(front.Errors.Select(e => e.ErrorId).Concat(front.Outputs.Cast<KdumpTargetChange>().Select(_ => "Changed")));
            ids.AddOrUpdate(id, 1, (_, n) => n + 1);
            var changed = Consistent(host, before, what);
            Assert.True(changed || id != "Changed", $"{what}: said to be changed, and is not");
            Converges(host, Connector, next, what);
        }
    }
}

[Collection(FleetGroup.Name)]
public sealed class OpenSshCutTests(SharedFleet shared, ITestOutputHelper output) : CutTests(shared, output)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();

    protected override int Positions => 8;
}

#if WITH_SSHNET
[Collection(FleetGroup.Name)]
public sealed class SshNetCutTests(SharedFleet shared, ITestOutputHelper output) : CutTests(shared, output)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();

    protected override int Positions => 16;

    /// <summary>Connections can be made all the time, so no limit for reconnecting ends this.</summary>
    [SkippableFact, Trait("Category", "Long")]
    public async Task A_host_that_loses_every_connection_before_it_answers_is_given_up()
    {
        NeedFleet();
        var host = Fleet.Hosts[4];
        var whole = await MeasureAsync(host);
        Reset(host, Connector, "a");
        var before = host.Read(Conf);
        await using (var proxy = Fleet.ProxyOf(host))
        {
            // The first one while the change is sent, the others in the question what became of it.
            proxy.Expect(i => new Fault(FaultKind.Cut, i == 0 ? whole.ToHost * 3 / 4 : whole.ToHost / 8, FaultDirection.ToHost));
            var front = Change(Fleet.Options, Connector, "b", LoopbackFleet.ThroughProxy(host));
            Assert.Empty(front.Outputs);
            var error = Assert.Single(front.Errors);
            Assert.Equal(ErrorIds.ApplyUnfinished, error.ErrorId);
            Assert.Contains("5 others before they had an answer", error.Message, StringComparison.Ordinal);
            Consistent(host, before, "all connections");
            proxy.Expect(Fault.None);
            Converges(host, Connector, "b", "all connections");
        }

        Assert.Empty(Clients());
    }
}
#endif
