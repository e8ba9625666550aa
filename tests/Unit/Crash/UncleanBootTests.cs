using System.Globalization;
using System.Text;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Hosts;

namespace KdumpNfs.Tests.Unit.Crash;

public class UncleanBootTests
{
    private const string A = "11111111111111111111111111111111", B = "22222222222222222222222222222222", Current = "44444444444444444444444444444444";
    private const string Shutdown = "2026-11-01T10:00:00+0000 h systemd[1]: Reached target reboot.target - System Reboot.\n2026-11-01T10:00:00+0000 h systemd-journald[99]: Journal stopped";
    private const string Cut = "2026-11-01T10:00:00+0000 h systemd[1]: Started x.\n2026-11-01T10:00:01+0000 h sshd[7]: Accepted \u001b[31mkey";

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse($"2026-11-01T{time}Z", CultureInfo.InvariantCulture);

    private static string List(params (string Id, string First, string Last)[] boots) => string.Concat(boots.Select((b, i) =>
        $" {i - boots.Length + 1} {b.Id} Sun 2026-11-01 {b.First} UTC\u2014Sun 2026-11-01 {b.Last} UTC\n"));

    private static string Json(params (string Id, string First, string Last)[] boots) => "[" + string.Join(',', boots.Select((b, i) =>
        $$"""{"index":{{i - boots.Length + 1}},"boot_id":"{{b.Id}}","first_entry":{{At(b.First).ToUnixTimeMilliseconds() * 1000}},"last_entry":{{At(b.Last).ToUnixTimeMilliseconds() * 1000}}}""")) + "]";

    private static BootHistory History(params (string Key, string Value)[] records)
    {
        var text = new StringBuilder();
        (string, string)[] all = [("now", At("12:00:00").ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)), ("boot.id", "44444444-4444-4444-4444-444444444444"), ("uptime", "3600.5"), .. records];
        foreach (var (key, value) in all)
        {
            text.Append(CultureInfo.InvariantCulture, $"{key} {Encoding.UTF8.GetByteCount(value)}\n{value}\n");
        }

