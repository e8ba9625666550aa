using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using KdumpNfs.Collection;
using KdumpNfs.Hosts;

namespace KdumpNfs.Crash;

/// <summary>A boot that is over.</summary>
/// <param name="Id">Its id, 32 hexadecimal digits; null where wtmp alone tells of it.</param>
/// <param name="Started">When it began.</param>
/// <param name="LastSeen">Its last entry in the journal; null where there is none.</param>
/// <param name="Next">When the next boot began.</param>
internal sealed record BootRecord(string? Id, DateTimeOffset Started, DateTimeOffset? LastSeen, DateTimeOffset Next)
{
    public bool Clean { get; init; }

    /// <summary>The boot of a capture kernel: its journal shows up where it boots the host's own root file system (Debian).</summary>
    public bool IsCapture { get; init; }

    public string? Kernel { get; init; }

    public string? PanicReason { get; init; }

    public IReadOnlyList<string> LastWords { get; init; } = [];

    public required string Source { get; init; }
}

/// <summary>What pstore kept of a panic.</summary>
internal sealed record StoredPanic(string Path, DateTimeOffset Time, string Header, string? Reason);

/// <summary>The boots of a host, from its journal and wtmp, and what pstore kept.</summary>
/// <remarks>
/// <para>A boot ended in good order when the end of its journal shows a shutdown: journald stopped (for good) or gave /var back, or systemd reached a
/// target of the end. In wtmp a shutdown record stands between two boots. Sources: systemd's journald-server.c, journalctl(1), last(1), wtmp(5).</para>
/// <para>A capture kernel carries <c>elfcorehdr=</c> on its command line (kernel, Documentation/admin-guide/kdump).</para>
/// </remarks>
internal sealed partial class BootHistory
{
    private static readonly TimeSpan SameBoot = TimeSpan.FromMinutes(5);

    /// <summary>Boots that are over, the oldest first; the running one is not among them.</summary>
    public IReadOnlyList<BootRecord> Boots { get; private init; } = [];

    /// <summary>Records of panics in pstore, parts of one panic joined.</summary>
    public IReadOnlyList<StoredPanic> Panics { get; private init; } = [];

    /// <summary>When the running boot began.</summary>
    public DateTimeOffset BootedAt { get; private init; }

    /// <summary>Why not more is known; null where the journal goes back over boots.</summary>
    public string? Limitation { get; private init; }

    /// <summary>Whether anything tells of boots at all.</summary>
    public bool KnowsAnything { get; private init; }

    /// <summary>Reads the reply of boots.sh.</summary>
    public static BootHistory From(HostReply reply)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(reply.Number("now") ?? 0);
        var uptime = double.TryParse(reply.Text("uptime"), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;
        var bootedAt = now - TimeSpan.FromSeconds(uptime);
        var current = (reply.Text("boot.id") ?? "").Trim().Replace("-", "", StringComparison.Ordinal);
        var journal = Journal(reply, current, bootedAt);
        var wtmp = Wtmp(reply.Text("wtmp") ?? "", bootedAt);

        // wtmp goes back further than most journals do.
        var oldest = journal.Count > 0 ? journal[0].Started : bootedAt;
        var older = wtmp.Where(b => b.Started < oldest - SameBoot).Select(b => b.Next > oldest ? b with { Next = oldest } : b).ToList();
        var panics = Panic(reply);
        return new BootHistory
        {
            Boots = [.. older, .. journal],
            Panics = panics,
            BootedAt = bootedAt,
            KnowsAnything = journal.Count > 0 || wtmp.Count > 0 || panics.Count > 0 || WtmpLine().IsMatch(reply.Text("wtmp") ?? "") || reply.Flag("journal.persistent"),
            Limitation = !reply.Flag("journal") ? "it has no systemd journal, so only wtmp and pstore tell of earlier boots"
                : journal.Count == 0 && !reply.Flag("journal.persistent") ? "its journal is kept in memory (no /var/log/journal), so only wtmp and pstore tell of earlier boots"
                : journal.Count == 0 ? "its journal has no earlier boot"
                : null,
        };
    }

    private static List<BootRecord> Journal(HostReply reply, string current, DateTimeOffset bootedAt)
    {
        var ids = reply.All("b.id");
        var heads = reply.All("b.head");
        var ends = reply.All("b.end");
        var panics = reply.All("b.panic");
        var listed = List(reply.Text("boots") ?? "").Where(b => b.Id != current).OrderBy(b => b.First).ToList();
        var boots = new List<BootRecord>();
        for (var i = 0; i < listed.Count; i++)
        {
            var at = ids.ToList().IndexOf(listed[i].Id);
            if (at < 0)
            {
                continue;
            }

            var end = ends[at].Split('\n', StringSplitOptions.RemoveEmptyEntries);
            boots.Add(new BootRecord(listed[i].Id, listed[i].First, listed[i].Last, i + 1 < listed.Count ? listed[i + 1].First : bootedAt)
            {
                Clean = IsClean(end),
                IsCapture = heads[at].Contains("elfcorehdr=", StringComparison.Ordinal),
                Kernel = KernelVersion().Match(heads[at]) is { Success: true } match ? match.Groups["release"].Value : null,
                PanicReason = ReasonIn(panics[at]),
                LastWords = [.. end.TakeLast(10).Select(Printable.Escape)],
                Source = "journal",
            });
        }

        return boots;
    }

