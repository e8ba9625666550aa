using System.Text;
using KdumpNfs.Hosts;
using KdumpNfs.Kdump;

namespace KdumpNfs.Tests.Unit.Kdump;

public class RestoreTests
{
    private const string A = "nfs a:/x\n", B = "nfs b:/x\n", C = "nfs c:/x\n";

    private static KdumpTargetPlan Plan(string? backup, string now, params (string Stamp, string Content)[] backups) =>
        KdumpTargetPlan.Create(new FactsOf(HostFamily.RedHat, now).WithBackups(backups).Make(), RestoreRequest.Create(backup, false));

    [Fact]
    public void The_state_before_the_last_change_comes_back_once()
    {
        var plan = Plan(null, C, ("20260101T000000Z", A), ("20260102T000000Z", B));
        Assert.Equal((B, true), (Encoding.UTF8.GetString(plan.NewContent.Span), plan.WritesFile));
        Assert.Equal("/etc/kdump.conf.kdumpnfs-20260102T000000Z.bak", plan.RestoredFrom);
        Assert.Contains("-nfs c:/x\n+nfs b:/x", plan.Diff, StringComparison.Ordinal);

        // The restore left a copy of C. A second run has nothing to do: it brings back neither C nor A.
        var again = Plan(null, B, ("20260101T000000Z", A), ("20260102T000000Z", B), ("20260103T000000Z-restore", C));
        Assert.True(again.IsEmpty);
        Assert.Null(again.RestoredFrom);
    }

    [Fact]
    public void A_change_after_a_restore_is_undone_to_what_the_restore_left()
    {
        var plan = Plan(null, A, ("20260102T000000Z", B), ("20260103T000000Z-restore", C), ("20260104T000000Z", B));
        Assert.Equal(B, Encoding.UTF8.GetString(plan.NewContent.Span));
    }

    [Fact]
    public void A_backup_is_named_by_a_part_of_its_name()
    {
        Assert.Equal(A, Encoding.UTF8.GetString(Plan("20260101", C, ("20260101T000000Z", A), ("20260102T000000Z", B)).NewContent.Span));
        Assert.Equal(C, Encoding.UTF8.GetString(Plan("restore", A, ("20260101T000000Z", A), ("20260103T000000Z-restore", C)).NewContent.Span));
        var two = Assert.Throws<HostException>(() => Plan("2026", C, ("20260101T000000Z", A), ("20260102T000000Z", B)));
        Assert.Equal(ErrorIds.BackupMissing, two.ErrorId);
        Assert.Contains("20260101T000000Z", two.HostSaid, StringComparison.Ordinal);
        Assert.Equal(ErrorIds.BackupMissing, Assert.Throws<HostException>(() => Plan(null, C)).ErrorId);
        Assert.Equal(ErrorIds.InvalidInput, Assert.Throws<HostException>(() => RestoreRequest.Create(" ", false)).ErrorId);
    }

    [Fact]
    public void A_named_backup_that_is_there_already_changes_nothing() => Assert.True(Plan("20260101", A, ("20260101T000000Z", A)).IsEmpty);

    [Fact]
    public void What_the_tools_would_refuse_is_not_restored() =>
        Assert.Equal(ErrorIds.ConfigurationInvalid, Assert.Throws<HostException>(() => Plan(null, A, ("20260101T000000Z", "nfs b:/x\nnet c:/x\n"))).ErrorId);

    [Fact]
    public void Backups_are_listed_with_their_targets_and_without_their_content()
    {
        var facts = new FactsOf(HostFamily.Debian, "USE_KDUMP=1\nNFS=\"s:/a\"\n").WithBackups(
            ("20260101T101112Z", "USE_KDUMP=1\nFTP=\"s:/b\"\nFTP_PASSWORD=sesame\n"), ("20260102T000000Z", "USE_KDUMP=1\nNFS=\"s:/a\"\n")).Make();
        var backups = KdumpBackup.Of(facts);
        Assert.Equal([true, false], backups.Select(b => b.Current));
        Assert.Equal("ftp://s/b", backups[1].Target!.Location);
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 10, 11, 12, TimeSpan.Zero), backups[1].Time);
        Assert.DoesNotContain("sesame", System.Text.Json.JsonSerializer.Serialize(backups) + backups[1], StringComparison.Ordinal);
    }
}
