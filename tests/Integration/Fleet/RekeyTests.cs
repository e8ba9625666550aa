using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>Hosts that want new keys after every kilobyte, so that most of a change lies within an exchange of keys, and a connection that is dropped there.</summary>
[Collection(FleetGroup.Name), Trait("Category", "Long")]
public sealed class RekeyTests : FleetScenarios, IDisposable
{
    // The whole sweep has a tenth of its places here.
    private static readonly int Positions = int.TryParse(Environment.GetEnvironmentVariable("KDUMPNFS_SWEEP"), out var sweep) ? sweep / 10 : 4;

    private readonly Lazy<LoopbackFleet> _fleet = new(() => LoopbackFleet.Start(1, "RekeyLimit 1K"));

    public RekeyTests(SharedFleet shared, ITestOutputHelper output)
        : base(shared, output)
    {
    }

    protected override LoopbackFleet Fleet => _fleet.Value;

    public void Dispose()
    {
        if (_fleet.IsValueCreated)
        {
            _fleet.Value.Dispose();
        }
    }

    [SkippableFact]
    public Task OpenSsh_survives_new_keys_and_a_drop_among_them() => SurvivesAsync(new OpenSshConnector());

#if WITH_SSHNET
    [SkippableFact]
    public Task SshNet_survives_new_keys_and_a_drop_among_them() => SurvivesAsync(new KdumpNfs.SshNet.SshNetConnector());
#endif

    private async Task SurvivesAsync(IHostConnector connector)
    {
        NeedFleet();
        var host = Fleet.Hosts[0];
        Reset(host, connector, "a");
        await using var proxy = Fleet.ProxyOf(host);
        var whole = Change(Fleet.Options, connector, "b", LoopbackFleet.ThroughProxy(host));
        Assert.True(whole.Errors.Count == 0, whole.Errors.FirstOrDefault()?.Message);
        var (bytes, toHost) = proxy.LastBytes;
        Out.WriteLine($"a change that nothing disturbs: {bytes} bytes to the controller, {toHost} to the host");

        // Without new keys it is some 8 KB: what is more than that is exchanges of keys.
        Assert.True(bytes > 14_000, $"{bytes} bytes: the host wanted no new keys");
        for (var i = 0; i < Positions; i++)
        {
            // Behind the login, whose own exchange the other tests cut.
            var at = 3000 + ((bytes - 3000) * i / (Positions + 1));
            var kind = i % 3 == 2 ? FaultKind.Reset : FaultKind.Cut;

            // How often keys are new depends on how packets fall, so one run has twice the bytes of another: a run that ended before its place is whole, and the place comes nearer.
            while (!Lost(host, connector, proxy, new Fault(kind, at)))
            {
                Assert.True(at > 3000, $"{kind} at {at}: nothing was lost");
                at = Math.Max(3000, at / 2);
            }
        }

        Assert.Empty(Clients());
    }

    // One change with one fault: false when all was said before the fault came.
    private bool Lost(LoopbackHost host, IHostConnector connector, FaultProxy proxy, Fault fault)
    {
        var before = host.Read(Conf);
        var next = before.Contains("path /a\n", StringComparison.Ordinal) ? "b" : "a";
        proxy.Expect(fault);
        var front = Change(Fleet.Options, connector, next, LoopbackFleet.ThroughProxy(host));
        var came = proxy.LastBytes.ToController;
        var id = Assert.Single(front.Errors.Select(e => e.ErrorId).Concat(front.Outputs.Cast<KdumpTargetChange>().Select(_ => "Changed")));
        Out.WriteLine($"{fault}: {id} after {came} bytes");

        Assert.True(LostIds.Contains(id) || id == "Changed", $"{fault}: {id}");
        var changed = Consistent(host, before, $"{fault}");
        Assert.True(changed || id != "Changed", $"{fault}: said to be changed, and is not");
        Converges(host, connector, next, $"{fault}");
        return LostIds.Contains(id);
    }
}