        return BootHistory.From(HostReply.Parse("h", Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static (string, string)[] Boot(string id, string end, string panic = "", string head = "Linux version 6.1.0-13-amd64 (x)\nCommand line: root=/dev/vda") =>
        [("b.id", id), ("b.head", head), ("b.end", end), ("b.panic", panic)];

    private static VmcoreDump Dump(string time, VmcoreState state = VmcoreState.Complete, CrashTimeSource source = CrashTimeSource.Dump) => new()
    {
        CrashedHost = "h", State = state, Family = VmcoreFamily.RedHat, Path = "/d/h-" + time, CrashTime = At(time), CrashTimeSource = source, LastChange = At(time),
        Reason = state == VmcoreState.Incomplete ? "No space left on device" : null,
    };

    private static IReadOnlyList<UncleanBoot> Reconcile(BootHistory history, params VmcoreDump[] dumps) => UncleanBoots.Reconcile("h", history, dumps, 20, null);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cut_boot_is_told_and_a_clean_one_is_not(bool json)
    {
        (string, string, string)[] boots = [(A, "08:00:00", "09:00:00"), (B, "09:01:00", "10:00:01"), (Current, "11:00:00", "12:00:00")];
        var history = History([("journal", "1"), ("journal.persistent", "1"), ("boots", json ? Json(boots) : List(boots)), .. Boot(A, Shutdown), .. Boot(B, Cut)]);
        var found = Assert.Single(Reconcile(history));
        Assert.Equal((B, CaptureVerdict.Uncaptured, "6.1.0-13-amd64"), (found.BootId, found.Verdict, found.KernelRelease));
        Assert.Equal((At("09:01:00"), At("10:00:01")), (found.StartedAt, found.LastSeenAt));
        Assert.InRange(found.NextBootAt!.Value, At("10:59:58"), At("11:00:00"));
        Assert.Contains("power cut", string.Join('\n', found.Evidence), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', string.Concat(found.LastWords));
        Assert.Null(history.Limitation);
    }

    [Fact]
    public void A_journald_that_was_restarted_before_the_end_is_no_shutdown()
    {
        var end = "x systemd-journald[9]: Journal stopped\nx systemd-journald[10]: Journal started\nx sshd: y";
        var history = History([("journal", "1"), ("boots", List((B, "09:01:00", "10:00:00"), (Current, "11:00:00", "12:00:00"))), .. Boot(B, end)]);
        Assert.Single(Reconcile(history));
    }

    [Fact]
    public void A_dump_of_that_time_makes_it_captured_and_an_incomplete_one_does_not()
    {
        var history = History([("journal", "1"), ("boots", List((A, "08:00:00", "08:30:00"), (B, "09:00:00", "10:00:00"), (Current, "11:00:00", "12:00:00"))), .. Boot(A, Cut), .. Boot(B, Cut,
            "2026-11-01T10:00:00+0000 h kernel: BUG: kernel NULL pointer dereference, address: 0000000000000010")]);
        var found = Reconcile(history, Dump("08:30:05"), Dump("10:00:30", VmcoreState.Incomplete, CrashTimeSource.StoreFiles), Dump("03:00:00"));
        Assert.Equal([(B, CaptureVerdict.Uncaptured), (A, CaptureVerdict.Captured)], found.Select(f => (f.BootId, f.Verdict)));
        Assert.Contains("NULL pointer", found[0].PanicReason, StringComparison.Ordinal);
        Assert.Contains("No space left on device", found[0].Evidence);
        Assert.Equal(At("08:30:05"), found[1].EndedAt);
        Assert.Equal(CaptureVerdict.Unknown, Reconcile(history, Dump("08:30:05"), Dump("10:00:30", VmcoreState.NotChecked))[0].Verdict);
    }

    [Fact]
    public void Of_boots_that_follow_each_other_within_minutes_the_one_that_ended_then_has_the_dump()
    {
        var history = History([("journal", "1"), ("boots", List((A, "09:36:15", "09:37:36"), (B, "09:37:56", "09:39:13"), (Current, "09:40:32", "12:00:00"))), .. Boot(A, Cut), .. Boot(B, Cut)]);
        var found = Reconcile(history, Dump("09:39:15"));
        Assert.Equal([(B, CaptureVerdict.Captured), (A, CaptureVerdict.Uncaptured)], found.Select(f => (f.BootId, f.Verdict)));
        Assert.Equal([CaptureVerdict.Uncaptured, CaptureVerdict.Captured], Reconcile(history, Dump("09:37:40")).Select(f => f.Verdict));
    }

    [Fact]
    public void A_dump_of_a_crash_before_the_boot_is_none_of_it()
    {
        var history = History([("journal", "1"), ("boots", List((B, "09:37:56", "09:38:30"), (Current, "09:38:50", "12:00:00"))), .. Boot(B, Cut)]);
        var found = Assert.Single(Reconcile(history, Dump("09:37:20")));
        Assert.Equal((CaptureVerdict.Uncaptured, null), (found.Verdict, found.Dump));
    }

    [Fact]
    public void The_capture_kernels_own_boot_is_no_crash()
    {
        var history = History([("journal", "1"), ("boots", List((A, "08:00:00", "08:30:00"), (B, "08:30:20", "08:30:50"), (Current, "11:00:00", "12:00:00"))),
            .. Boot(A, Cut), .. Boot(B, Cut, head: "Linux version 6.1.0\nCommand line: root=/dev/vda elfcorehdr=0x1234K")]);
        var found = Assert.Single(Reconcile(history, Dump("08:30:10")));
        Assert.Equal((A, CaptureVerdict.Captured), (found.BootId, found.Verdict));
        Assert.Contains("A capture kernel ran right after it.", found.Evidence);
        Assert.Equal(CaptureVerdict.Uncaptured, Assert.Single(Reconcile(history)).Verdict);
    }

    [Fact]
    public void Without_a_persistent_journal_wtmp_tells_and_the_reason_is_given()
    {
        const string Wtmp = """
            reboot   system boot  6.1.0-13-amd64   Sun Nov  1 11:00:02 2026   still running
            reboot   system boot  6.1.0-13-amd64   Sun Nov  1 09:00:00 2026   still running
            shutdown system down  6.1.0-13-amd64   Sun Nov  1 08:59:00 2026 - Sun Nov  1 09:00:00 2026  (00:01)
            reboot   system boot  6.1.0-13-amd64   Sun Nov  1 08:00:00 2026 - Sun Nov  1 08:59:00 2026  (00:59)

            wtmp begins Sun Nov  1 08:00:00 2026
            """;
        var history = History(("journal", "1"), ("boots", List((Current, "11:00:00", "12:00:00"))), ("wtmp", Wtmp));
        var found = Assert.Single(Reconcile(history));
        Assert.Equal((null, At("09:00:00"), CaptureVerdict.Uncaptured), (found.BootId, found.StartedAt, found.Verdict));
        Assert.Contains("kept in memory", history.Limitation, StringComparison.Ordinal);
        Assert.True(history.KnowsAnything);
        Assert.Equal(CaptureVerdict.Captured, Assert.Single(Reconcile(history, Dump("10:30:00"))).Verdict);
    }

    [Fact]
    public void A_record_of_the_capture_kernel_in_wtmp_is_no_second_crash()
    {
        const string Wtmp = """
            reboot   system boot  6.1.0-13-amd64   Sun Nov  1 11:00:02 2026   still running
            reboot   system boot  6.1.0-13-amd64   Sun Nov  1 10:58:00 2026   still running
            reboot   system boot  6.1.0-13-amd64   Sun Nov  1 08:00:00 2026   still running
            """;
        var found = Assert.Single(Reconcile(History(("journal", "1"), ("wtmp", Wtmp)), Dump("10:57:30")));
        Assert.Equal((At("08:00:00"), CaptureVerdict.Captured), (found.StartedAt, found.Verdict));
    }

    [Fact]
    public void Pstore_gives_the_panic_to_its_boot_and_tells_of_one_that_nothing_else_knows()
    {
        (string, string)[] Stored(string time) => [("p.file", "/var/lib/systemd/pstore/1/dmesg.txt"), ("p.time", At(time).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
            ("p.head", "Panic#1 Part1"), ("p.text", "<0>[   12.3] Kernel panic - not syncing: Attempted to kill init!")];
        var known = History([("journal", "1"), ("boots", List((B, "09:00:00", "10:00:00"), (Current, "11:00:00", "12:00:00"))), .. Boot(B, Cut), .. Stored("10:00:02")]);
        Assert.Contains("Attempted to kill init", Assert.Single(Reconcile(known)).PanicReason, StringComparison.Ordinal);
        var alone = Assert.Single(Reconcile(History([("journal", "1"), .. Stored("10:00:02")])));
        Assert.Equal((At("10:00:02"), CaptureVerdict.Uncaptured), (alone.EndedAt, alone.Verdict));
    }

    [Fact]
    public void A_host_that_remembers_nothing_is_no_host_without_crashes() => Assert.False(History(("journal", "1"), ("boots", List((Current, "11:00:00", "12:00:00")))).KnowsAnything);
}
