using System.Globalization;
using System.Text.RegularExpressions;

namespace KdumpNfs.Readiness;

/// <summary>A connection profile of NetworkManager inside a capture image: those lines of it that leave the host (nm-settings-keyfile(5)).</summary>
internal sealed partial class ImageProfile
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private ImageProfile()
    {
    }

    /// <summary>ethernet, bond, vlan, …; null where it is not told.</summary>
    public string? Type => Connection("type");

    /// <summary>The identity by which other profiles name this one.</summary>
    public string? Uuid => Connection("uuid");

    /// <summary>The card that it brings up.</summary>
    public ImageCard Card => new(
        Connection("interface-name"),
        _values.Where(pair => pair.Key.EndsWith(".mac-address", StringComparison.Ordinal)).Select(pair => pair.Value.ToLowerInvariant()).FirstOrDefault());

    /// <summary>The fixed addresses; empty where it asks a server.</summary>
    public IReadOnlyList<string> Addresses =>
        _values.Where(pair => pair.Key.EndsWith(".method", StringComparison.Ordinal)).All(pair => pair.Value is "manual" or "disabled" or "ignore" or "link-local")
            ? [.. _values.Where(pair => AddressKey().IsMatch(pair.Key)).Select(pair => pair.Value.Split('/', ',')[0])]
            : [];

    /// <summary>A bond's mode; null where it is not told.</summary>
    public string? BondMode => Value("bond.mode");

    /// <summary>A VLAN's id; null where it is not told.</summary>
    public int? VlanId => int.TryParse(Value("vlan.id"), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    /// <summary>What a VLAN is on: a name, or the identity of a profile; null where it is not told.</summary>
    public string? Parent => Value("vlan.parent");

    /// <summary>Whether this brings up a member of a bond. Profiles name the bond or its profile, in the words of old or new versions of NetworkManager.</summary>
    public bool IsPortOf(ImageProfile bond) =>
        (Connection("controller") ?? Connection("master")) is { } controller && (Connection("port-type") ?? Connection("slave-type")) is null or "bond" &&
        (controller == bond.Uuid || controller == bond.Card.Name);

    /// <summary>Reads a profile; null where nothing is in it.</summary>
    public static ImageProfile? Parse(string text)
    {
        var (profile, section) = (new ImageProfile(), "");
        foreach (var line in ReadinessFacts.Lines(text))
        {
            if (line[0] == '[')
            {
                section = line.Trim('[', ']');
            }
            else if (line.IndexOf('=', StringComparison.Ordinal) is var equals and > 0)
            {
                profile._values[section + "." + line[..equals]] = line[(equals + 1)..];
            }
        }

        return profile._values.Count == 0 ? null : profile;
    }

    private string? Connection(string key) => Value("connection." + key);

    private string? Value(string key) => _values.GetValueOrDefault(key) is { Length: > 0 } value ? value : null;

    [GeneratedRegex(@"^ipv[46]\.address[0-9]*$", RegexOptions.CultureInvariant)]
    private static partial Regex AddressKey();
}
