using System.Globalization;
using KdumpNfs.Hosts;

namespace KdumpNfs.Readiness;

/// <summary>A file that the capture image is made from.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Time">When it, or what it leads to, was changed last; null where it does not exist.</param>
/// <param name="Executable">Whether it can be run.</param>
internal sealed record WatchedFile(string Path, DateTimeOffset? Time, bool Executable);

/// <summary>A network card on the way to the store, or what it is made of.</summary>
internal sealed record NetworkCard(string Name, string Kind, string Address, string Driver)
{
    /// <summary>The card's own address, where it goes by another one for now; null where the host does not tell.</summary>
    public string? Permanent { get; init; }

    /// <summary>Whether a hardware address is this card's.</summary>
    public bool HasAddress(string address) =>
        address.Equals(Address, StringComparison.OrdinalIgnoreCase) || address.Equals(Permanent, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override string ToString() => Address is "-" or "" ? Name : $"{Name} ({Address})";
}

/// <summary>A bond on the way to the store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Mode">Its mode as the kernel calls it; null where the host does not tell.</param>
/// <param name="Members">Its members; empty where the host does not tell, or there are none.</param>
internal sealed record NetworkBond(string Name, string? Mode, IReadOnlyList<NetworkCard> Members);

/// <summary>A VLAN on the way to the store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id; null where the host does not tell (only root may ask).</param>
/// <param name="Parent">What it is on; null where the host does not tell.</param>
internal sealed record NetworkVlan(string Name, int? Id, NetworkCard? Parent);

/// <summary>A hardware watchdog (/sys/class/watchdog).</summary>
internal sealed record WatchdogDevice(string Name, bool Active, int? TimeoutSeconds, string Driver, string Identity)
{
    /// <summary>A timer of the kernel that crashed, not a device: it stops with it.</summary>
    public bool IsSoftware => Identity == "Software Watchdog" || Driver == "softdog";
}

/// <summary>What readiness.sh and readinessprobe.sh said.</summary>
internal sealed class ReadinessFacts(HostReply reply, HostReply? probe)
{
    private static readonly string[] ServiceStamps = ["StateChangeTimestampMonotonic", "ActiveEnterTimestampMonotonic"];

    public HostReply Reply { get; } = reply;

    /// <summary>What the probe said; null where none was made.</summary>
    public HostReply? Probe { get; } = probe;

    /// <summary>The host's clock when the script began, to the second.</summary>
    public DateTimeOffset? Clock => Reply.Number("clock") is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    public IReadOnlyList<WatchedFile> Watched =>
    [
        .. Reply.All("watched").Select(line => line.Split(' ', 4)).Where(words => words.Length == 4).Select(words => new WatchedFile(
            words[3],
            Seconds(words[0]) is { } own && Seconds(words[1]) is { } real ? DateTimeOffset.FromUnixTimeSeconds(Math.Max(own, real)) : null,
            words[2] == "x")),
    ];

