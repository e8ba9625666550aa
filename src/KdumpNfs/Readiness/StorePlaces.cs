using System.Net;
using KdumpNfs.Kdump;

namespace KdumpNfs.Readiness;

/// <summary>Which hosts dump to one file system, whatever they call its server and whichever of its exports they mount.</summary>
/// <remarks>One text is one store. Two texts are one where a host of each knows the server by one address and sees a file system of one size there:
/// NFS tells clients nothing better that does not depend on the export. Two file systems of one size on one server count as one, which is on the safe
/// side: the least free space, and the dumps of all.</remarks>
internal static class StorePlaces
{
    // A client rounds the size up to its own block of the mount (wsize): hosts see one file system a little differently.
    private const long Rounding = 4L << 20;

    /// <summary>The hosts of each store with its texts, in the order of the texts. Hosts without a store are left out.</summary>
    public static IReadOnlyList<(IReadOnlyList<string> Texts, IReadOnlyList<HostReadiness> Hosts)> Of(IEnumerable<HostReadiness> hosts)
    {
        var places = hosts.Where(host => host.Target?.Store is not null).GroupBy(Text, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        // Each place leads to an earlier one that is the same store, or to itself.
        var same = Enumerable.Range(0, places.Count).ToArray();
        int First(int place)
        {
            while (same[place] != place)
            {
                place = same[place];
            }

            return place;
        }

        var seen = places.SelectMany((place, at) => place.SelectMany(Identities).Distinct().Select(id => (id.Server, id.Bytes, Place: at)))
            .OrderBy(id => id.Server, StringComparer.Ordinal).ThenBy(id => id.Bytes).ToList();
        foreach (var (one, next) in seen.Zip(seen.Skip(1)))
        {
            if (one.Server == next.Server && next.Bytes - one.Bytes < Rounding)
            {
                var (a, b) = (First(one.Place), First(next.Place));
                same[Math.Max(a, b)] = Math.Min(a, b);
            }
        }

        return
        [
            .. Enumerable.Range(0, places.Count).GroupBy(First).OrderBy(group => group.Key)
                .Select(group => ((IReadOnlyList<string>)[.. group.Select(at => places[at].Key)], (IReadOnlyList<HostReadiness>)[.. group.SelectMany(at => places[at])])),
        ];
    }

    // The server and its export, without the directory inside; or the account and directory of an ssh target.
    private static string Text(HostReadiness host)
    {
        var target = host.Target!;
        return target.Kind == KdumpTargetKind.Nfs && target.Export is { } export ? KdumpTarget.Nfs(target.Store!, export, null).Location : target.Location;
    }

    // A host's own addresses mean another machine on each host.
    private static IEnumerable<(string Server, long Bytes)> Identities(HostReadiness host) =>
        host.StoreTotalBytes is not { } bytes ? []
            : host.StoreAddresses.Select(text => IPAddress.TryParse(text, out var address) ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null)
                .Where(address => address is not null && !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal).Select(address => (address!.ToString(), bytes));
}
