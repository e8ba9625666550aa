using System.Globalization;
using System.Text.RegularExpressions;

namespace KdumpNfs.Readiness;

/// <summary>A network card as the capture image names it.</summary>
/// <param name="Name">Its name; null where it is known by its address alone.</param>
/// <param name="HardwareAddress">Its hardware address in lower case; null where it is known by its name alone.</param>
internal sealed record ImageCard(string? Name, string? HardwareAddress)
{
    // Images of EL8 and before rename cards, so that the kernel's own names cannot get in the way (kdump_setup_ifname).
    private const string Renamed = "kdump-";

    /// <summary>Whether the image can find a card by this at all.</summary>
    public bool IsNamed => Name is not null || HardwareAddress is not null;

    /// <summary>Whether this is a card of today. The address decides where there is one: the image looks for it, whatever the card is called.</summary>
    public bool Is(NetworkCard card) => HardwareAddress is { } mac ? card.HasAddress(mac) : Name is { } name && SameName(name, card.Name);

    /// <summary>Whether two names are of one card, renamed or not.</summary>
    public static bool SameName(string? one, string? other) => one is not null && other is not null && Plain(one) == Plain(other);

    /// <summary>A name as the host has it.</summary>
    public static string Plain(string name) => name.StartsWith(Renamed, StringComparison.Ordinal) ? name[Renamed.Length..] : name;

    /// <inheritdoc/>
    public override string ToString() =>
        Name is null ? HardwareAddress ?? "a card without a name" : HardwareAddress is null ? Plain(Name) : $"{Plain(Name)} ({HardwareAddress})";
}

/// <summary>A way to bring up a network card, as the capture image has it.</summary>
/// <param name="Card">The card.</param>
/// <param name="Addresses">The fixed addresses that it gets; empty where it asks a server.</param>
internal sealed record ImageConnection(ImageCard Card, IReadOnlyList<string> Addresses);

/// <summary>A bond as the capture image has it.</summary>
/// <param name="Name">Its name; null where the image does not tell.</param>
/// <param name="Mode">Its mode, a name or a number; null where the image does not tell.</param>
/// <param name="Members">Its members.</param>
internal sealed record ImageBond(string? Name, string? Mode, IReadOnlyList<ImageCard> Members);

/// <summary>A VLAN as the capture image has it.</summary>
/// <param name="Name">Its name; null where the image does not tell.</param>
/// <param name="Id">Its id; null where the image does not tell.</param>
/// <param name="Parent">What it is on; null where the image does not tell.</param>
internal sealed record ImageVlan(string? Name, int? Id, ImageCard? Parent);

/// <summary>How the network comes up in a capture image of the RHEL family.</summary>
/// <remarks>Sources: kdump_install_nmconnections of kdump-utils (profiles of NetworkManager, nm-settings-keyfile(5); cards are found by their own address);
/// kdump_setup_ifname, kdump_setup_bond and kdump_setup_vlan of kexec-tools up to EL8 (arguments of dracut.cmdline(7) in etc/cmdline.d).</remarks>
internal sealed partial class ImageNetworkContent
{
    /// <summary>Every connection, those of bonds, members and VLANs, too.</summary>
    public IReadOnlyList<ImageConnection> Connections { get; private init; } = [];

    /// <summary>The bonds.</summary>
    public IReadOnlyList<ImageBond> Bonds { get; private init; } = [];

    /// <summary>The VLANs.</summary>
    public IReadOnlyList<ImageVlan> Vlans { get; private init; } = [];

    /// <summary>Whether all of the image's files about the network were read. Where not, what is missing proves nothing.</summary>
    public bool Whole { get; private init; }