    /// <summary>The card of the way to the store and all that it is made of.</summary>
    public IReadOnlyList<NetworkCard> Cards
    {
        get
        {
            var own = Reply.All("nic.permanent").Select(line => line.Split(' ')).Where(words => words.Length == 2)
                .GroupBy(words => words[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First()[1], StringComparer.Ordinal);
            return
            [
                .. Reply.All("nic").Select(line => line.Split(' ')).Where(words => words.Length == 4)
                    .Select(words => new NetworkCard(words[0], words[1], words[2], words[3]) { Permanent = own.GetValueOrDefault(words[0]) }),
            ];
        }
    }

    /// <summary>The bonds on the way to the store.</summary>
    public IReadOnlyList<NetworkBond> Bonds =>
    [
        .. Reply.All("nic.bond").Select(Words).Where(words => words.Length >= 2).DistinctBy(words => words[0])
            .Select(words => new NetworkBond(words[0], Told(words[1]), [.. words[2..].Select(Card)])),
    ];

    /// <summary>The VLANs on the way to the store.</summary>
    public IReadOnlyList<NetworkVlan> Vlans =>
    [
        .. Reply.All("nic.vlan").Select(Words).Where(words => words.Length == 3).DistinctBy(words => words[0])
            .Select(words => new NetworkVlan(words[0], (int?)Seconds(words[1]), Told(words[2]) is { } parent ? Card(parent) : null)),
    ];

    public IReadOnlyList<WatchdogDevice> Watchdogs =>
    [
        .. Reply.All("watchdog").Zip(Reply.All("watchdog.identity"), (line, identity) => (Words: line.Split(' '), identity.Trim()))
            .Where(pair => pair.Words.Length == 4)
            .Select(pair => new WatchdogDevice(pair.Words[0], pair.Words[1] != "inactive",
                int.TryParse(pair.Words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null, pair.Words[3], pair.Item2)),
    ];

    /// <summary>What the store's name leads to now, the first one first.</summary>
    public IReadOnlyList<string> Resolved => Lines(Reply.Text("resolved"));

    /// <summary>A word of the route to the store: dev, src or via.</summary>
    public string? Route(string name)
    {
        var words = (Reply.Text("route") ?? "").Split([' ', '\n', '\\'], StringSplitOptions.RemoveEmptyEntries);
        var at = Array.IndexOf(words, name);
        return at >= 0 && at + 1 < words.Length ? words[at + 1] : null;
    }

    /// <summary>A value of <c>systemctl show</c>.</summary>
    public string? Shown(string key, string property) =>
        Lines(Reply.Text(key)).Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2 && pair[0] == property).Select(pair => pair[1].Trim()).FirstOrDefault();

    /// <summary>When the service that loads the crash kernel last did something, by the host's clock; null where systemd does not tell.</summary>
    public DateTimeOffset? ServiceTime
    {
        get
        {
            var uptime = (Reply.Text("uptime") ?? "").Split(' ')[0];
            var stamp = ServiceStamps
                .Select(name => long.TryParse(Shown("unit", name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0).Max();
            return stamp > 0 && Clock is { } now && double.TryParse(uptime, NumberStyles.Float, CultureInfo.InvariantCulture, out var up)
                ? now - TimeSpan.FromSeconds(up) + TimeSpan.FromMicroseconds(stamp)
                : null;
        }
    }

    /// <summary>Bytes of the running kernel's image in memory (/proc/iomem); 0 where addresses are hidden from this account.</summary>
    public long KernelBytes => Lines(Reply.Text("kernel.iomem")).Select(line => line.Split(" : ")[0].Trim().Split('-')).Where(ends => ends.Length == 2)
        .Sum(ends => long.TryParse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var start) &&
            long.TryParse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var end) && end > start ? end - start : 0);

    /// <summary>Modules that are loaded now with their sizes in bytes.</summary>
    public IReadOnlyDictionary<string, long> Modules =>
        Lines(Reply.Text("modules")).Select(line => line.Split(' ')).Where(words => words.Length == 2).GroupBy(words => words[0], StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => Seconds(group.First()[1]) ?? 0, StringComparer.Ordinal);

    /// <summary>Of the modules that a capture over the network may need, those that are part of the kernel.</summary>
    public IReadOnlyList<string> BuiltIn => Lines(Reply.Text("builtin"));

    /// <summary>Free and all bytes of the target, from the probe; null where it did not get so far.</summary>
    public (long Total, long Free)? Space
    {
        get
        {
            var words = Word("space:");
            if (words.Length == 2 && Seconds(words[0]) is { } total && Seconds(words[1]) is { } free)
            {
                return (total * 1024, free * 1024);
            }

            return Seconds((Probe?.Text("ssh.df") ?? "").Trim()) is { } available ? (0, available * 1024) : null;
        }
    }

    /// <summary>The options that the probe's mount really had; null where it was not mounted.</summary>
    public string? MountOptions => Word("mount:") is { Length: >= 3 } words ? words[^1] : null;

    /// <summary>What the probe said besides its figures.</summary>
    public string ProbeWords => string.Join('\n', Lines(Probe?.Text("probe.words"))
        .Where(line => !line.StartsWith("space:", StringComparison.Ordinal) && !line.StartsWith("mount:", StringComparison.Ordinal)));

    internal static IReadOnlyList<string> Lines(string? text) => (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] Words(string line) => line.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static string? Told(string word) => word == "-" ? null : word;

    private NetworkCard Card(string name) => Cards.FirstOrDefault(card => card.Name == name) ?? new NetworkCard(name, "card", "-", "");

    private static long? Seconds(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private string[] Word(string prefix) => Lines(Probe?.Text("probe.words")).Where(line => line.StartsWith(prefix, StringComparison.Ordinal))
        .Select(line => line[prefix.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)).FirstOrDefault() ?? [];
}
