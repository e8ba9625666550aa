using System.Globalization;

namespace KdumpNfs.Readiness;

/// <summary>Compares the bonds and VLANs on the way to the store with those that the capture image brings up. What the image does not tell is no
/// fault, but it is said.</summary>
internal sealed class ImageLinkComparison(ReadinessFacts today, ImageContent image, List<string> faults, List<string> seen, List<string> untold)
{
    // The kernel's numbers of the modes (bonding.rst): either may stand in a profile or an argument.
    private static readonly string[] Modes = ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];

    private readonly ImageNetworkContent _inside = image.Network;

    /// <summary>Adds what differs, what is alike and what cannot be told.</summary>
    public void Compare()
    {
        foreach (var bond in today.Bonds)
        {
            CompareBond(bond);
        }

        var matched = today.Vlans.Select(CompareVlan).OfType<ImageVlan>().ToList();
        CompareRest(matched);
    }

    private static string Mode(string mode) =>
        int.TryParse(mode, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Modes.Length ? Modes[number] : mode;

    private static string Names(IEnumerable<string?> names) => string.Join(" and ", names.Select(name => name ?? "one without a name"));

    private static string Text(ImageVlan vlan) =>
        $"VLAN {ImageCard.Plain(vlan.Name ?? "without a name")}{(vlan.Id is { } id ? $" ({id.ToString(CultureInfo.InvariantCulture)})" : "")}{(vlan.Parent is { } parent ? $" on {parent}" : "")}";

    private void Lacks(string what, string others)
    {
        if (_inside.Whole)
        {
            faults.Add($"the way to the store takes {what} now, the image has {others}");
        }
        else
        {
            untold.Add($"the image has too many connections to tell whether {what} is among them");
        }
    }

    private void CompareBond(NetworkBond bond)
    {
        if ((_inside.Bonds.FirstOrDefault(b => ImageCard.SameName(b.Name, bond.Name)) ?? _inside.Bonds.FirstOrDefault(b => b.Name is null)) is not { } inside)
        {
            Lacks($"the bond {bond.Name}", _inside.Bonds.Count == 0 ? "no bond" : $"only {Names(_inside.Bonds.Select(b => b.Name))}");
            return;
        }

        var (before, doubts) = (faults.Count, untold.Count);
        CompareMembers(bond, inside);
        if (bond.Mode is null || inside.Mode is null)
        {
            untold.Add($"{(bond.Mode is null ? "the host" : "the image")} does not tell the mode of {bond.Name}");
        }
        else if (Mode(bond.Mode) != Mode(inside.Mode))
        {
            faults.Add($"the bond {bond.Name} has the mode {Mode(inside.Mode)} inside and {Mode(bond.Mode)} now");
        }

        if (faults.Count == before && untold.Count == doubts)
        {
            seen.Add($"{bond.Name} of {string.Join(" and ", bond.Members)}, {Mode(bond.Mode!)}");
        }
    }

    private void CompareMembers(NetworkBond bond, ImageBond inside)
    {
        if (bond.Members.Count == 0)
        {
            untold.Add($"the host does not tell the members of {bond.Name}");
            return;
        }

        foreach (var gone in inside.Members.Where(member => member.IsNamed && !bond.Members.Any(member.Is)))
        {
            faults.Add($"the bond {bond.Name} has {gone} inside, which is not in it now");
        }

        var missing = bond.Members.Where(member => !inside.Members.Any(card => card.Is(member))).ToList();
        if (missing.Count > 0 && (!_inside.Whole || inside.Members.Any(member => !member.IsNamed)))
        {
            untold.Add($"the image does not tell whether {string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} in {bond.Name}");
            return;
        }

        foreach (var member in missing)
        {
            faults.Add($"the bond {bond.Name} has {member} now, which is missing inside");
        }
    }

    // One of another name with the same id and parent does the same.
    private ImageVlan? CompareVlan(NetworkVlan vlan)
    {
        bool SameParent(ImageVlan other) => vlan.Parent is { } card && other.Parent?.Is(card) == true;
        var inside = _inside.Vlans.FirstOrDefault(v => ImageCard.SameName(v.Name, vlan.Name)) ?? _inside.Vlans.FirstOrDefault(v => v.Id is not null && v.Id == vlan.Id && SameParent(v));
        if (inside is null)
        {
            Lacks($"VLAN {vlan.Name}", _inside.Vlans.Count == 0 ? "no VLAN" : $"only {string.Join(" and ", _inside.Vlans.Select(Text))}");
            return null;
        }

        var (before, doubts) = (faults.Count, untold.Count);
        if (vlan.Id is null || inside.Id is null)
        {
            untold.Add($"{(vlan.Id is null ? "the host" : "the image")} does not tell the id of VLAN {vlan.Name}");
        }
        else if (vlan.Id != inside.Id)
        {
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"VLAN {vlan.Name} has the id {inside.Id} inside and {vlan.Id} now"));
        }

        if (vlan.Parent is null || inside.Parent is null)
        {
            untold.Add($"{(vlan.Parent is null ? "the host" : "the image")} does not tell what VLAN {vlan.Name} is on");
        }
        else if (!SameParent(inside))
        {
            faults.Add($"VLAN {vlan.Name} is on {inside.Parent} inside and on {vlan.Parent} now");
        }

        if (faults.Count == before && untold.Count == doubts)
        {
            seen.Add(string.Create(CultureInfo.InvariantCulture, $"{vlan.Name} is VLAN {vlan.Id} on {vlan.Parent!.Name}"));
        }

        return inside;
    }

    // A way that had a bond or a VLAN when the image was built and has none now.
    private void CompareRest(List<ImageVlan> matched)
    {
        var cards = today.Cards;
        if (today.Bonds.Count == 0 && _inside.Bonds.FirstOrDefault(bond => bond.Members.Any(member => cards.Any(member.Is))) is { } old)
        {
            var card = cards.First(c => old.Members.Any(member => member.Is(c)));
            faults.Add($"the image puts {card} into the bond {old.Name ?? "without a name"}, in which it is not now");
        }

        // Other nodes of a cluster, which the capture tells that it dumps, may be reached through another VLAN of the same card.
        if (image.Configuration is { } conf && conf.Get("fence_kdump_nodes") is null && today.Vlans.Count == 0 &&
            _inside.Vlans.Except(matched).FirstOrDefault(vlan => vlan.Parent is { } parent && cards.Any(parent.Is)) is { } tagged)
        {
            faults.Add($"the image takes {Text(tagged)}, the way to the store takes no VLAN now");
        }
    }
}