    /// <summary>Reads profiles of NetworkManager and the words of etc/cmdline.d.</summary>
    public static ImageNetworkContent Read(IEnumerable<string> profiles, string[] commandLine, bool whole)
    {
        var read = profiles.Select(ImageProfile.Parse).OfType<ImageProfile>().ToList();
        var cards = commandLine.Where(word => word.StartsWith("ifname=", StringComparison.Ordinal)).Select(word => word["ifname=".Length..].Split(':', 2))
            .Where(pair => pair.Length == 2).GroupBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last()[1].ToLowerInvariant(), StringComparer.Ordinal);
        ImageCard Card(string name) => new(name, cards.GetValueOrDefault(name));
        return new ImageNetworkContent
        {
            Connections = [.. read.Select(profile => new ImageConnection(profile.Card, profile.Addresses)), .. Addressed(commandLine, Card)],
            Bonds =
            [
                .. read.Where(profile => profile.Type == "bond").Select(bond => new ImageBond(bond.Card.Name, bond.BondMode, [.. read.Where(port => port.IsPortOf(bond)).Select(port => port.Card)])),
                .. Values(commandLine, "bond=").Select(value => Bond(value, Card)),
            ],
            Vlans =
            [
                .. read.Where(profile => profile.Type == "vlan").Select(vlan => Vlan(vlan, read)),
                .. Values(commandLine, "vlan=").Select(value => value.Split(':', 2)).Where(pair => pair.Length == 2).Select(pair => new ImageVlan(pair[0], IdOf(pair[0]), Card(pair[1]))),
            ],
            Whole = whole,
        };
    }

    private static IEnumerable<string> Values(string[] words, string key) =>
        words.Where(word => word.StartsWith(key, StringComparison.Ordinal) && word.Length > key.Length).Select(word => word[key.Length..]);

    // The parent's name, or the identity of its profile, or (no parent) a card of the VLAN's own profile. The name, where there is none, is made by NetworkManager.
    private static ImageVlan Vlan(ImageProfile vlan, List<ImageProfile> all)
    {
        var parent = vlan.Parent is { } text
            ? all.FirstOrDefault(other => other.Uuid == text)?.Card ?? (Guid.TryParse(text, out _) ? null : new ImageCard(text, null))
            : vlan.Card.HardwareAddress is { } mac ? new ImageCard(null, mac) : null;
        return new ImageVlan(vlan.Card.Name ?? (parent?.Name is { } under && vlan.VlanId is { } id ? string.Create(CultureInfo.InvariantCulture, $"{under}.{id}") : null), vlan.VlanId, parent);
    }

    // bond=NAME[:MEMBER,…[:OPTION,…[:MTU]]]
    private static ImageBond Bond(string value, Func<string, ImageCard> card)
    {
        var parts = value.Split(':');
        var mode = parts.Length < 3 ? null : Values(parts[2].Split([',', ';'], StringSplitOptions.TrimEntries), "mode=").LastOrDefault();
        return new ImageBond(parts[0], mode, parts.Length < 2 ? [] : [.. parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(card)]);
    }

    // A VLAN's name tells its id in two ways (dracut.cmdline(7)): vlan5 and eth0.5, both with or without zeros in front.
    private static int? IdOf(string name) =>
        IdPattern().Match(name) is { Success: true } match && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    [GeneratedRegex(@"(?:^(?:kdump-)?vlan|\.)([0-9]{1,5})$", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();

    private static IEnumerable<ImageConnection> Addressed(string[] words, Func<string, ImageCard> card)
    {
        foreach (var value in Values(words, "ip="))
        {
            // ip=ADDRESS:PEER:GATEWAY:MASK:HOST:CARD:METHOD, or ip=CARD:METHOD; IPv6 addresses stand in brackets.
            var parts = Fields(value);
            var name = parts.Count >= 6 ? parts[5] : parts.Count >= 2 ? parts[0] : null;
            if (name is { Length: > 0 })
            {
                yield return new ImageConnection(card(name), parts.Count >= 6 && parts[0].Length > 0 ? [parts[0]] : []);
            }
        }
    }

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
