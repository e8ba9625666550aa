using System.Text;
using KdumpNfs.Hosts;

namespace KdumpNfs.Tests.Unit.Kdump;

/// <summary>Facts of a host that exists in these tests only: an armed one of the RHEL family, unless told otherwise.</summary>
internal sealed class FactsOf
{
    private readonly List<(string Key, string Value)> _records =
    [
        ("uid", "0"), ("now", "1795379664"), ("nodename", "web01"), ("release", "5.14.0"), ("machine", "x86_64"), ("os.release", "ID=rhel\nVERSION_ID=9"),
        ("boot.id", "b"), ("machine.id", "0123456789abcdef0123456789abcdef"), ("cmdline", "crashkernel=1G"), ("mounts", "/dev/vda / ext4 rw 0 0"),
        ("crash.size", "1000000"), ("crash.loaded", "1"), ("makedumpfile.version", "makedumpfile: version 1.7.2\nlzo\tenabled\n"),
        ("service.name", "kdump.service"), ("service.show", "LoadState=loaded\nActiveState=active\nUnitFileState=enabled"),
        ("image", "/boot/initramfs-5.14.0kdump.img"), ("image.time", "1795379000"), ("image.size", "1"), ("kdumpctl.rebuild", "1"), ("kdumpctl.failure_action", "3"),
    ];

    public FactsOf(HostFamily family, string configuration)
    {
        Family = family;
        With(family switch { HostFamily.Debian => "tool.kdump-config", HostFamily.Suse => "tool.kdumptool", _ => "tool.kdumpctl" }, "/usr/sbin/tool");
        WithFile("config", PathOf(family), configuration, 1795370000);
    }

    public HostFamily Family { get; }

    public FactsOf With(string key, string value)
    {
        _records.Add((key, value));
        return this;
    }

    public FactsOf WithFile(string key, string path, string content, long time = 1, string mode = "644") =>
        With(key + ".path", path).With(key + ".stat", $"{mode} 0 0 {time} {content.Length}").With(key + ".data", Convert.ToBase64String(Encoding.UTF8.GetBytes(content)));

    /// <summary>Backups of the configuration, named by their stamps.</summary>
    public FactsOf WithBackups(params (string Stamp, string Content)[] backups)
    {
        for (var i = 0; i < backups.Length; i++)
        {
            With($"backup.of.{i}", PathOf(Family)).WithFile($"backup.{i}", $"{PathOf(Family)}.kdumpnfs-{backups[i].Stamp}.bak", backups[i].Content);
        }

        return this;
    }

    public HostFacts Make() => new("web01", HostReply.Parse("web01", Reply()));

    /// <summary>What the host answers.</summary>
    public byte[] Reply()
    {
        var text = new StringBuilder();
        foreach (var (key, value) in _records)
        {
            text.Append($"{key} {Encoding.UTF8.GetByteCount(value)}\n{value}\n");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string PathOf(HostFamily family) =>
        family switch { HostFamily.Debian => "/etc/default/kdump-tools", HostFamily.Suse => "/etc/sysconfig/kdump", _ => "/etc/kdump.conf" };
}
