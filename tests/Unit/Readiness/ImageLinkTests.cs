using KdumpNfs.Hosts;
using KdumpNfs.Readiness;
using KdumpNfs.Tests.Unit.Setup;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Tests.Unit.Readiness;

/// <summary>The bonds and VLANs of today against those in the capture image: profiles as nmcli writes them, arguments as kdump's scripts of EL8 do.</summary>
public sealed class ImageLinkTests
{
    private const string First = "52:54:00:00:00:01";
    private const string Second = "52:54:00:00:00:02";
    private const string Third = "52:54:00:00:00:03";
    private const string BondUuid = "b54f4f1c-11d3-4a2c-9d07-6a1d9a6e3f50";
    private const string OldBond = $" ifname=kdump-eth0:{First} ifname=kdump-eth1:{Second} bond=bond0:kdump-eth0,kdump-eth1:mode=802.3ad,miimon=100\n";

    private static string Port(string mac, string controller = "controller=" + BondUuid) =>
        $"[connection]\nid=port\nuuid=11111111-0000-4000-8000-{mac.Replace(":", "", StringComparison.Ordinal)}\ntype=ethernet\n{controller}\nport-type=bond\n[ethernet]\nmac-address={mac.ToUpperInvariant()}\n[bond-port]";

    private static string Bond(string mode = "802.3ad", string ip = "address1=192.168.122.20/24\nmethod=manual") =>
        $"[connection]\nid=bond0\nuuid={BondUuid}\ntype=bond\ninterface-name=bond0\n[bond]\nmode={mode}\n[ipv4]\n{ip}\n[ipv6]\nmethod=disabled";

    private static string Vlan(string id = "5", string parent = "parent=bond0", string name = "interface-name=bond0.5\n") =>
        $"[connection]\nid=v\nuuid=33333333-0000-4000-8000-000000000000\ntype=vlan\n{name}[vlan]\nid={id}\n{parent}\n[ipv4]\naddress1=192.168.122.20/24\nmethod=manual\n[ipv6]\nmethod=disabled";

    // A bond of eth0 and eth1, whose members go by one address.
    private static void Bonded(ReadyReport r, params string[] profiles)
    {
        r.More["image:usr/lib/dracut/hostonly-kernel-modules.txt"] = "virtio_net\nnfsv4\nbonding\n8021q\n";
        r.More["route"] = "192.168.122.1 dev bond0 src 192.168.122.20 uid 0 \\    cache";
        r.More.Set("nic", $"bond0 bonding {First} ", $"eth0 card {First} virtio_net", $"eth1 card {Second} virtio_net");
        r.More["nic.bond"] = "bond0 802.3ad eth0 eth1";
        r.More.Set("image.profile", profiles);
    }

    private static void Tagged(ReadyReport r, params string[] profiles)
    {
        Bonded(r, profiles);
        r.More["route"] = "192.168.122.1 dev bond0.5 src 192.168.122.20 uid 0";
        r.More.Set("nic", $"bond0.5 8021q {First} ", $"bond0 bonding {First} ", $"eth0 card {First} virtio_net", $"eth1 card {Second} virtio_net");
        r.More["nic.vlan"] = "bond0.5 5 bond0";
    }

    private static void Plain(ReadyReport r, params string[] profiles)
    {
        Bonded(r, profiles);
        r.More["route"] = "192.168.122.1 dev eth0 src 192.168.122.20 uid 0";
        r.More.Set("nic", $"eth0 card {First} virtio_net");
        r.More.Remove("nic.bond");
    }

    private static ReadinessCheck Network(Action<ReadyReport> change)
    {
        var report = new ReadyReport();
        change(report);
        return report.Judge().Check(ImageNetwork)!;
    }

