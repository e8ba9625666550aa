using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>What Set-KdumpLocalTarget was asked for: a directory of the host's own file systems, or one on a device that is mounted for the dump.</summary>
/// <param name="DumpPath">The directory: on the device, or from the host's root; null leaves what the host has, or its family's default.</param>
/// <param name="Device">Device, UUID=… or LABEL=…; null for the host's mounted file systems.</param>
/// <param name="FileSystem">The device's file system, such as xfs.</param>
public sealed record LocalTargetRequest(string? DumpPath, string? Device, string? FileSystem) : TargetRequest
{
    // What kdump.conf takes as a directive (parse_config of kdumpctl); virtiofs and raw are targets of other kinds.
    private static readonly string[] FileSystems = ["ext2", "ext3", "ext4", "minix", "btrfs", "xfs"];

    /// <summary>Checks everything that is wrong on every host.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public static LocalTargetRequest Create(string? dumpPath, string? device, string? fileSystem, CaptureOptions options, bool createPath)
    {
        if ((device is null) != (fileSystem is null))
        {
            throw new HostException(ErrorIds.InvalidInput, "", "A device needs the name of its file system, and the other way round.") { Remedy = "Give both, or neither." };
        }

        if (fileSystem is not null && !FileSystems.Contains(fileSystem))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(fileSystem)}' is not a file system that kdump can dump to.")
            {
                Remedy = $"It knows {string.Join(", ", FileSystems)}.",
            };
        }

        return new LocalTargetRequest(dumpPath is null ? null : TargetInput.CheckDirectory(dumpPath, "dump path"), device is null ? null : CheckDevice(device), fileSystem)
        {
            Options = options,
            CreatePath = createPath,
        };
    }

    internal override bool NeedsFileAlone => true;

    internal override byte[] Content(HostFacts facts)
    {
        var content = (facts.Configuration?.Content ?? default).Span;
        switch (facts.Family)
        {
            case HostFamily.RedHat:
                return Finish(facts, KdumpConf.Parse(content).WithLocalTarget(FileSystem, Device, DumpPath));
            case HostFamily.Debian when Device is null:
                return Finish(KdumpToolsDefaults.Parse(content).WithLocalTarget(DumpPath));
            case HostFamily.Suse when Device is null:
                return Finish(KdumpSysconfig.Parse(content).WithLocalTarget(DumpPath));
            case HostFamily.Debian or HostFamily.Suse:
                throw new HostException(ErrorIds.NotExpressible, facts.HostName, $"{(facts.Family == HostFamily.Debian ? "kdump-tools" : "SUSE's kdump")} dumps to a directory of the mounted file systems and mounts no device itself.")
                {
                    Remedy = "Mount the device by the host's /etc/fstab and give the directory alone: -DumpPath /mnt/dumps.",
                };
            default:
                throw NoEditor(facts);
        }
    }

    private static string CheckDevice(string device)
    {
        var tagged = device.StartsWith("UUID=", StringComparison.Ordinal) || device.StartsWith("LABEL=", StringComparison.Ordinal) ||
            device.StartsWith("PARTUUID=", StringComparison.Ordinal) || device.StartsWith("PARTLABEL=", StringComparison.Ordinal);
        if ((!tagged && !device.StartsWith("/dev/", StringComparison.Ordinal)) || device.Length > 255 || device.EndsWith('=') ||
            device.Any(c => !char.IsAsciiLetterOrDigit(c) && !"/_.:=-+@".Contains(c, StringComparison.Ordinal)))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(device)}' does not name a device.")
            {
                Remedy = "Give /dev/…, or better UUID=… or LABEL=…, which stay the same when disks change places.",
            };
        }

        return device;
    }
}
