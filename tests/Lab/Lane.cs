using KdumpNfs.Kdump;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>The trait of scenarios that use one node alone: tools/build/in-lab.sh runs those of node1 beside those of node2, after all that use both.
/// node2's stop the NFS server of the store for a while, so node1's must not need it.</summary>
public static class Lane
{
    /// <summary>The trait.</summary>
    public const string Name = "Lane";

    /// <summary>Scenarios of node1.</summary>
    public const string Node1 = "node1";

    /// <summary>Scenarios of node2.</summary>
    public const string Node2 = "node2";

    /// <summary>What follows when both are done.</summary>
    public const string After = "after";

    /// <summary>What needs none of the guests: beside those.</summary>
    public const string Beside = "beside";
}

/// <summary>Brings both nodes to where the scenarios that use both begin.</summary>
[Collection("7 After the lanes"), Trait(Lane.Name, Lane.After)]
public sealed class AfterTheLanes(LabFixture lab, ITestOutputHelper output) : TargetScenarios(lab, output), IClassFixture<LabFixture>
{
    [SkippableFact, Step(49), Trait("Category", "Long")]
    public async Task The_store_takes_dumps_over_nfs_again()
    {
        NeedLab();
        await EachNodeAsync(host =>
        {
            One<KdumpTargetChange>(Nfs(), host);
            Assert.Equal(KdumpState.Configured, One<KdumpStatus>(StatusAsync, host).State);
            return Task.CompletedTask;
        });
    }
}
