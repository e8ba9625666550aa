using KdumpNfs.Fleet;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Ssh.OpenSsh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>Every kind of fault of a host, over one transport: what a host does wrong does not depend on the way to it.</summary>
[Collection(FleetGroup.Name), Trait("Category", "Long")]
public sealed class HostFaultTests(SharedFleet shared, ITestOutputHelper output) : FleetScenarios(shared, output)
{
    private static IHostConnector Connector { get; } = new OpenSshConnector();

    private LoopbackHost Node => Fleet.Hosts[6];

    public static TheoryData<string> Faults => [.. HostFault.All.Select(fault => fault.Name)];

    [SkippableTheory]
    [MemberData(nameof(Faults))]
    public void A_fault_of_a_host_has_a_name(string what)
    {
        var (_, make, undo, id) = HostFault.All.Single(fault => fault.Name == what);
        NeedFleet();
        Reset(Node, Connector, "a");
        var before = Node.Read(Conf);
        Node.Run(make);
        CollectingFront front;
        try
        {
            front = Change(Fleet.Options with { Sudo = id == ErrorIds.SudoRefused }, Connector, "b", Node.Host);
            Settle(Node);
        }
        finally
        {
            Node.Run(undo);
        }

        Out.WriteLine($"{what}: {front.Errors.FirstOrDefault()?.Message}");
        Assert.Equal(id, Assert.Single(front.Errors).ErrorId);
        Assert.False(Consistent(Node, before, what));
        Converges(Node, Connector, "b", what);
    }

    [SkippableFact]
    public void A_slow_service_is_waited_for()
    {
        NeedFleet();
        Reset(Node, Connector, "a");
        Node.Write("/etc/fleet/systemctl-seconds", "3\n");
        var front = Change(Fleet.Options, Connector, "b", Node.Host);
        Node.Run("rm /etc/fleet/systemctl-seconds");
        Assert.True(Assert.IsType<KdumpTargetChange>(Assert.Single(front.Outputs)).Changed);
        Converges(Node, Connector, "b", "slow");
    }

    [SkippableFact]
    public void A_host_that_reboots_in_the_middle_of_a_change_comes_back_armed()
    {
        NeedFleet();
        Reset(Node, Connector, "a");
        var before = Node.Read(Conf);
        Node.Write("/etc/fleet/load-seconds", "4\n");
        var front = new CollectingFront { OnVerbose = text => { if (text.StartsWith("Loading", StringComparison.Ordinal)) { Node.Run("rm /etc/fleet/load-seconds"); Node.Reboot(); } } };
        var operation = new SetNfsTargetOperation(new HostAccess(Connector, Fleet.Options), NfsTargetRequest.Create("192.0.2.10", "/dumps", "/b", null, null, createPath: false));
        using (var fleet = new FleetRun(1))
        {
            fleet.Add(front, Node.Host, (context, token) => operation.RunAsync(Node.Host, null, context, token));
            fleet.Finish(front);
        }

        var error = Assert.Single(front.Errors);
        Out.WriteLine(error.Message);
        Assert.Equal(ErrorIds.HostRebooted, error.ErrorId);
        Assert.True(Consistent(Node, before, "reboot"));
        Converges(Node, Connector, "b", "reboot");
    }

    [SkippableTheory]
    [InlineData(172800)]
    [InlineData(-172800)]
    public void A_clock_that_jumps_does_not_matter(int seconds)
    {
        NeedFleet();
        Reset(Node, Connector, "a");
        // A stand-in for the clock of one host: what date says.
        Node.Run($"mkdir -p /usr/local/bin; printf '#!/bin/sh\\ncase \"$*\" in +%%%%s) echo $(($(/usr/bin/date +%%%%s) + {seconds})) ;; *) exec /usr/bin/date \"$@\" ;; esac\\n' >/usr/local/bin/date; chmod 755 /usr/local/bin/date; date +%s");
        var front = Change(Fleet.Options, Connector, "b", Node.Host);
        Node.Run("rm /usr/local/bin/date");
        Assert.Empty(front.Errors.Select(e => e.Message));
        Converges(Node, Connector, "b", "clock");
    }

    [SkippableFact]
    public async Task Of_two_controllers_one_changes_the_host_and_the_other_is_told()
    {
        NeedFleet();
        for (var round = 0; round < 4; round++)
        {
            Reset(Node, Connector, "a");
            Node.Run("mkdir -p /srv/exports/dumps/c");
            Node.Write("/etc/fleet/load-seconds", "1\n");
            var both = await Task.WhenAll(new[] { "b", "c" }.Select(directory => Task.Run(() => Change(Fleet.Options, Connector, directory, Node.Host))));
            Node.Run("rm /etc/fleet/load-seconds");
            Settle(Node);
            var winner = Assert.Single(Enumerable.Range(0, 2), i => both[i].Outputs.Count == 1);
            Assert.Contains(Assert.Single(both[1 - winner].Errors).ErrorId, new[] { ErrorIds.ApplyInProgress, ErrorIds.FileChanged });
            Assert.Equal(LoopbackFleet.Configuration(winner == 0 ? "b" : "c"), Node.Read(Conf));
            Converges(Node, Connector, winner == 0 ? "b" : "c", "rivals");
        }
    }
}
