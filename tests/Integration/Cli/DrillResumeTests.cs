using System.Net;
using System.Net.Sockets;
using KdumpNfs.Collection;
using KdumpNfs.Drills;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Integration.Ssh;

namespace KdumpNfs.Tests.Integration.Cli;

/// <summary><c>kdumpnfs drill-resume --what-if</c> on a journal that another controller left: it says what it would do, and touches nothing.</summary>
[Collection(SshGroup.Name)]
public sealed class DrillResumeTests(SharedServer shared) : IDisposable
{
    private static readonly DateTimeOffset Triggered = new(2026, 11, 22, 10, 11, 12, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("kdumpnfs-resume-").FullName;
    private readonly TcpListener _silent = new(IPAddress.Loopback, 0);

    private string Journal => Path.Combine(_folder, "drill.jsonl");

    public void Dispose()
    {
        _silent.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_if_contacts_neither_hosts_that_were_triggered_nor_the_store()
    {
        var before = Make();
        var (status, output, error) = KdumpNfsCommand.Run("", "drill-resume", Journal, "--no-crash", "--what-if", "--power-cycle", $"touch {_folder}/cycled");
        Assert.Equal((0, ""), (status, error));
        Assert.Equal($"What if: Observe the outcome of web01, which was triggered at {Triggered:u}; it is not triggered again\n", output);
        Untouched(before);
    }

    [SkippableFact]
    public void What_if_only_looks_at_hosts_whose_turn_had_not_come()
    {
        Skip.If(SshServer.NotRunnable is not null, SshServer.NotRunnable);
        var server = shared.Server;
        var before = Make(new SshHost("127.0.0.1", "root", server.Port, server.UserKey));
        var (status, output, error) = KdumpNfsCommand.Run("", "drill-resume", Journal, "--allow-not-ready", "--what-if", "--known-hosts", server.KnownHosts);
        Assert.Equal((0, ""), (status, error));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("What if: Observe the outcome of web01, ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("What if: Crash 127.0.0.1 (", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(", whose turn had not come", lines[1], StringComparison.Ordinal);
        Untouched(before);
    }

    [Fact]
    public void What_if_says_that_somebody_else_goes_on_with_it()
    {
        Make();
        using var other = DrillJournal.Resume(Journal);
        var (status, _, error) = KdumpNfsCommand.Run("", "drill-resume", Journal, "--what-if");
        Assert.Equal(2, status);
        Assert.StartsWith("error JournalFailed: ", error, StringComparison.Ordinal);
    }

    // web01 was triggered, web02 has its verdict; whoever comes next had not its turn. The store and web01 are where somebody would notice.
    private byte[] Make(params SshHost[] waiting)
    {
        _silent.Start();
        var port = ((IPEndPoint)_silent.LocalEndpoint).Port;
        var (flying, done) = (new SshHost("web01", Port: port), new SshHost("web02", Port: port));
        var store = new SshHost("127.0.0.1", Port: port);
        using (var journal = DrillJournal.Create(Journal, DrillPlan.For(store, "/data", null), new[] { flying, done }.Concat(waiting).Select(host => new DrillHost(host, null))))
        {
            journal.Append(new DrillEvent
            {
                Step = DrillStep.Triggering,
                HostName = "web01",
                Subject = new DrillSubject { Identities = ["web01"], BootId = "boot-1", Lease = "1/1", Before = new StoreListing(Triggered, []), TriggeredAt = Triggered },
            });
            journal.Append(new DrillEvent { Step = DrillStep.Verdict, HostName = "web02", Drill = new KdumpDrill { HostName = "web02", Verdict = DrillVerdict.Proven } });
        }

        // What a controller that died in the middle of a line has left, and no lock file of it.
        File.AppendAllText(Journal, "{\"Step\":\"Trigg");
        File.Delete(Journal + ".lock");
        return File.ReadAllBytes(Journal);
    }

    private void Untouched(byte[] before)
    {
        Assert.Equal(before, File.ReadAllBytes(Journal));
        Assert.Equal([Journal], Directory.GetFileSystemEntries(_folder));
        Assert.False(_silent.Pending());
    }
}