    private static List<(string Id, DateTimeOffset First, DateTimeOffset Last)> List(string text)
    {
        var result = new List<(string, DateTimeOffset, DateTimeOffset)>();
        if (text.TrimStart().StartsWith('['))
        {
            using var json = JsonDocument.Parse(text);
            foreach (var boot in json.RootElement.EnumerateArray())
            {
                result.Add((boot.GetProperty("boot_id").GetString() ?? "", Micro(boot.GetProperty("first_entry").GetInt64()), Micro(boot.GetProperty("last_entry").GetInt64())));
            }

            return result;
        }

        foreach (Match line in ListedBoot().Matches(text))
        {
            result.Add((line.Groups["id"].Value, Utc(line.Groups["first"].Value), Utc(line.Groups["last"].Value)));
        }

        return result;
    }

    private static bool IsClean(string[] end)
    {
        var ended = Array.FindLastIndex(end, line => CleanEnd().IsMatch(line));
        return ended >= 0 && Array.FindIndex(end, ended + 1, line => line.Contains("Journal started", StringComparison.Ordinal)) < 0;
    }

    // The newest record comes first.
    private static List<BootRecord> Wtmp(string text, DateTimeOffset bootedAt)
    {
        var boots = new List<BootRecord>();
        DateTimeOffset? next = null;
        var shutdown = false;
        foreach (Match line in WtmpLine().Matches(text))
        {
            var time = DateTimeOffset.ParseExact(Blanks().Replace(line.Groups["time"].Value, " "), "ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            if (line.Groups["what"].Value == "shutdown")
            {
                shutdown = true;
                continue;
            }

            // The record of the running boot.
            if (next is not null || (bootedAt - time).Duration() > SameBoot)
            {
                boots.Insert(0, new BootRecord(null, time, null, next ?? bootedAt) { Clean = shutdown, Kernel = line.Groups["kernel"].Value, Source = "wtmp" });
            }

            next = time;
            shutdown = false;
        }

        return boots;
    }

    private static List<StoredPanic> Panic(HostReply reply)
    {
        var times = reply.All("p.time");
        var heads = reply.All("p.head");
        var texts = reply.All("p.text");
        return
        [
            .. from part in reply.All("p.file").Select((path, i) => (Path: path, Time: long.TryParse(times[i], out var t) ? DateTimeOffset.FromUnixTimeSeconds(t) : default, Head: heads[i], Text: texts[i]))
               where part.Head.StartsWith("Panic", StringComparison.Ordinal) || part.Text.Contains("Kernel panic", StringComparison.Ordinal)
               group part by part.Time into panic
               orderby panic.Key
               select new StoredPanic(panic.First().Path, panic.Key, Printable.Escape(panic.First().Head), ReasonIn(string.Join('\n', panic.Select(p => p.Text)))),
        ];
    }

    // What journalctl puts before the kernel's words hides them from PanicReason.
    private static string? ReasonIn(string lines) => PanicReason.Find(JournalPrefix().Replace(lines, ""));

    private static DateTimeOffset Micro(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * 10);

    private static DateTimeOffset Utc(string text) => DateTimeOffset.ParseExact(text, "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    [GeneratedRegex(@"^\s*-?\d+\s+(?<id>[0-9a-f]{32})\s+\w{3} (?<first>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.{1,8}?\w{3} (?<last>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex ListedBoot();

    [GeneratedRegex(@"Journal stopped|relinquish(ing)? /var|Reached target .*(shutdown|reboot|power.?off|halt|kexec|final|umount)|systemd-shutdown\[|: Shutting down\.|System is (rebooting|powering (down|off)|halting)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex CleanEnd();

    [GeneratedRegex(@"^(?<what>reboot|shutdown)\s+system (boot|down)\s+(?<kernel>\S+)\s.*?(?<time>(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2} \d\d:\d\d:\d\d \d{4})", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex WtmpLine();

    [GeneratedRegex(@"Linux version (?<release>\S+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex KernelVersion();

    [GeneratedRegex(@"^\S+ \S+ kernel: ", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1000)]
    private static partial Regex JournalPrefix();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Blanks();
}
