using KdumpNfs.Kdump;
using KdumpNfs.Readiness;
using KdumpNfs.Setup;

namespace KdumpNfs.Tests.Unit.Readiness;

/// <summary>A host, what the second script says of it and what the probe says, all as they should be; judged as the operation does.</summary>
internal sealed class ReadyReport
{
    public const string MemUsage = """
        TYPE		PAGES			EXCLUDABLE	DESCRIPTION
        ----------------------------------------------------------------------
        ZERO		3212            	yes		Pages filled with zero
        NON_PRI_CACHE	16105           	yes		Cache pages without private flag
        PRI_CACHE	652             	yes		Cache pages with private flag
        USER		2462            	yes		User process pages
        FREE		42431           	yes		Free pages
        KERN_DATA	27213           	no		Dumpable kernel data

        page size:		4096
        Total pages on system:	92075
        Total size on system:	377139200        Byte
        """;

    public ReadyReport(bool probe = true)
    {
        const string Entry = "index=0\nkernel=\"/boot/vmlinuz-5.14.0-427.el9.x86_64\"\nargs=\"ro crashkernel=192M\"\nroot=\"/dev/sda3\"\ntitle=\"Rocky\"\n";
        Host = new ReadyHost();
        More = new ReadyHost();
        More.Set("tool.grubby", "/usr/sbin/grubby");
        More.Set("grubby.info", Entry);
        More.Set("grubby.default", "0");
        More.Set("iomem", "00100000-1ffffffff : System RAM\n60000000-6bffffff : Crash kernel");
        More.Set("default", "1G-4G:192M,4G-64G:192M,64G-:512M");
        More.Set("clock", ReadyHost.Number(ReadyHost.Now));
        More.Set("uptime", "100000.0 1.0");
        More.Set("unit", "StateChangeTimestampMonotonic=99700000000\nActiveEnterTimestampMonotonic=99700000000");
        More.Set("kernel.iomem", "  01000000-02276507 : Kernel code\n  02400000-02e0cfff : Kernel rodata");
        More.Set("modules", "virtio_net 90112\nnfsv4 950272");
        More.Set("watched", $"{ReadyHost.Now - 90000} {ReadyHost.Now - 90000} - /etc/fstab");
        More.Set("collector.path", "/usr/sbin/makedumpfile");
        More.Set("params.status", "0");
        More.Set("lsinitrd", "1");
        More.Set("image:etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\ncore_collector makedumpfile -l --message-level 7 -d 31\npath /var/crash\n");
        More.Set("image:usr/lib/dracut/build-parameter.txt", " --quiet --hostonly --mount '192.168.122.1:/data/nfs_share /kdumproot nfs defaults' --kver 'x'\n");
        More.Set("image:usr/lib/dracut/hostonly-kernel-modules.txt", "virtio_net\nnfsv4\nnfsv3\n");
        More.Set("image.cmdline", "kdump_remote_ip=192.168.122.1\n", "rd.neednet\n");
        More.Set("image.profile", "[connection]\nid=lan\ntype=ethernet\n[ethernet]\nmac-address=52:54:00:7A:01:66\n[ipv4]\naddress1=192.168.122.20/24\nmethod=manual\n[ipv6]\nmethod=disabled");
        More.Set("resolved", "192.168.122.1");
        More.Set("route", "192.168.122.1 dev eth1 src 192.168.122.20 uid 0 \\    cache");
        More.Set("nic", "eth1 card 52:54:00:7a:01:66 virtio_net");
        More.Set("sysctl.panic", "10");
        More.Set("sysctl.panic_on_oops", "1");
        More.Set("ntp", "NTPSynchronized=yes");
        if (probe)
        {
            Probe = new ReadyHost();
            Probe.Set("probe.status", "0");
            Probe.Set("probe.words", "mount: 192.168.122.1:/data/nfs_share nfs4 rw,relatime,vers=4.2,soft,sec=sys\nspace: 2000000 1900000");
            Probe.Set("nfs.asked", "0");
            Count = new ReadyHost();
            Count.Set("memusage", MemUsage);
        }
    }

    public ReadyHost Host { get; }

    public ReadyHost More { get; }

    public ReadyHost? Probe { get; }

    /// <summary>What memusage.sh says.</summary>
    public ReadyHost? Count { get; }

    public DateTimeOffset Controller { get; set; } = DateTimeOffset.FromUnixTimeSeconds(ReadyHost.Now);

    public HostReadiness Judge()
    {
        var facts = Host.Facts();
        var reply = More.Reply();
        var view = KdumpConfiguration.Read(facts);
        var debian = facts.Family == KdumpNfs.Hosts.HostFamily.Debian;
        var count = Count is null ? null : PageCount.Read(Count.Reply(), DumpLevel.All, VmcoreCompression.Lzo);
        return TestReadinessOperation.Judge(new ReadinessInput
        {
            Facts = facts,
            Status = KdumpStatus.From(facts, null),
            View = view,
            Conf = debian || facts.Configuration is null ? null : KdumpConf.Parse(facts.Configuration.Content.Span),
            Defaults = debian ? KdumpToolsDefaults.Parse(facts.Configuration!.Content.Span) : null,
            Reservation = GetCrashKernelOperation.Describe(new CrashKernelFacts("web01", reply)),
            More = new ReadinessFacts(reply, Probe?.Reply()),
            Image = ImageContent.Read(reply),
            Estimate = count?.Estimate,
            CoarseReason = count?.CoarseReason,
            Probe = Probe is not null,
            Sent = Controller,
            Received = Controller + TimeSpan.FromSeconds(1),
        });
    }
}
