using System.Diagnostics;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Kdump;
using KdumpNfs.Ssh;
using KdumpNfs.Storms;

namespace KdumpNfs.Tests.Lab;

/// <summary>Both nodes crash; what arrives is read.</summary>
public sealed partial class MainJobTests
{
    [SkippableFact, Step(100)]
    public async Task Crashed_nodes_leave_complete_vmcores_and_come_back()
    {
        NeedLab();
        var nodes = new[] { Lab.Node1, Lab.Node2 };
        var crashOperation = new SysrqCrashOperation(Lab.FreshAccess) { ReturnTimeout = TimeSpan.FromMinutes(12) };
        var candidates = Run(async (host, context, token) => context.Output(await crashOperation.ProbeAsync(host, null, context, token)), true, nodes)
            .Outputs.Cast<CrashCandidate>().ToList();
        Assert.Equal(2, candidates.Count);

        await using var watch = new VmcoreWatch(new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath));
        var before = One<StoreListing>(async (_, context, token) => context.Output(await watch.BeforeAsync(context, token)), Lab.Storage);
        var front = new RecordingFront(Out);
        using (var campaign = new CrashCampaign(crashOperation, maxDown: 2, wait: false))
        {
            campaign.Run(candidates, front);
        }

        Assert.Empty(front.Errors);
        var crashes = front.Outputs.Cast<SysrqCrash>().ToList();
        Assert.Equal(["192.168.122.101", "192.168.122.102"], crashes.Select(c => c.SourceAddress).Order(StringComparer.Ordinal));

        var collected = new RecordingFront(Out);
        using (var fleet = new Fleet.FleetRun(4))
        {
            foreach (var crash in crashes)
            {
                Fleet.FleetPump.Add(fleet, collected, crash.CrashedHost, async (context, token) => context.Output(await WaitVmcoreOperation.RunAsync(watch,
                    new WaitVmcoreRequest { Host = new HostIdentity(crash.Identities.Append(crash.SourceAddress!)), Before = before, Timeout = TimeSpan.FromMinutes(10) }, context, token)));
            }

            Fleet.FleetPump.Finish(fleet, collected);
        }

        Assert.Empty(collected.Errors.Select(e => e.Message));
        foreach (var dump in collected.Outputs.Cast<VmcoreDump>())
        {
            Assert.Equal(VmcoreState.Complete, dump.State);
            Assert.StartsWith(ExportPath + DumpPath + "/", dump.Path, StringComparison.Ordinal);
            Assert.Contains("sysrq triggered crash", dump.PanicReason, StringComparison.Ordinal);
            var crash = crashes.Single(c => dump.CrashedHost == c.SourceAddress || c.Identities.Contains(dump.CrashedHost));
            Assert.Equal(crash.KernelRelease, dump.KernelRelease);
            var estimate = Lab.Estimates[crash.CrashedHost];
            Out.WriteLine($"{crash.CrashedHost}: {dump.Bytes} bytes, estimated {estimate.CompressedLowBytes} to {estimate.CompressedHighBytes}");
            Assert.InRange(dump.Bytes, estimate.CompressedLowBytes, estimate.CompressedHighBytes);
        }

