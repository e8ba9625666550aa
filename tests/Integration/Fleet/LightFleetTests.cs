using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>Hosts that answer from a recording, as the benchmarks have them by the thousand: each is a host of its own, and none outlives its fleet.</summary>
public sealed class LightFleetTests
{
    private const int Hosts = 24;

    internal static IHostConnector Connector { get; } =
#if WITH_SSHNET
        new KdumpNfs.SshNet.SshNetConnector();
#else
        new KdumpNfs.Ssh.OpenSsh.OpenSshConnector();
#endif

    [SkippableFact]
    public void Every_address_answers_once_as_a_host_of_its_own_and_refuses_to_be_changed()
    {
        Skip.If(LightFleet.NotRunnable is not null, LightFleet.NotRunnable);
        using var fleet = LightFleet.Start(Hosts, File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "light", "node.facts")), "x\n"u8.ToArray(), TimeSpan.FromMilliseconds(5));
        var access = new HostAccess(Connector, fleet.Options);
        var operation = new KdumpStatusOperation(access);
        var front = new CollectingFront();
        Run(fleet, front, async (host, context, token) => context.Output(await operation.RunAsync(host, context, token)));
        Assert.Empty(front.Errors);

        // One machine id for all would be warned about.
        Assert.Empty(front.Warnings);
        Assert.Equal(fleet.Addresses.Order(StringComparer.Ordinal), front.Outputs.Cast<KdumpStatus>().Select(s => s.HostName).Order(StringComparer.Ordinal));

        var refused = new CollectingFront();
        var change = new SetNfsTargetOperation(access, NfsTargetRequest.Create("192.0.2.10", "/dumps", "/var/crash", null, null, createPath: false));
        Run(fleet, refused, (host, context, token) => change.RunAsync(host, null, context, token));
        Assert.Empty(refused.Outputs);
        Assert.Equal(Hosts, refused.Errors.Count);
    }

    private static void Run(LightFleet fleet, CollectingFront front, Func<SshHost, HostContext, CancellationToken, Task> work)
    {
        using var run = new FleetRun(8);
        foreach (var address in fleet.Addresses)
        {
            var host = fleet.HostOf(address);
            run.Add(front, host, (context, token) => work(host, context, token));
        }

        run.Finish(front);
    }
}
