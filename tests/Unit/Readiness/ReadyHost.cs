using System.Globalization;
using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Readiness;

/// <summary>The reply of a host on which everything is as it should be; a test changes what it is about.</summary>
internal sealed class ReadyHost
{
    public const string Release = "5.14.0-427.el9.x86_64";
    public const string Image = "/boot/initramfs-5.14.0-427.el9.x86_64kdump.img";
    public const string Location = "192.168.122.1:/data/nfs_share/var/crash";
    public const long Now = 1_795_400_000;

    private readonly Dictionary<string, List<string>> _records = new(StringComparer.Ordinal);

    public ReadyHost()
    {
        Set("uid", "0");
        Set("now", Number(Now));
        Set("nodename", "web01");
        Set("release", Release);
        Set("machine", "x86_64");
        Set("os.release", "ID=\"rocky\"\nVERSION_ID=\"9.4\"\nID_LIKE=\"rhel centos fedora\"\nPRETTY_NAME=\"Rocky Linux 9.4\"\n");
        Set("boot.id", "81267c6b-4624-4eef-a8ed-56765a3939ee");
        Set("machine.id", "930fa87dc7cd4e18a08d090ba8e2b419");
        Set("cmdline", "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-5.14.0-427.el9.x86_64 root=/dev/sda3 ro crashkernel=192M");
        Set("meminfo", "MemTotal:        8000000 kB");
        Set("mounts", "/dev/sda3 / xfs rw 0 0\n");
        Set("fstab", "");
        Set("crash.size", Number(192L << 20));
        Set("crash.loaded", "1");
        Set("sysrq", "16");
        Set("tool.kdumpctl", "/usr/bin/kdumpctl");
        Set("tool.makedumpfile", "/usr/sbin/makedumpfile");
        Set("addresses", "192.168.122.20");
        Set("fqdn", "web01");
        Set("makedumpfile.version", "makedumpfile: version 1.7.2 (released on 20 Oct 2022)\nlzo\tenabled\nsnappy\tdisabled\nzstd\tdisabled");
        Config("/etc/kdump.conf", "nfs 192.168.122.1:/data/nfs_share\npath /var/crash\ncore_collector makedumpfile -l --message-level 7 -d 31\n", Now - 500);
        Set("kdumpctl.rebuild", "1");
        Set("image", Image);
        Set("image.time", Number(Now - 400));
        Set("image.size", Number(30L << 20));
        Set("kernel.time", Number(Now - 90_000));
        Set("service.name", "kdump.service");
        Set("service.show", "Result=success\nLoadState=loaded\nActiveState=active\nSubState=exited\nUnitFileState=enabled\nConditionResult=yes");
    }

    public string this[string key]
    {
        set => Set(key, value);
    }

    public void Set(string key, params string[] values) => _records[key] = [.. values];

    public void Remove(string key) => _records.Remove(key);

    public void Config(string path, string text, long modified)
    {
        Set("config.path", path);
        Set("config.stat", $"644 0 0 {Number(modified)} {text.Length}");
        Set("config.data", Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));
    }

    public HostReply Reply()
    {
        var bytes = new MemoryStream();
        foreach (var (key, values) in _records)
        {
            foreach (var value in values)
            {
                var data = Encoding.UTF8.GetBytes(value);
                bytes.Write(Encoding.ASCII.GetBytes($"{key} {Number(data.Length)}\n"));
                bytes.Write(data);
                bytes.WriteByte((byte)'\n');
            }
        }

        return HostReply.Parse("web01", bytes.ToArray());
    }

    public HostFacts Facts() => new("web01", Reply());

    public KdumpStatus Status() => KdumpStatus.From(Facts(), null);

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
