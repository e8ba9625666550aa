using KdumpNfs.Hosts;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Setup;

namespace KdumpNfs.Tests.Unit.Nfs;

public class ServerFactsTests
{
    private static async Task<NfsServerFacts> FactsAsync(FakeHost host, string address = "") => new("store", await host.ScriptAsync(HostScript.Read("common") +
        ShellQuote.Assignment("client_address", address) + HostScript.Read("firewallfacts")));

    private static NfsServerFacts Facts(params (string Key, string Value)[] records) =>
        new("store", HostReply.Parse("store", System.Text.Encoding.UTF8.GetBytes(string.Concat(records.Select(r => $"{r.Key} {System.Text.Encoding.UTF8.GetByteCount(r.Value)}\n{r.Value}\n")))));

    [Fact]
    public async Task A_firewall_tells_what_it_lacks_in_the_zone_of_the_clients()
    {
        using var host = new FakeHost().Program("ip", "echo '10.0.0.0 dev eth1 src 10.0.0.1 uid 0'").Program("firewall-cmd", """
            case "$*" in
              --state) echo running ;;
              --get-zone-of-interface=eth1) echo internal ;;
              --get-default-zone) echo public ;;
              "--zone=internal --list-services") echo "ssh nfs" ;;
              "--permanent --zone=internal --list-services") echo "ssh nfs mountd rpc-bind" ;;
              "--zone=public --list-services") echo "ssh" ;;
            esac
            """);
        var inside = await FactsAsync(host, "10.0.0.0");
        Assert.Equal(("internal", "mountd rpc-bind", ""), (inside.FirewallZone, string.Join(' ', inside.FirewallLacks), string.Join(' ', inside.FirewallLacksLater)));
        var other = await FactsAsync(host);
        Assert.Equal(("public", "nfs mountd rpc-bind", "nfs mountd rpc-bind"), (other.FirewallZone, string.Join(' ', other.FirewallLacks), string.Join(' ', other.FirewallLacksLater)));
        host.Program("firewall-cmd", "echo 'not running' >&2; exit 252");
        Assert.Empty((await FactsAsync(host)).FirewallLacks);
    }

    [Fact]
    public void Mounts_are_those_of_the_directory_and_the_client()
    {
        var facts = Facts(("rmtab", "node1:/data/nfs_share:0x00000001\n10.0.0.9:/data/nfs_share/var:0x00000001\n10.0.0.8:/data/other:0x00000001\nrubbish"),
            ("clients.known", "1"), ("client", "\"192.168.122.102:756\""), ("client", "\"[fd00::5]:912\""));
        Assert.Equal(["node1", "192.168.122.102"], facts.MountedBy("/data/nfs_share", "192.168.122.0/24"));
        Assert.Equal(["node1", "10.0.0.9", "192.168.122.102", "fd00::5"], facts.MountedBy("/data/nfs_share", "*"));
        Assert.True(facts.KnowsClients);
    }
}