    private static void Is(CheckOutcome outcome, string evidence, Action<ReadyReport> change)
    {
        var check = Network(change);
        Assert.Contains(evidence, check.Evidence, StringComparison.Ordinal);
        Assert.Equal(outcome, check.Outcome);
        Assert.Equal(outcome != CheckOutcome.Pass, check.Remedy?.Contains("Update-KdumpInitramfs", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void A_bond_and_a_vlan_as_today_pass_and_are_named()
    {
        const string Members = $"bond0 of eth0 ({First}) and eth1 ({Second}), 802.3ad";
        Is(CheckOutcome.Pass, Members, r => Bonded(r, Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Pass, Members, r => Bonded(r, Bond("4"), Port(First, "master=bond0\nslave-type=bond"), Port(Second, "master=" + BondUuid)));
        Is(CheckOutcome.Pass, Members, r => Bonded(r, Bond(), Port(First), "[connection]\ntype=ethernet\ninterface-name=eth1\ncontroller=bond0\nport-type=bond"));
        Is(CheckOutcome.Pass, "bond0.5 is VLAN 5 on bond0", r => Tagged(r, Vlan(), Bond(ip: "method=disabled"), Port(First), Port(Second)));
        Is(CheckOutcome.Pass, "bond0.5 is VLAN 5 on bond0", r => Tagged(r, Vlan(parent: "parent=" + BondUuid, name: ""), Bond(ip: "method=disabled"), Port(First), Port(Second)));
        Is(CheckOutcome.Pass, "bond0.5 is VLAN 5 on bond0", r => Tagged(r, Vlan(name: "interface-name=storage\n"), Bond(ip: "method=disabled"), Port(First), Port(Second)));
    }

    [Fact]
    public void A_swapped_member_is_named_both_ways()
    {
        var check = Network(r => Bonded(r, Bond(), Port(First), Port(Third)));
        Assert.Equal(CheckOutcome.Fail, check.Outcome);
        Assert.Equal($"The bond bond0 has {Third} inside, which is not in it now; the bond bond0 has eth1 ({Second}) now, which is missing inside.", check.Evidence);
        Is(CheckOutcome.Fail, $"bond0 has eth1 ({Second}) now, which is missing inside", r => Bonded(r, Bond(), Port(First)));
        Is(CheckOutcome.Fail, $"bond0 has {Third} inside, which is not in it now", r => Bonded(r, Bond(), Port(First), Port(Second), Port(Third)));
    }

    [Fact]
    public void A_card_is_known_by_its_own_address_whatever_it_goes_by_now() =>
        Is(CheckOutcome.Pass, "bond0 of", r =>
        {
            Bonded(r, Bond(), Port(First), Port(Third));
            r.More["nic.permanent"] = "eth1 " + Third.ToUpperInvariant();
        });

    [Fact]
    public void Another_mode_id_or_parent_fails()
    {
        Is(CheckOutcome.Fail, "bond0 has the mode active-backup inside and 802.3ad now", r => Bonded(r, Bond("1"), Port(First), Port(Second)));
        Is(CheckOutcome.Fail, "VLAN bond0.5 has the id 7 inside and 5 now", r => Tagged(r, Vlan("7"), Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Fail, "VLAN bond0.5 is on eth0 inside and on bond0", r => Tagged(r, Vlan(parent: "parent=eth0"), Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Fail, $"VLAN bond0.5 is on {Third} inside", r => Tagged(r, Vlan(parent: $"[ethernet]\nmac-address={Third}"), Bond(), Port(First), Port(Second)));
    }

    [Fact]
    public void A_bond_or_a_vlan_that_only_one_side_has_fails()
    {
        var plain = $"[connection]\ntype=ethernet\n[ethernet]\nmac-address={First}\n[ipv4]\naddress1=192.168.122.20/24\nmethod=manual";
        Is(CheckOutcome.Fail, "the bond bond0 now, the image has no bond", r => Bonded(r, plain));
        Is(CheckOutcome.Fail, "VLAN bond0.5 now, the image has no VLAN", r => Tagged(r, Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Fail, "the image has only VLAN bond0.7 (7) on bond0", r => Tagged(r, Vlan("7", name: "interface-name=bond0.7\n"), Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Fail, $"he image puts eth0 ({First}) into the bond bond0, in which it is not now", r => Plain(r, Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Fail, "he image takes VLAN eth0.5 (5) on eth0, the way to the store takes no VLAN now", r => Plain(r, plain, Vlan(parent: "parent=eth0", name: "")));
        // The nodes of a cluster that are told of a dump may be reached through a VLAN of their own.
        Is(CheckOutcome.Pass, "as today", r =>
        {
            Plain(r, plain, Vlan(parent: "parent=eth0", name: ""));
            r.More["image:etc/kdump.conf"] = "nfs 192.168.122.1:/data/nfs_share\npath /var/crash\nfence_kdump_nodes 10.0.5.2\n";
        });
    }

    [Fact]
    public void What_the_image_does_not_tell_warns()
    {
        Is(CheckOutcome.Warn, "he image does not tell the mode of bond0", r => Bonded(r, $"[connection]\nuuid={BondUuid}\ntype=bond\ninterface-name=bond0", Port(First), Port(Second)));
        Is(CheckOutcome.Warn, $"he image does not tell whether eth1 ({Second}) is in bond0", r => { Bonded(r, Bond(), Port(First)); r.More["image.unread"] = "3"; });
        Is(CheckOutcome.Warn, $"he image does not tell whether eth1 ({Second}) is in bond0", r => Bonded(r, Bond(), Port(First), $"[connection]\ntype=ethernet\ncontroller={BondUuid}"));
        Is(CheckOutcome.Warn, "too many connections to tell whether VLAN bond0.5", r => { Tagged(r, Bond(), Port(First), Port(Second)); r.More["image.unread"] = "3"; });
        Is(CheckOutcome.Warn, "he host does not tell the id of VLAN bond0.5", r => { Tagged(r, Vlan(), Bond(), Port(First), Port(Second)); r.More["nic.vlan"] = "bond0.5 - bond0"; });
        Is(CheckOutcome.Warn, "he image does not tell what VLAN bond0.5 is on", r => Tagged(r, Vlan(parent: "parent=44444444-0000-4000-8000-000000000000"), Bond(), Port(First), Port(Second)));
        Is(CheckOutcome.Warn, "he image does not tell how bond0 comes up", r => { Bonded(r); r.More["image.cmdline"] = "kdump_remote_ip=192.168.122.1"; });
    }

    [Fact]
    public void Old_images_name_bonds_and_vlans_on_their_command_line()
    {
        static void Old(ReadyReport r, string words) => r.More.Set("image.cmdline", words, "kdump_remote_ip=192.168.122.1");
        const string Ip = "ip=192.168.122.20::192.168.122.254:255.255.255.0::bond0:none";
        Is(CheckOutcome.Pass, "802.3ad", r => { Bonded(r); Old(r, Ip + OldBond); });
        Is(CheckOutcome.Fail, "mode 802.3ad inside and active-backup now", r => { Bonded(r); r.More["nic.bond"] = "bond0 active-backup eth0 eth1"; Old(r, Ip + OldBond); });
        Is(CheckOutcome.Fail, $"bond0 has eth1 ({Third}) inside, which is not in it now", r => { Bonded(r); Old(r, Ip + OldBond.Replace(Second, Third, StringComparison.Ordinal)); });
        Is(CheckOutcome.Pass, "bond0.5 is VLAN 5 on bond0", r => { Tagged(r); Old(r, Ip.Replace("bond0", "bond0.5", StringComparison.Ordinal) + " vlan=bond0.5:bond0" + OldBond); });
        Is(CheckOutcome.Fail, "has the id 5 inside and 6 now", r => { Tagged(r); r.More["nic.vlan"] = "bond0.5 6 bond0"; Old(r, Ip + " vlan=bond0.5:bond0" + OldBond); });
    }

    [Fact]
    public void An_old_image_renames_the_card_of_a_vlan()
    {
        static void Old(ReadyReport r, string mac)
        {
            Plain(r);
            r.More["route"] = "192.168.122.1 dev eth0.5 src 192.168.122.20 uid 0";
            r.More.Set("nic", $"eth0.5 8021q {First} ", $"eth0 card {First} virtio_net");
            r.More["nic.vlan"] = "eth0.5 5 eth0";
            r.More.Set("image.cmdline", $"ip=kdump-eth0.5:dhcp vlan=kdump-eth0.5:kdump-eth0 ifname=kdump-eth0:{mac}");
        }

        Is(CheckOutcome.Pass, "eth0.5 is VLAN 5 on eth0", r => Old(r, First));
        Is(CheckOutcome.Fail, $"VLAN eth0.5 is on eth0 ({Third}) inside and on eth0 ({First}) now", r => Old(r, Third));
    }

    [Fact]
    public async Task The_script_finds_bonds_and_vlans_of_the_host_and_of_the_image_and_no_secret()
    {
        using var host = new FakeHost();
        foreach (var (card, mac) in new[] { ("eth0", First), ("eth1", Third), ("bond0", First), ("bond0.5", First) })
        {
            host.File($"/sys/class/net/{card}/address", (card == "eth1" ? First : mac) + "\n");
        }

        host.File("/sys/class/net/eth1/bonding_slave/perm_hwaddr", Third + "\n").File("/sys/class/net/bond0/bonding/mode", "802.3ad 4\n").File("/sys/class/net/bond0/bonding/slaves", "eth0 eth1\n")
            .File("/sys/class/net/bond0/lower_eth0/x", "").File("/sys/class/net/bond0/lower_eth1/x", "").File("/sys/class/net/bond0.5/lower_bond0/x", "")
            .File("/proc/net/vlan/bond0.5", "bond0.5  VID: 5\t REORDER_HDR: 1  dev->priv_flags: 1021\n         total frames received            0\nDevice: bond0\nINGRESS priority mappings: 0:0\n")
            .File("/image/kdump.img", "").File("/image/bond0.nmconnection", Bond() + "\n").File("/image/a port.nmconnection", Port(First) + "\n[802-1x]\npassword=hunter2\nidentity=me\n")
            .Program("getent", "echo '192.168.122.1   STREAM storage'")
            .Program("ip", "echo '192.168.122.1 dev bond0.5 src 192.168.122.20 uid 0'")
            .Program("ethtool", "[ \"$1\" = -P ] || exit 1\ncase $2 in\neth1) echo 'Permanent address: 52:54:00:AA:BB:CC' ;;\neth0) echo 'Permanent address: 00:00:00:00:00:00' ;;\n*) echo 'Permanent address: not set' ;;\nesac")
            .Program("lsinitrd", """
                if [ "$1" = -f ]; then
                  case $2 in */system-connections/*) cat "$tree/image/${2##*/}" ;; esac
                else
                  for name in bond0 'a port'; do echo "-rw-------   1 root     root          300 Jan  1  2024 etc/NetworkManager/system-connections/$name.nmconnection"; done
                  for number in $(seq 1 40); do echo "-rw-------   1 root     root          300 Jan  1  2024 etc/cmdline.d/$number.conf"; done
                  echo '-rw-r--r--   1 root     root        60000 Jan  1  2024 usr/lib/modules/5.14.0/kernel/drivers/net/bonding/bonding.ko.xz'
                fi
                """);
        var script = HostScript.Load("readiness", [("family", "rhel"), ("image", host.Root + "/image/kdump.img"), ("watched", ""), ("extra_modules", ""), ("collector", ""), ("collector_args", ""), ("collector_files", ""), ("server", "storage")]);
        var reply = await host.ScriptAsync(script.Text.Replace("/sys/class/net", host.Root + "/sys/class/net", StringComparison.Ordinal).Replace("/proc/net/vlan", host.Root + "/proc/net/vlan", StringComparison.Ordinal));

        var facts = new ReadinessFacts(reply, null);
        var bond = Assert.Single(facts.Bonds);
        Assert.Equal(("bond0", "802.3ad"), (bond.Name, bond.Mode));
        Assert.Equal([("eth0", First, null), ("eth1", Third, "52:54:00:AA:BB:CC")], bond.Members.Select(m => (m.Name, m.Address, m.Permanent)));
        var vlan = Assert.Single(facts.Vlans);
        Assert.Equal(("bond0.5", 5, "bond0"), (vlan.Name, vlan.Id, vlan.Parent!.Name));
        Assert.Equal(["8021q", "bonding", "card", "card"], facts.Cards.Select(c => c.Kind));

        Assert.Equal(10, reply.Number("image.unread"));
        Assert.Equal("bonding", reply.Text("image.modules"));
        Assert.DoesNotContain(reply.All("image.profile"), text => text.Contains("hunter2", StringComparison.Ordinal) || text.Contains("identity", StringComparison.Ordinal));
        var inside = ImageContent.Read(reply)!.Network;
        Assert.False(inside.Whole);
        var built = Assert.Single(inside.Bonds);
        Assert.Equal(("bond0", "802.3ad", First), (built.Name, built.Mode, Assert.Single(built.Members).HardwareAddress));
    }
}
