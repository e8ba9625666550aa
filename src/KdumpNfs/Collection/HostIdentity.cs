using System.Net;

namespace KdumpNfs.Collection;

/// <summary>All the addresses and names of one host: a crash directory may carry any of them, and seldom the one used for SSH.</summary>
public sealed class HostIdentity
{
    private readonly HashSet<IPAddress> _addresses = [];
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A host of these addresses (IPv4, IPv6, in any notation) and host names (short, qualified or both). Loopback addresses count for nobody.</summary>
    public HostIdentity(IEnumerable<string> addressesAndNames)
    {
        ArgumentNullException.ThrowIfNull(addressesAndNames);
        foreach (var text in addressesAndNames.Select(t => t.Trim()).Where(t => t.Length > 0))
        {
            if (Address(text) is not { } address)
            {
                _names.Add(text.TrimEnd('.'));
            }
            else if (!IPAddress.IsLoopback(address))
            {
                _addresses.Add(address);
            }
        }
    }

    /// <summary>The identities, for messages.</summary>
    public override string ToString() => string.Join(", ", _addresses.Select(a => a.ToString()).Concat(_names));

    /// <summary>Whether a dump is this host's: by the directory's name, and only where that names nobody (a test, a loopback address) by the name inside the dump.</summary>
    internal bool Owns(string? directoryHost, string? nodeName) =>
        directoryHost is null || (Address(directoryHost) is { } address && IPAddress.IsLoopback(address))
            ? nodeName is not null && Is(nodeName)
            : Is(directoryHost);

    /// <summary>Whether a directory of this name may be this host's: it names this host, or nobody.</summary>
    internal bool MayOwn(string? directoryHost) => directoryHost is null || (Address(directoryHost) is { } address && IPAddress.IsLoopback(address)) || Is(directoryHost);

    /// <summary>Whether a text is one of this host's addresses or names. A short name equals a qualified one that starts with it.</summary>
    public bool Is(string addressOrName)
    {
        ArgumentNullException.ThrowIfNull(addressOrName);
        if (Address(addressOrName) is { } address)
        {
            return _addresses.Contains(address);
        }

        var name = addressOrName.TrimEnd('.');
        return _names.Contains(name) || _names.Any(known => SameShort(known, name) || SameShort(name, known));
    }

    private static bool SameShort(string shortName, string name) =>
        !shortName.Contains('.', StringComparison.Ordinal) && name.Length > shortName.Length &&
        name[shortName.Length] == '.' && name.StartsWith(shortName, StringComparison.OrdinalIgnoreCase);

    private static IPAddress? Address(string text)
    {
        // "1" and "0x7f" are addresses for IPAddress and host names for everybody else.
        if (!text.Contains(':', StringComparison.Ordinal) && text.Count(c => c == '.') != 3)
        {
            return null;
        }

        if (!IPAddress.TryParse(text, out var address))
        {
            return null;
        }

        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? new IPAddress(address.GetAddressBytes()) : address;
    }
}
