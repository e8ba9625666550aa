using System.Text.RegularExpressions;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;

namespace KdumpNfs.Readiness;

/// <summary>A way to bring up a network card, as the capture image has it.</summary>
/// <param name="Card">The card's name; null where it is known by its address alone.</param>
/// <param name="HardwareAddress">The card's hardware address in lower case; null where it is known by its name alone.</param>
/// <param name="Addresses">The fixed addresses that it gets; empty where it asks a server.</param>
internal sealed record ImageConnection(string? Card, string? HardwareAddress, IReadOnlyList<string> Addresses);

/// <summary>What lies in a capture image of the RHEL family, as lsinitrd shows it.</summary>
/// <remarks>Sources: kdump_install_conf, kdump_collect_netif_usage and kdump_install_nmconnections of kdump-utils (dracut/99kdumpbase/module-setup.sh);
/// to_mount of mkdumprd; dracut.cmdline(7) for <c>ip=</c> and <c>ifname=</c>, which images of EL8 and before have.</remarks>
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
    public IReadOnlyList<ImageConnection> Connections { get; private init; } = [];

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
            Connections = [.. reply.All("image.profile").Select(Profile).OfType<ImageConnection>(), .. FromCommandLine(commandLine)],
        };
    }

    /// <summary>A connection profile of NetworkManager (nm-settings-keyfile(5)).</summary>
    private static ImageConnection? Profile(string text)
    {
        var section = "";
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in ReadinessFacts.Lines(text))
        {
            if (line[0] == '[')
            {
                section = line.Trim('[', ']');
            }
            else if (line.IndexOf('=', StringComparison.Ordinal) is var equals and > 0)
            {
                values[section + "." + line[..equals]] = line[(equals + 1)..];
            }
        }

        var card = values.GetValueOrDefault("connection.interface-name");
        var mac = values.Where(pair => pair.Key.EndsWith(".mac-address", StringComparison.Ordinal)).Select(pair => pair.Value.ToLowerInvariant()).FirstOrDefault();
        var addresses = values.Where(pair => AddressKey().IsMatch(pair.Key)).Select(pair => pair.Value.Split('/', ',')[0]).ToList();
        var fixedOnly = values.Where(pair => pair.Key.EndsWith(".method", StringComparison.Ordinal)).All(pair => pair.Value is "manual" or "disabled" or "ignore" or "link-local");
        return values.Count == 0 ? null : new ImageConnection(card, mac, fixedOnly ? addresses : []);
    }

    private static IEnumerable<ImageConnection> FromCommandLine(string[] words)
    {
        var cards = words.Where(word => word.StartsWith("ifname=", StringComparison.Ordinal)).Select(word => word["ifname=".Length..].Split(':', 2))
            .Where(pair => pair.Length == 2).GroupBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last()[1].ToLowerInvariant(), StringComparer.Ordinal);
        foreach (var word in words.Where(word => word.StartsWith("ip=", StringComparison.Ordinal)))
        {
            // ip=ADDRESS:PEER:GATEWAY:MASK:HOST:CARD:METHOD, or ip=CARD:METHOD; IPv6 addresses stand in brackets.
            var parts = Fields(word["ip=".Length..]);
            var card = parts.Count >= 6 ? parts[5] : parts.Count >= 2 ? parts[0] : null;
            if (card is { Length: > 0 })
            {
                yield return new ImageConnection(cards.ContainsKey(card) ? null : card, cards.GetValueOrDefault(card), parts.Count >= 6 && parts[0].Length > 0 ? [parts[0]] : []);
            }
        }
    }

    [GeneratedRegex(@"--mount\s+'([^']*)'", RegexOptions.CultureInvariant)]
    private static partial Regex MountPattern();

    [GeneratedRegex(@"^ipv[46]\.address[0-9]*$", RegexOptions.CultureInvariant)]
    private static partial Regex AddressKey();

    // Fields between colons, some empty; colons within brackets belong to an address.
    private static List<string> Fields(string text)
    {
        var fields = new List<string>();
        var (start, depth) = (0, 0);
        for (var at = 0; at <= text.Length; at++)
        {
            if (at == text.Length || (text[at] == ':' && depth == 0))
            {
                fields.Add(text[start..at].Trim('[', ']'));
                start = at + 1;
            }
            else if (text[at] is '[' or ']')
            {
                depth += text[at] == '[' ? 1 : -1;
            }
        }

        return fields;
    }
}
