using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>A guest's journal: in memory, or for the length of some scenarios on disk, where it outlives a boot.</summary>
internal static class KeptJournal
{
    public const string On = """
        set -e
        mkdir -p /var/log/journal
        printf '[Journal]\nStorage=persistent\n' >/etc/systemd/journald.conf.d/zz-persistent.conf
        systemctl -q unmask systemd-journal-flush.service
        systemctl restart systemd-journald
        journalctl --flush
        logger 'a word before the end'
        journalctl --sync
        sync
        """;

    public const string Off = """
        rm -f /etc/systemd/journald.conf.d/zz-persistent.conf
        systemctl -q mask systemd-journal-flush.service
        systemctl restart systemd-journald
        rm -rf /var/log/journal
        """;
}

/// <summary>Boots that ended without a shutdown and without a dump, and one that ended with a shutdown, by a real journal that outlives them. One that ended
/// with a dump is a drill's: <see cref="DrillTests"/>.</summary>
[Collection("6 Uncaptured crashes"), Trait(Lane.Name, Lane.Node2)]
public sealed class UncapturedTests(LabFixture lab, ITestOutputHelper output) : TargetScenarios(lab, output), IClassFixture<LabFixture>
{
    private async Task<string> AwaitBootAsync(SshHost host, string before)
    {
        for (var i = 0; i < 300; i++)
        {
            await Task.Delay(2000);
            try
            {
                await using var connection = await Lab.FreshAccess.Connector.ConnectAsync(host, Lab.FreshAccess.Options with { ConnectTimeout = TimeSpan.FromSeconds(10) }, default);
                var result = await connection.RunAsync(new RemoteScript("cat /proc/sys/kernel/random/boot_id; systemctl is-system-running --wait >/dev/null; exit 0") { Timeout = TimeSpan.FromMinutes(5) });
                if (result.OutputText.Trim() is { Length: > 0 } now && now != before)
                {
                    return now;
                }
            }
            catch (HostException)
            {
                // Not back yet.
            }
        }

        throw new TimeoutException("The guest did not come back.");
    }

    [SkippableFact, Step(10), Trait("Category", "Long")]
    public async Task A_reset_without_a_dump_is_found_with_the_hosts_last_words()
    {
        NeedLab();
        await ShellAsync(Lab.Storage, $"mkdir -p {ExportPath}{DumpPath}");
        var nothing = Run(new FindUncapturedCrashOperation(Lab.Access, new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath)).RunAsync, true, Lab.Node2);
        Assert.Empty(nothing.Outputs);
        Assert.True(nothing.Warnings.Exists(w => w.Contains("kept in memory", StringComparison.Ordinal)) || nothing.Errors.Exists(e => e.ErrorId == ErrorIds.NotSupported));

        var boot = await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/random/boot_id");
        await ShellAsync(Lab.Node2, KeptJournal.On);
        var watch = Stopwatch.StartNew();
        // The machine's reset: no shutdown, no sync, no dump.
        await Assert.ThrowsAsync<HostException>(() => Lab.RunAsync(Lab.Node2, new RemoteScript("sleep 0.5; echo b >/proc/sysrq-trigger; sleep 60") { Timeout = TimeSpan.FromSeconds(30) }));
        await AwaitBootAsync(Lab.Node2, boot);
        var found = Assert.Single(FindUnclean(Lab.Node2, false, out var front), b => b.BootId == boot.Replace("-", "", StringComparison.Ordinal));
        Assert.Empty(front.Errors.Select(e => e.Message));
        Assert.Equal(CaptureVerdict.Uncaptured, found.Verdict);
        Assert.Null(found.PanicReason);
        Assert.Contains(found.LastWords, line => line.Contains("a word before the end", StringComparison.Ordinal));
        Assert.Contains("power cut", string.Join('\n', found.Evidence), StringComparison.Ordinal);
        Assert.Equal(await ShellAsync(Lab.Node2, "uname -r"), found.KernelRelease);
        Assert.InRange(found.NextBootAt!.Value - found.LastSeenAt!.Value, TimeSpan.Zero, watch.Elapsed);
    }

    [SkippableFact, Step(20), Trait("Category", "Long")]
    public async Task A_reboot_is_no_unclean_boot()
    {
        NeedLab();
        await ShellAsync(Lab.Node2, KeptJournal.On);
        var boot = await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/random/boot_id");
        await ShellAsync(Lab.Node2, "systemctl --no-block reboot");
        await AwaitBootAsync(Lab.Node2, boot);
        Assert.DoesNotContain(FindUnclean(Lab.Node2, true, out _), b => b.BootId == boot.Replace("-", "", StringComparison.Ordinal));
    }

    [SkippableFact, Step(90), Trait("Category", "Long")]
    public async Task The_journal_is_in_memory_again()
    {
        NeedLab();
        await ShellAsync(Lab.Node2, KeptJournal.Off);
        for (var i = 0; i < 150 && await ShellAsync(Lab.Node2, "cat /sys/kernel/kexec_crash_loaded") != "1"; i++)
        {
            await Task.Delay(2000);
        }

        Assert.Equal("1", await ShellAsync(Lab.Node2, "cat /sys/kernel/kexec_crash_loaded"));
    }
}
