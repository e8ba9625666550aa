using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KdumpNfs.Kdump;

namespace KdumpNfs.Nfs;

/// <summary>Whom an export is for.</summary>
public enum ExportClientKind
{
    /// <summary>One host, by name or address.</summary>
    Host,

    /// <summary>All hosts of a network.</summary>
    Subnet,

    /// <summary>All hosts whose names match.</summary>
    Wildcard,

    /// <summary>Every host: <c>*</c>, or no client at all.</summary>
    World,

    /// <summary>An NIS netgroup.</summary>
    Netgroup,
}

/// <summary>One client of an export and what it may do.</summary>
/// <param name="Client">As the file names it; empty where options stand alone or no client does, which means every host.</param>
/// <param name="Options">In force for it, the line's defaults included; what is not named has the default of exports(5).</param>
public sealed record ExportClient(string Client, IReadOnlyList<string> Options)
{
    /// <summary>What kind of client.</summary>
    public ExportClientKind Kind => KindOf(Client);

    /// <summary>Whether root on the client is root on the export.</summary>
    public bool NoRootSquash => Options.LastOrDefault(o => o is "root_squash" or "no_root_squash") == "no_root_squash";

    /// <summary>What such an export allows that its owner may not expect; null for one host.</summary>
    public string? Warning => !NoRootSquash || Kind == ExportClientKind.Host ? null
        : $"no_root_squash for {Kind switch { ExportClientKind.World => "every host", ExportClientKind.Subnet => $"the network {Client}", _ => Client }}: " +
          "root on any of these hosts can read, change and delete every dump.";

    /// <summary>What a client's spelling means (exports(5), "Machine Name Formats").</summary>
    public static ExportClientKind KindOf(string client) =>
        client is "" or "*" or "0.0.0.0/0" or "::/0" ? ExportClientKind.World
        : client[0] == '@' ? ExportClientKind.Netgroup
        : client.IndexOfAny(['*', '?', '[']) >= 0 ? ExportClientKind.Wildcard
        : client.Contains('/', StringComparison.Ordinal) ? ExportClientKind.Subnet
        : ExportClientKind.Host;

    /// <summary>Whether a client can mean a host: certain for addresses and networks, assumed where only the server could tell.</summary>
    /// <param name="client">Of an export.</param>
    /// <param name="host">An address, or a name.</param>
    public static bool May(string client, string host)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (!IPAddress.TryParse(host, out var address))
        {
            return KindOf(client) != ExportClientKind.Host || IPAddress.TryParse(client, out _) || string.Equals(client.Split('.')[0], host.Split('.')[0], StringComparison.OrdinalIgnoreCase);
        }

        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        switch (KindOf(client))
        {
            case ExportClientKind.Host:
                return !IPAddress.TryParse(client, out var same) || same.Equals(address);
            case ExportClientKind.Subnet when IPAddress.TryParse(client.Split('/')[0], out var network):
                var mask = client.Split('/')[1];
                var length = int.TryParse(mask, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) ? bits
                    : IPAddress.TryParse(mask, out var dotted) ? dotted.GetAddressBytes().Sum(b => System.Numerics.BitOperations.PopCount(b)) : 0;
                var (a, b) = (address.GetAddressBytes(), network.GetAddressBytes());
                return a.Length == b.Length && Enumerable.Range(0, Math.Min(length, a.Length * 8)).All(i => ((a[i / 8] ^ b[i / 8]) & (0x80 >> (i % 8))) == 0);
            default:
                return true;
        }
    }

    /// <summary>Checks a client that is to be written: a host, address, network, wildcard or netgroup.</summary>
    /// <exception cref="HostException">InvalidInput, with what to give instead.</exception>
    public static void Check(string client)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (client.Length is 0 or > 400 || client[0] is '-' or '/' || client.Any(c => c is <= ' ' or > '~' or '(' or ')' or ',' or '"' or '\'' or '\\' or '#'))
        {
            throw Invalid(client, "name a host, an address, a network such as 192.168.122.0/24, a pattern such as *.example.com, or @netgroup.");
        }

        if (client[0] == '[' || (client.Contains(':', StringComparison.Ordinal) && client.Contains('[', StringComparison.Ordinal)))
        {
            throw Invalid(client, "IPv6 addresses stand without brackets in an exports file.");
        }

        switch (KindOf(client))
        {
            case ExportClientKind.Host:
                TargetInput.CheckServer(client);
                break;
            case ExportClientKind.Subnet:
                var parts = client.Split('/');
                if (parts.Length != 2 || !IPAddress.TryParse(parts[0], out var address) || !IsMask(address, parts[1]) || TargetInput.CheckServer(parts[0]).Length == 0)
                {
                    throw Invalid(client, "write a network as address/length or, for IPv4, address/255.255.255.0.");
                }

                break;
            default:
                break;
        }
    }

    private static bool IsMask(IPAddress address, string mask)
    {
        var v4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (mask.Length is > 0 and <= 3 && int.TryParse(mask, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return length <= (v4 ? 32 : 128);
        }

        if (!v4 || mask.Split('.').Length != 4 || !IPAddress.TryParse(mask, out var bits))
        {
            return false;
        }

        var ones = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bits.GetAddressBytes());
        return (~ones & (~ones + 1)) == 0;
    }

    private static HostException Invalid(string client, string remedy) =>
        new(ErrorIds.InvalidInput, "", $"'{Printable.Escape(client)}' cannot be the client of an export.") { Remedy = remedy };
}
