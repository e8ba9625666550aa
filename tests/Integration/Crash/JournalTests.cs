using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Hosts;

namespace KdumpNfs.Tests.Integration.Crash;

/// <summary>The script that asks for boots, against a real journald that lives in namespaces of its own and is told of other boots.</summary>
public sealed class JournalTests
{
    private const string Journald = "/lib/systemd/systemd-journald";

    // Three boots: one that ends in good order, one whose journald is killed as by a power cut, and the running one.
    private const string Boots = """
        set -e
        mount --make-rprivate /
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /var/log
        mkdir -p /run/log /run/systemd/journal /run/systemd/journald.conf.d /var/log/journal /run/fake
        printf '[Journal]\nStorage=persistent\nReadKMsg=no\nAudit=no\nForwardToWall=no\n' >/run/systemd/journald.conf.d/test.conf
        touch /run/systemd/journal/flushed
        echo '3.00 3.00' >/run/fake/uptime
        mount --bind /run/fake/uptime /proc/uptime
        : >/run/fake/boot_id
        mount --bind /run/fake/boot_id /proc/sys/kernel/random/boot_id
        boot() {
          echo "$1-1111-4111-8111-111111111111" >/run/fake/boot_id
          JOURNALD 2>/dev/null &
          pid=$!
          for i in $(seq 100); do [ -S /run/systemd/journal/stdout ] && break; sleep 0.1; done
          for i in $(seq 100); do echo "a word of boot $1" | systemd-cat -t test 2>/dev/null && break; sleep 0.1; done
          for i in $(seq 100); do journalctl -q -b "$(tr -d - </run/fake/boot_id)" 2>/dev/null | grep -q 'a word' && break; sleep 0.1; done
          kill "-$2" $pid
          wait $pid || true
          rm -f /run/systemd/journal/stdout
        }
        boot 11111111 TERM
        boot 22222222 KILL
        boot 33333333 KILL
        sleep 1
        sh SCRIPT
        """;

    private static string? NotRunnable => !File.Exists(Journald) || !CommandRunner.Exists("journalctl") ? "there is no journald here"
        : Environment.UserName != "root" || !CommandRunner.Exists("unshare") ? "namespaces need root here" : null;

    [SkippableFact]
    public async Task A_real_journal_tells_a_cut_boot_from_one_that_was_shut_down()
    {
        Skip.If(NotRunnable is not null, NotRunnable);
        var folder = Directory.CreateTempSubdirectory("kdumpnfs-journal-");
        try
        {
            var script = Path.Combine(folder.FullName, "boots.sh");
            var scene = Path.Combine(folder.FullName, "scene.sh");
            await File.WriteAllTextAsync(script, HostScript.Load("boots", ("max", "20")).Text);
            await File.WriteAllTextAsync(scene, Boots.Replace("JOURNALD", Journald, StringComparison.Ordinal).Replace("SCRIPT", script, StringComparison.Ordinal));
            using var process = Process.Start(new ProcessStartInfo("unshare", ["-m", "-p", "-f", "--mount-proc", "sh", scene]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = new MemoryStream();
            await process.StandardOutput.BaseStream.CopyToAsync(output);
            await process.WaitForExitAsync();
            Skip.If((await error).Contains("unshare failed", StringComparison.Ordinal), "namespaces cannot be made here");
            Assert.True(process.ExitCode == 0, await error);

            var history = BootHistory.From(HostReply.Parse("h", output.ToArray()));
            Assert.Null(history.Limitation);
            Assert.Equal([true, false], history.Boots.Select(b => b.Clean));
            var cut = Assert.Single(UncleanBoots.Reconcile("h", history, [], 20, null));
            Assert.Equal("22222222111141118111111111111111", cut.BootId);
            Assert.Contains(cut.LastWords, line => line.Contains("a word of boot 22222222", StringComparison.Ordinal));
            Assert.InRange(cut.LastSeenAt!.Value, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);

            var dump = new VmcoreDump
            {
                CrashedHost = "h", State = VmcoreState.Complete, Family = VmcoreFamily.Debian, Path = "/d/x", CrashTime = cut.LastSeenAt, CrashTimeSource = CrashTimeSource.Dump, LastChange = cut.LastSeenAt.Value,
            };
            Assert.Equal(CaptureVerdict.Captured, Assert.Single(UncleanBoots.Reconcile("h", history, [dump], 20, null)).Verdict);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
