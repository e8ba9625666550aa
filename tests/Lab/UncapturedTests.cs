using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using Xunit.Abstractions;

namespace KdumpNfs.Tests.Lab;

/// <summary>Boots that ended without a shutdown, by a real journal that outlives them.</summary>
[Collection("6 Uncaptured crashes"), Trait(Lane.Name, Lane.Node2)]
public sealed class UncapturedTests(LabFixture lab, ITestOutputHelper output) : TargetScenarios(lab, output), IClassFixture<LabFixture>
{
    // Guests keep their journal in memory; this one keeps it on disk for the length of these scenarios.
    private const string Persistent = """
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

    private const string Volatile = """
        rm -f /etc/systemd/journald.conf.d/zz-persistent.conf
        systemctl -q mask systemd-journal-flush.service
        systemctl restart systemd-journald
        rm -rf /var/log/journal
        """;

    private List<UncleanBoot> Find(SshHost host, bool captured, out RecordingFront front)
    {
        using var operation = new FindUncapturedCrashOperation(Lab.Access, new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath)) { IncludeCaptured = captured };
        front = Run(operation.RunAsync, true, host);
        return [.. front.Outputs.Cast<UncleanBoot>()];
    }

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
        await ShellAsync(Lab.Node2, Persistent);
        var watch = Stopwatch.StartNew();
        // The machine's reset: no shutdown, no sync, no dump.
        await Assert.ThrowsAsync<HostException>(() => Lab.RunAsync(Lab.Node2, new RemoteScript("sleep 0.5; echo b >/proc/sysrq-trigger; sleep 60") { Timeout = TimeSpan.FromSeconds(30) }));
        await AwaitBootAsync(Lab.Node2, boot);
        var found = Assert.Single(Find(Lab.Node2, false, out var front), b => b.BootId == boot.Replace("-", "", StringComparison.Ordinal));
        Assert.Empty(front.Errors.Select(e => e.Message));
        Assert.Equal(CaptureVerdict.Uncaptured, found.Verdict);
        Assert.Null(found.PanicReason);
        Assert.Contains(found.LastWords, line => line.Contains("a word before the end", StringComparison.Ordinal));
        Assert.Contains("power cut", string.Join('\n', found.Evidence), StringComparison.Ordinal);
        Assert.Equal(await ShellAsync(Lab.Node2, "uname -r"), found.KernelRelease);
        Assert.InRange(found.NextBootAt!.Value - found.LastSeenAt!.Value, TimeSpan.Zero, watch.Elapsed);
    }

    [SkippableFact, Step(20), Trait("Category", "Long")]
    public async Task After_a_restore_a_crash_lands_where_it_used_to_and_is_told_from_an_uncaptured_one_and_from_a_reboot()
    {
        NeedLab();
        await PrepareAsync(Lab.Node2);
        One<KdumpTargetChange>(Local("/var/dumps"), Lab.Node2);
        One<KdumpTargetChange>(Restore(), Lab.Node2);
        await ShellAsync(Lab.Node2, Persistent);
        var boot = await ShellAsync(Lab.Node2, "cat /proc/sys/kernel/random/boot_id");
        var operation = new SysrqCrashOperation(Lab.FreshAccess) { ReturnTimeout = TimeSpan.FromMinutes(12) };
        var candidate = One<CrashCandidate>(async (host, context, token) => context.Output(await operation.ProbeAsync(host, null, context, token)), Lab.Node2);
        var front = new RecordingFront(Out);
        using (var campaign = new CrashCampaign(operation, maxDown: 1, wait: true))
        {
            campaign.Run([candidate], front);
        }

        Assert.Empty(front.Errors.Select(e => e.Message));
        var second = await AwaitBootAsync(Lab.Node2, boot);
        var captured = Assert.Single(Find(Lab.Node2, true, out _), b => b.BootId == boot.Replace("-", "", StringComparison.Ordinal));
        Assert.Equal(CaptureVerdict.Captured, captured.Verdict);
        Assert.Contains("sysrq triggered crash", captured.PanicReason, StringComparison.Ordinal);
        Assert.Equal(VmcoreState.Complete, captured.Dump!.State);
        Assert.StartsWith(ExportPath + DumpPath + "/192.168.122.102-", captured.Dump.Path, StringComparison.Ordinal);
        Assert.DoesNotContain(Find(Lab.Node2, false, out _), b => b.BootId == captured.BootId);

        await ShellAsync(Lab.Node2, "systemctl --no-block reboot");
        await AwaitBootAsync(Lab.Node2, second);
        Assert.DoesNotContain(Find(Lab.Node2, true, out _), b => b.BootId == second.Replace("-", "", StringComparison.Ordinal));
    }

    [SkippableFact, Step(90), Trait("Category", "Long")]
    public async Task The_journal_is_in_memory_again()
    {
        NeedLab();
        await ShellAsync(Lab.Node2, Volatile);
        for (var i = 0; i < 150 && await ShellAsync(Lab.Node2, "cat /sys/kernel/kexec_crash_loaded") != "1"; i++)
        {
            await Task.Delay(2000);
        }

        Assert.Equal("1", await ShellAsync(Lab.Node2, "cat /sys/kernel/kexec_crash_loaded"));
    }
}
