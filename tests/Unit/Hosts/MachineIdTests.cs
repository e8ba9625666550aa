using KdumpNfs.Hosts;
using KdumpNfs.Tests.Unit.Kdump;

namespace KdumpNfs.Tests.Unit.Hosts;

public sealed class MachineIdTests
{
    private static HostFacts Facts(string id, string name = "web01") =>
        new(name, HostReply.Parse(name, System.Text.Encoding.UTF8.GetBytes($"machine.id {id.Length}\n{id}\n")));

    [Fact]
    public void A_clone_is_noticed_and_the_same_host_twice_is_none()
    {
        var ids = new MachineIds();
        Assert.Null(ids.Notice(Facts("aa", "web01")));
        Assert.Null(ids.Notice(Facts("aa", "web01")));
        Assert.Null(ids.Notice(Facts("bb", "web02")));
        Assert.Contains("web03 and web01 have the same machine id aa", ids.Notice(Facts("aa", "web03")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("uninitialized")]
    public void A_missing_id_is_noticed_and_is_none(string id)
    {
        Assert.Null(Facts(id).MachineId);
        Assert.Contains("has no machine id", new MachineIds().Notice(Facts(id)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_root_that_is_not_a_disk_loses_changes()
    {
        Assert.Null(new FactsOf(HostFamily.RedHat, "").Make().LostAtReboot);
        Assert.Contains("gone after a reboot", new FactsOf(HostFamily.RedHat, "").With("mounts", "s:/root / nfs4 rw 0 0").Make().LostAtReboot, StringComparison.Ordinal);
    }
}
