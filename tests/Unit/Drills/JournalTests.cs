using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Drills;
using KdumpNfs.Ssh;

namespace KdumpNfs.Tests.Unit.Drills;

public sealed class JournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-journal-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "sub", "drill.jsonl");

    public void Dispose() => Directory.Delete(_folder, true);

    internal static DrillPlan Plan(string root = "/data") => DrillPlan.For(new SshHost("store", "root", 2222), root, null) with { MaxDown = 3 };

    internal static DrillSubject Subject(params CrashDirectory[] before) => new()
    {
        Identities = ["node1", "10.0.0.1"],
        BootId = "boot-1",
        KernelRelease = "6.1.0",
        Image = new KdumpNfs.Hosts.CaptureImage("/boot/kdump.img", DateTimeOffset.FromUnixTimeSeconds(1795340747), 12345),
        Target = "store:/data",
        Sysrq = 438,
        SysrqRaise = new KdumpNfs.Crash.SysrqRaise(438, 446),
        Before = new StoreListing(DateTimeOffset.UtcNow, before),
        TriggeredAt = DateTimeOffset.UtcNow,
    };

    private static readonly SerialConsole Web = new(new SshHost("con", "root", 2200), ConsoleKind.Ipmitool, "bmc-web") { BmcUser = "admin", BmcPasswordFile = "/etc/bmc", Sudo = true };

    private DrillJournal Make(params string[] hosts) => DrillJournal.Create(Path, Plan(), hosts.Select(h => new DrillHost(new SshHost(h, Port: 22), h == "web" ? "g" : null, h == "web" ? Web : null)));

    [Fact]
    public void What_was_written_comes_back()
    {
        var crash = new CrashDirectory("10.0.0.1-202611220946", DateTimeOffset.FromUnixTimeSeconds(5), [new VmcoreFile("dump.1", 7, DateTimeOffset.FromUnixTimeSeconds(6))]);
        var subject = Subject(crash);
        using (var journal = Make("node1", "web", "db"))
        {
            Assert.Equal(Path + ".pause", journal.PauseFile);
            journal.Append(new DrillEvent { Step = DrillStep.Triggering, HostName = "node1", Subject = subject });
            journal.Append(new DrillEvent { Step = DrillStep.Verdict, HostName = "db", Drill = new KdumpDrill { HostName = "db", Verdict = DrillVerdict.Proven, Phases = [new(DrillPhaseKind.Crash, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(3), true)] } });
        }

        using var again = DrillJournal.Resume(Path);
        var left = DrillResumption.From(again);
        Assert.Equal((3, "/data", "store", 2222, "/data/.kdumpnfs-leases"), (left.Plan.MaxDown, left.Plan.Root, left.Plan.Store.HostName, left.Plan.Store.Port!.Value, left.Plan.LeasePath));
        var flying = Assert.Single(left.InFlight);
        Assert.Equal("node1", flying.Host.HostName);
        Assert.Equal((subject.BootId, subject.KernelRelease, subject.Image, subject.Target, subject.Sysrq, subject.TriggeredAt), (flying.Subject!.BootId, flying.Subject.KernelRelease, flying.Subject.Image, flying.Subject.Target, flying.Subject.Sysrq, flying.Subject.TriggeredAt));
        Assert.Equal(crash.Files, Assert.Single(flying.Subject.Before.Directories).Files);
        Assert.Equal(subject.Before.Now, flying.Subject.Before.Now);
        var waiting = Assert.Single(left.Untouched);
        Assert.Equal(("web", "g", Web), (waiting.Host.HostName, waiting.Group, waiting.Console));
        Assert.Equal(subject.SysrqRaise, flying.Subject.SysrqRaise);
        Assert.Equal(DrillVerdict.Proven, Assert.Single(left.Finished).Verdict);
    }

    [Fact]
    public void A_line_that_was_cut_is_taken_away()
    {
        Make("node1").Dispose();
        File.AppendAllText(Path, "{\"Step\":\"Trigg");
        using (var journal = DrillJournal.Resume(Path))
        {
            Assert.Equal(2, journal.Events.Count);
            journal.Append(new DrillEvent { Step = DrillStep.Triggering, HostName = "node1", Subject = Subject() });
        }

        using var again = DrillJournal.Resume(Path);
        Assert.Single(DrillResumption.From(again).InFlight);
        Assert.Equal([DrillStep.Begun, DrillStep.Listed, DrillStep.Resumed, DrillStep.Triggering], again.Events.Select(e => e.Step));
    }

    [Fact]
    public void A_look_changes_no_byte_and_makes_no_file()
    {
        Make("node1").Dispose();
        File.AppendAllText(Path, "{\"Step\":\"Trigg");
        File.Delete(Path + ".lock");
        var before = File.ReadAllBytes(Path);
        Assert.Equal("node1", Assert.Single(DrillResumption.From(DrillJournal.Look(Path)).Untouched).Host.HostName);
        Assert.Equal(before, File.ReadAllBytes(Path));
        Assert.Equal([Path], Directory.GetFiles(System.IO.Path.GetDirectoryName(Path)!));

        // It refuses what going on would be refused, and is in nobody's way.
        using var journal = DrillJournal.Resume(Path);
        Assert.Equal(ErrorIds.JournalFailed, Assert.Throws<HostException>(() => DrillJournal.Look(Path)).ErrorId);
        journal.Append(new DrillEvent { Step = DrillStep.Triggered, HostName = "node1" });
    }

    [Fact]
    public void Only_one_goes_on_and_a_new_drill_does_not_take_an_old_file()
    {
        using var journal = Make("node1");
        Assert.Equal(ErrorIds.JournalFailed, Assert.Throws<HostException>(() => DrillJournal.Resume(Path)).ErrorId);
        Assert.Equal(ErrorIds.JournalFailed, Assert.Throws<HostException>(() => Make("node1")).ErrorId);
        journal.Append(new DrillEvent { Step = DrillStep.Triggered, HostName = "node1" });
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}\n")]
    [InlineData("hello\n")]
    [InlineData("{\"Step\":\"Triggering\",\"HostName\":\"x\"}\n")]
    public void What_is_no_journal_is_refused_and_left_alone(string content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        File.WriteAllText(Path, content);
        Assert.Equal(ErrorIds.JournalFailed, Assert.Throws<HostException>(() => DrillJournal.Resume(Path)).ErrorId);
        Assert.Equal(ErrorIds.JournalFailed, Assert.Throws<HostException>(() => DrillJournal.Look(Path)).ErrorId);
        Assert.Equal(content, File.ReadAllText(Path));
    }

    [Fact]
    public void A_missing_one_is_not_made() => Assert.Equal(ErrorIds.JournalFailed, Assert.Throws<HostException>(() => DrillJournal.Resume(Path)).ErrorId);
}
