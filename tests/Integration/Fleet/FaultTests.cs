using System.Diagnostics;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>Every kind of fault of a connection: an answer with a name of its own, a host that is as before or as asked for, a second run that converges.</summary>
public abstract class FaultTests(SharedFleet shared, ITestOutputHelper output) : FleetScenarios(shared, output)
{
    protected abstract IHostConnector Connector { get; }

    /// <summary>A host for each transport: their tests may run at the same time.</summary>
    protected abstract LoopbackHost Node { get; }

    /// <summary>What a reset within the key exchange is called.</summary>
    protected abstract string EarlyReset { get; }

    [SkippableFact]
    public Task A_reset_within_the_key_exchange_has_a_name() => A_fault_of_the_connection_has_a_name(FaultKind.Reset, 700, EarlyReset);

    [SkippableTheory]
    [InlineData(FaultKind.GarbledBanner, 0, ErrorIds.ProtocolError)]
    [InlineData(FaultKind.Refused, 0, ErrorIds.NotAdmitted)]
    [InlineData(FaultKind.Cut, 700, ErrorIds.ConnectionLost)]
    [InlineData(FaultKind.Cut, 4500, ErrorIds.ConnectionLost)]
    [InlineData(FaultKind.Reset, 4500, ErrorIds.ConnectionReset)]
    [InlineData(FaultKind.Stall, 10, ErrorIds.Timeout)]
    [InlineData(FaultKind.Stall, 700, ErrorIds.Timeout)]
    [InlineData(FaultKind.Stall, 4500, ErrorIds.Timeout)]
    public async Task A_fault_of_the_connection_has_a_name(FaultKind kind, long at, string id)
    {
        NeedFleet();
        Reset(Node, Connector, "a");
        var before = Node.Read(Conf);
        var options = Fleet.Options with { ConnectTimeout = TimeSpan.FromSeconds(8), OperationTimeout = TimeSpan.FromSeconds(10) };
        var clock = Stopwatch.StartNew();
        CollectingFront front;
        await using (var proxy = Fleet.ProxyOf(Node))
        {
            proxy.Expect(new Fault(kind, at));
            front = Change(options, Connector, "b", LoopbackFleet.ThroughProxy(Node));
        }

        Out.WriteLine($"{kind} at {at}: {clock.Elapsed.TotalSeconds:0.0} s, {front.Errors.FirstOrDefault()?.Message}");
        Assert.Equal(id, Assert.Single(front.Errors).ErrorId);
        Assert.False(Consistent(Node, before, $"{kind}"));
        Converges(Node, Connector, "b", $"{kind}");
        Assert.Empty(Clients());
    }

    [SkippableFact]
    public async Task A_slow_and_distant_connection_is_only_slow()
    {
        NeedFleet();
        Reset(Node, Connector, "a");
        await using var proxy = Fleet.ProxyOf(Node, TimeSpan.FromMilliseconds(100));
        proxy.Expect(new Fault(FaultKind.Trickle, 2000) { BytesPerSecond = 2000 });
        var front = Change(Fleet.Options, Connector, "b", LoopbackFleet.ThroughProxy(Node));
        Assert.True(Assert.IsType<KdumpTargetChange>(Assert.Single(front.Outputs)).Changed);
        Converges(Node, Connector, "b", "trickle");
    }
}

[Collection(FleetGroup.Name), Trait("Category", "Long")]
public sealed class OpenSshFaultTests(SharedFleet shared, ITestOutputHelper output) : FaultTests(shared, output)
{
    protected override IHostConnector Connector { get; } = new OpenSshConnector();

    protected override LoopbackHost Node => Fleet.Hosts[4];

    // ssh says nothing about it above the log level at which it would also print the host's banner.
    protected override string EarlyReset => ErrorIds.ConnectionLost;
}

#if WITH_SSHNET
[Collection(FleetGroup.Name), Trait("Category", "Long")]
public sealed class SshNetFaultTests(SharedFleet shared, ITestOutputHelper output) : FaultTests(shared, output)
{
    protected override IHostConnector Connector { get; } = new KdumpNfs.SshNet.SshNetConnector();

    protected override LoopbackHost Node => Fleet.Hosts[5];

    protected override string EarlyReset => ErrorIds.ConnectionReset;
}
#endif