        var back = Run(async (host, context, token) =>
            context.Output(await crashOperation.AwaitReturnAsync(crashes.Single(c => c.CrashedHost == host.HostName), host, context, token)), true, nodes);
        Assert.Empty(back.Errors.Select(e => e.Message));
        Assert.All(back.Outputs.Cast<SysrqCrash>(), crash => Assert.NotEqual(crash.BootIdBefore, crash.BootIdAfter));
        Lab.BothAtOnce = Timed(back.Outputs.Cast<SysrqCrash>(), [.. collected.Outputs.Cast<VmcoreDump>()]);
        await ReadDumpsAsync(collected.Outputs.Cast<VmcoreDump>());
    }

    // The machine's own makedumpfile reads what arrived: node1's flattened dump after -R, node2's as it is.
    private async Task ReadDumpsAsync(IEnumerable<VmcoreDump> dumps)
    {
        Skip.IfNot(File.Exists("/usr/bin/makedumpfile") || File.Exists("/usr/sbin/makedumpfile"), "makedumpfile is not installed on this machine.");
        var folder = Directory.CreateTempSubdirectory("kdumpnfs-lab");
        try
        {
            foreach (var dump in dumps)
            {
                var path = Path.Combine(folder.FullName, Path.GetRandomFileName());
                await using (var file = File.Create(path))
                {
                    var result = await Lab.RunAsync(Lab.Storage, new RemoteScript($"cat {ShellQuote.Word(dump.DumpFile!)}") { OnOutput = bytes => file.Write(bytes.Span) });
                    Assert.Equal(0, result.ExitStatus);
                }

                if (dump.Format == Vmcore.VmcoreFormat.Flattened)
                {
                    Makedumpfile($"-R {path}.plain", path);
                    path += ".plain";
                }

                Makedumpfile($"--dump-dmesg {path} {path}.dmesg", null);
                Assert.Contains("Kernel panic - not syncing: sysrq triggered crash", await File.ReadAllTextAsync(path + ".dmesg"), StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private void Makedumpfile(string arguments, string? input)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"PATH=$PATH:/usr/sbin makedumpfile {arguments}{(input is null ? "" : " <" + input)} 2>&1"]) { RedirectStandardOutput = true })!;
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Out.WriteLine(said);
        Assert.Equal(0, process.ExitCode);
    }

    [SkippableFact, Step(110)]
    public void Nodes_are_armed_again_after_the_crash()
    {
        NeedLab();
        Assert.All(Run(StatusAsync, true, Lab.Node1, Lab.Node2).Outputs.Cast<KdumpStatus>(), status => Assert.Equal(KdumpState.Configured, status.State));
    }

    // Each crash as a storm learns from it: trigger by this machine's clock, end of the dump by the store's, which runs on this machine's time.
    private static List<StormDrill> Timed(IEnumerable<SysrqCrash> crashes, IReadOnlyList<VmcoreDump> dumps) => [.. crashes.Select(crash =>
    {
        var dump = dumps.Single(d => d.CrashedHost == crash.SourceAddress || crash.Identities.Contains(d.CrashedHost));
        return new StormDrill(crash.CrashedHost, dump.Bytes, dump.LastChange - crash.TriggeredAt, crash.Away!.Value);
    })];

    // Both at once, beside what Measure-KdumpStorm makes of the same nodes that crashed one after the other: printed, for two emulated nodes also share this machine's processors with
    // whatever else it does. What must hold on any machine: a storm that knows what each node wrote and how long it took to come back when both crashed gives that crash again, and the
    // space that estimates foretell holds what was written.
    private void CompareStorm(IReadOnlyList<StormDrill> alone)
    {
        Assert.Equal(2, Lab.BothAtOnce.Count);
        var boot = TimeSpan.FromSeconds(Math.Min(10, alone.Concat(Lab.BothAtOnce).Min(d => d.CaptureTime.TotalSeconds) / 2));
        var foretold = Simulated(alone, boot);
        var fitted = Simulated(Lab.BothAtOnce, boot);
        // Hosts have their own bandwidths in it, but share the median of the times to come back.
        var spread = TimeSpan.FromSeconds(Lab.BothAtOnce.Max(d => (d.Away - d.CaptureTime).TotalSeconds) - Lab.BothAtOnce.Min(d => (d.Away - d.CaptureTime).TotalSeconds)) / 2;
        foreach (var real in Lab.BothAtOnce)
        {
            var (told, fit) = (foretold.Crashes.Single(c => c.HostName == real.HostName), fitted.Crashes.Single(c => c.HostName == real.HostName));
            Out.WriteLine($"{real.HostName}: dump whole after {real.CaptureTime.TotalSeconds:0} s, foretold from single crashes {told.WrittenAt.TotalSeconds:0} s; back after {real.Away.TotalSeconds:0} s, foretold {told.Down.TotalSeconds:0} s");
            Assert.Equal(real.CaptureTime.TotalSeconds, fit.WrittenAt.TotalSeconds, 1.0);
            Assert.Equal(real.Away.TotalSeconds, fit.Down.TotalSeconds, spread.TotalSeconds + 1.0);
        }

        var wrote = Lab.BothAtOnce.Sum(d => d.DumpBytes);
        long Space(StormEstimate end) => StormSimulation.Run(
            [.. Lab.BothAtOnce.Select(d => new StormHost(d.HostName, StormEstimates.Choose(Lab.Estimates[d.HostName].CompressedLowBytes, Lab.Estimates[d.HostName].CompressedHighBytes, end)))],
            new StormRequest { StoreBandwidth = 1e9 }).StoreBytes;
        Out.WriteLine($"both wrote {wrote} bytes, foretold {Space(StormEstimate.Low)} to {Space(StormEstimate.High)}");
        Assert.InRange(wrote, Space(StormEstimate.Low), Space(StormEstimate.High));
    }

    // Both nodes at once, as drills let expect it.
    private KdumpStorm Simulated(IReadOnlyList<StormDrill> drills, TimeSpan boot)
    {
        var known = StormCalibration.From(drills, boot);
        return StormSimulation.Run([.. Lab.BothAtOnce.Select(d => new StormHost(d.HostName, d.DumpBytes, known.BandwidthOf(d.HostName)))],
            new StormRequest { StoreBandwidth = 1e9, CaptureBootTime = boot, RestartTime = known.RestartTime });
    }

    [SkippableFact, Step(120), Trait("Category", "Long")]
    public async Task With_one_down_at_a_time_the_second_trigger_waits_for_the_first_host_to_be_back()
    {
        NeedLab();
        // Another level and another compression on the way: what is asked for is what arrives.
        var request = NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, 17, VmcoreCompression.Zlib, false);
        await EachNodeAsync(host =>
        {
            Assert.True(One<KdumpTargetChange>(SetTarget(request), host).Changed);
            return Task.CompletedTask;
        });
        var operation = new SysrqCrashOperation(Lab.FreshAccess) { ReturnTimeout = TimeSpan.FromMinutes(12) };
        var candidates = Run(async (host, context, token) => context.Output(await operation.ProbeAsync(host, null, context, token)), true, Lab.Node1, Lab.Node2)
            .Outputs.Cast<CrashCandidate>().ToList();
        await using var watch = new VmcoreWatch(new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath));
        var before = One<StoreListing>(async (_, context, token) => context.Output(await watch.BeforeAsync(context, token)), Lab.Storage);
        var front = new RecordingFront(Out);
        using (var campaign = new CrashCampaign(operation, maxDown: 1, wait: false))
        {
            campaign.Run(candidates, front);
        }

        Assert.Empty(front.Errors.Select(e => e.Message));
        var crashes = front.Outputs.Cast<SysrqCrash>().ToList();
        Assert.Equal(2, crashes.Count);
        var first = candidates[0].Host;
        var bootedAt = await ShellAsync(first, "echo $(($(date +%s) - $(cut -d. -f1 /proc/uptime)))");
        Assert.NotEqual(crashes[0].BootIdBefore, await ShellAsync(first, "cat /proc/sys/kernel/random/boot_id"));
        var second = crashes.Single(c => c.CrashedHost == candidates[1].Host.HostName);
        Assert.True(second.TriggeredAt.ToUnixTimeSeconds() >= long.Parse(bootedAt, System.Globalization.CultureInfo.InvariantCulture), $"{second.TriggeredAt} {bootedAt}");

        var collected = Run(async (host, context, token) =>
        {
            var crash = crashes.Single(c => c.CrashedHost == host.HostName);
            context.Output(await WaitVmcoreOperation.RunAsync(watch, new WaitVmcoreRequest
            {
                Host = new HostIdentity(crash.Identities.Append(crash.SourceAddress!)),
                Before = before,
                Timeout = TimeSpan.FromMinutes(10),
            }, context, token));
        }, true, Lab.Node1, Lab.Node2);
        Assert.Empty(collected.Errors.Select(e => e.Message));
        Assert.All(collected.Outputs.Cast<VmcoreDump>(), dump => Assert.Equal((VmcoreState.Complete, Vmcore.PageCompression.Zlib), (dump.State, dump.Compression)));

        // What runs next needs both nodes, armed; the last trigger had nobody to wait for.
        var back = Run(async (host, context, token) =>
            context.Output(await operation.AwaitReturnAsync(crashes.Single(c => c.CrashedHost == host.HostName), host, context, token)), true, Lab.Node1, Lab.Node2);
        Assert.Empty(back.Errors.Select(e => e.Message));
        CompareStorm(Timed(crashes.Where(c => c.Away is not null).Concat(back.Outputs.Cast<SysrqCrash>()).DistinctBy(c => c.CrashedHost), [.. collected.Outputs.Cast<VmcoreDump>()]));
        var watchArmed = Stopwatch.StartNew();
        while (!Run(StatusAsync, true, Lab.Node1, Lab.Node2).Outputs.Cast<KdumpStatus>().All(status => status.State == KdumpState.Configured))
        {
            Assert.True(watchArmed.Elapsed < TimeSpan.FromMinutes(5), "The nodes were not armed again in time.");
            await Task.Delay(2000);
        }
    }
}
