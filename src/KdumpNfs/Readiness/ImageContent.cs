using System.Text.RegularExpressions;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;

namespace KdumpNfs.Readiness;

/// <summary>What lies in a capture image of the RHEL family, as lsinitrd shows it.</summary>
/// <remarks>Sources: kdump_install_conf and kdump_collect_netif_usage of kdump-utils (dracut/99kdumpbase/module-setup.sh); to_mount of mkdumprd.</remarks>
internal sealed partial class ImageContent
{
    private ImageContent(KdumpConf? configuration, string? mountArguments)
    {
        Configuration = configuration;
        MountArguments = mountArguments;
    }

    /// <summary>kdump.conf inside; null where it was not found.</summary>
    public KdumpConf? Configuration { get; }

    /// <summary>The mount that dracut was told to bake in: source, directory, type and options; null without one.</summary>
    public string? MountArguments { get; }

    /// <summary>The store's address, as it was when the image was built; null for a local target.</summary>
    public string? StoreAddress { get; private init; }

    /// <summary>How the network comes up.</summary>
    public required ImageNetworkContent Network { get; init; }

    /// <summary>Modules inside, underscores for dashes; empty where they cannot be listed.</summary>
    public IReadOnlyList<string> Modules { get; private init; } = [];

    /// <summary>Where a dump goes: the target of kdump.conf inside, or of the mount baked in where that names none.</summary>
    public KdumpTarget? Target
    {
        get
        {
            if (Configuration is null)
            {
                return null;
            }

            // A path on a mounted NFS has no target in the host's file; the image has the mount.
            return Configuration.Target is { Kind: KdumpTargetKind.Local } && Mount is { Length: >= 3 } words && words[2].StartsWith("nfs", StringComparison.Ordinal)
                ? KdumpTarget.ParseNfs(words[0], Configuration.DumpPath)
                : Configuration.Target;
        }
    }

    /// <summary>The mount options baked in; null without a mount.</summary>
    public string? MountOptions => Mount is { Length: >= 4 } words ? words[3] : null;

    private string[]? Mount => MountArguments?.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Reads the reply of readiness.sh; null where the host has no lsinitrd or nothing of ours is in the image.</summary>
    public static ImageContent? Read(HostReply reply)
    {
        if (!reply.Flag("lsinitrd"))
        {
            return null;
        }

        var conf = reply.Text("image:etc/kdump.conf");
        var parameters = reply.Text("image:usr/lib/dracut/build-parameter.txt") ?? "";
        var commandLine = string.Join(' ', reply.All("image.cmdline")).Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var modules = ReadinessFacts.Lines(reply.Text("image.modules")).Concat(ReadinessFacts.Lines(reply.Text("image:usr/lib/dracut/hostonly-kernel-modules.txt")))
            .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(name => name.Replace('-', '_')).Distinct(StringComparer.Ordinal).ToList();
        if (string.IsNullOrWhiteSpace(conf) && parameters.Length == 0 && modules.Count == 0)
        {
            return null;
        }

        return new ImageContent(
            string.IsNullOrWhiteSpace(conf) ? null : KdumpConf.Parse(System.Text.Encoding.UTF8.GetBytes(conf)),
            MountPattern().Match(parameters) is { Success: true } match ? match.Groups[1].Value : null)
        {
            StoreAddress = commandLine.LastOrDefault(word => word.StartsWith("kdump_remote_ip=", StringComparison.Ordinal))?["kdump_remote_ip=".Length..],
            Modules = modules,
            Network = ImageNetworkContent.Read(reply.All("image.profile"), commandLine, whole: reply.Number("image.unread") is null or 0),
        };
    }

    [GeneratedRegex(@"--mount\s+'([^']*)'", RegexOptions.CultureInvariant)]
    private static partial Regex MountPattern();
}
