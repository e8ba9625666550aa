using KdumpNfs.Kdump;
using KdumpNfs.Nfs;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;
using Xunit.Abstractions;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Tests.Lab;

/// <summary>Readiness names the fault of a host, one at a time, and passes before and after. Nothing is rebuilt: images are made to look stale or aimed
/// elsewhere by their configuration's content and time.</summary>
[Collection("2 Readiness")]
public sealed class ReadinessTests(LabFixture lab, ITestOutputHelper output) : LabScenarios(lab, output), IClassFixture<LabFixture>
{
    private const string ExportPath = "/data/nfs_share";
    private const string DumpPath = "/var/crash";

    private static readonly string[] Proofs = [ExportMountable, DumpPathExists, DumpPathWritable, FreeSpace, SecurityFlavour];

    private HostReadiness Readiness(SshHost host, bool probe) => One<HostReadiness>(
        async (h, context, token) => context.Output(await new TestReadinessOperation(Lab.Access) { Probe = probe }.RunAsync(h, context, token)), host);

    private void Passes(SshHost host)
    {
        var readiness = Readiness(host, probe: true);
        foreach (var check in readiness.Checks)
        {
            Out.WriteLine($"{host.HostName} {check}");
        }

        Assert.Empty(readiness.Checks.Where(c => c.Outcome == CheckOutcome.Fail).Select(c => c.ToString()));
        Assert.True(readiness.Passed);
        Assert.Contains(readiness.State, new[] { KdumpState.Probed, KdumpState.Proven });
        Assert.Equal(ReadinessCheckNames.All, readiness.Checks.Select(c => c.Name));
        Assert.All(Proofs, name => Assert.Equal(CheckOutcome.Pass, readiness.Check(name)!.Outcome));
        Assert.True(readiness.StoreFreeBytes > readiness.EstimateBytes);
    }

    // Makes a fault, looks, and takes it back whatever was seen. What is seen fails the checks named, in these words.
    private async Task SabotageAsync(SshHost host, string fault, string words, SshHost where, string make, string undo, bool probe, params string[] failed)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await ShellAsync(where, make);
        HostReadiness readiness;
        try
        {
            readiness = Readiness(host, probe);
        }
        finally
        {
            await ShellAsync(where, undo);
        }

        var told = string.Join("; ", readiness.Checks.Where(c => c.Outcome == CheckOutcome.Fail));
        Out.WriteLine($"{fault} ({watch.Elapsed.TotalSeconds:0} s): {told}");
        Assert.False(readiness.Passed, fault);
        Assert.Equal(KdumpState.NotReady, readiness.State);
        Assert.Equal(failed, readiness.Failed);
        Assert.Contains(words, told, StringComparison.Ordinal);
        Assert.All(readiness.Checks.Where(c => c.Outcome == CheckOutcome.Fail), c => Assert.False(string.IsNullOrWhiteSpace(c.Remedy), c.Name));
    }

    private Task OnHost(SshHost host, string fault, string words, string make, string undo, params string[] failed) => SabotageAsync(host, fault, words, host, make, undo, probe: false, failed);

    private Task OnStore(SshHost host, string fault, string words, string make, string undo, params string[] failed) => SabotageAsync(host, fault, words, Lab.Storage, make, undo, probe: true, failed);

    [SkippableFact, Step(10)]
    public async Task Hosts_that_dump_to_the_store_pass()
    {
        NeedLab();
        One<NfsExportChange>((host, context, token) => new EnableNfsExportOperation(Lab.Access,
            NfsExportRequest.Create(ExportPath, Lab.Subnet, [], DumpPath, createDirectory: true, requireMount: false)).RunAsync(host, context, token), Lab.Storage);
        await EachNodeAsync(host =>
        {
            One<KdumpTargetChange>((h, context, token) => new SetNfsTargetOperation(Lab.Access,
                NfsTargetRequest.Create(Lab.StoreAddress, ExportPath, DumpPath, null, null, false)).RunAsync(h, null, context, token), host);
            Passes(host);
            return Task.CompletedTask;
        });
    }

    [SkippableFact, Step(20)]
    public async Task A_fault_of_a_host_is_named()
    {
        NeedLab();
        await Task.WhenAll(Task.Run(() => FaultsOfNode2Async(Lab.Node2)), Task.Run(() => FaultsOfNode1Async(Lab.Node1)));
    }

    private async Task FaultsOfNode2Async(SshHost host)
    {
        const string Conf = "/etc/kdump.conf";
        const string Keep = $"cp -a {Conf} /run/lab-kdump.conf";
        const string Back = $"cp -a /run/lab-kdump.conf {Conf}; rm /run/lab-kdump.conf";
        await OnHost(host, "service stopped", "kdump.service is inactive", "systemctl stop kdump", "systemctl start kdump", ServiceActive, CrashKernelLoaded);
        await OnHost(host, "service disabled", "after the next boot nothing is loaded", "systemctl disable -q kdump", "systemctl enable -q kdump", ServiceEnabled);
        // A boot without crashkernel= shows this file so; here it is covered by one that says it.
        await OnHost(host, "memory not reserved", "Nothing is reserved for a capture kernel", "echo 0 >/run/lab-zero; mount --bind /run/lab-zero /sys/kernel/kexec_crash_size",
            "umount /sys/kernel/kexec_crash_size; rm /run/lab-zero", MemoryReserved);
        await OnHost(host, "stale image: configuration", ": /etc/kdump.conf.", $"{Keep}; touch {Conf}", Back, ImageCurrent);
        await OnHost(host, "stale image: a hook", ": /etc/kdump/post.d/lab.sh.", "mkdir -p /etc/kdump/post.d; printf '#!/bin/sh\\n' >/etc/kdump/post.d/lab.sh; chmod 755 /etc/kdump/post.d/lab.sh",
            "rm -r /etc/kdump/post.d", ImageCurrent);
        await OnHost(host, "a program of the image is gone", "/usr/bin/lab-none does not exist", $"{Keep}; echo 'extra_bins /usr/bin/lab-none' >>{Conf}; touch -r /run/lab-kdump.conf {Conf}", Back, ImageCurrent);
        await OnHost(host, "image aimed at another target", "the configuration says nfs 192.168.122.1:/data/other_share/var/crash", $"{Keep}; sed -i 's,{ExportPath}$,/data/other_share,' {Conf}; touch -r /run/lab-kdump.conf {Conf}", Back, ImageTarget);
        await OnHost(host, "unsupported compression", "built without Zstd", $"{Keep}; sed -i 's/makedumpfile -[a-z]/makedumpfile -z/' {Conf}; touch -r /run/lab-kdump.conf {Conf}", Back,
            ReadinessCheckNames.CoreCollector);
        // The guests have no watchdog: a tree as a driver makes it is put in its place.
        await OnHost(host, "watchdog shorter than the dump", "watchdog0 (iTCO_wdt) resets the host after 30 s", """
            [ -d /sys/class/watchdog ] || modprobe softdog
            mkdir -p /run/lab-watchdog/watchdog0
            cd /run/lab-watchdog/watchdog0; echo active >state; echo 30 >timeout; echo 'iTCO_wdt' >identity
            mount --bind /run/lab-watchdog /sys/class/watchdog
            """, "umount /sys/class/watchdog; rm -r /run/lab-watchdog; modprobe -r softdog; exit 0", Watchdog);
    }

    private async Task FaultsOfNode1Async(SshHost host)
    {
        const string Conf = "/etc/default/kdump-tools";
        const string Keep = $"cp -a {Conf} /run/lab-kdump-tools";
        const string Back = $"cp -a /run/lab-kdump-tools {Conf}; rm /run/lab-kdump-tools";
        var byName = $"{Keep}; sed -i 's,^NFS=.*,NFS=\"storage:{ExportPath}{DumpPath}\",' {Conf}";
        await ShellAsync(host, byName);
        Assert.Equal(CheckOutcome.Pass, Readiness(host, probe: false).Check(TargetResolves)!.Outcome);
        await OnHost(host, "name not resolvable", "does not resolve 'storage'", "grep -v storage /etc/hosts >/run/lab-hosts; mount --bind /run/lab-hosts /etc/hosts", "umount /etc/hosts; rm /run/lab-hosts", TargetResolves);
        await ShellAsync(host, Back);
        await OnHost(host, "switched off", "USE_KDUMP is not 1", $"{Keep}; sed -i 's/^USE_KDUMP=.*/USE_KDUMP=0/' {Conf}", Back, Configuration);
        await OnHost(host, "unsupported compression", "built without Snappy", $"{Keep}; echo 'MAKEDUMP_ARGS=\"-p -d 31\"' >>{Conf}", Back, ReadinessCheckNames.CoreCollector);
        await OnHost(host, "two targets", "each of FTP, SSH and NFS that is set", $"{Keep}; echo 'SSH=\"root@192.168.122.1\"' >>{Conf}", Back, Configuration);
    }

    [SkippableFact, Step(30), Trait("Category", "Long")]
    public async Task A_fault_of_the_store_is_named()
    {
        NeedLab();
        // Faults that come and go in a second are looked at from one node each; the other one is no different for them.
        var line = (await ShellAsync(Lab.Storage, $"exportfs -s | grep '^{ExportPath} '")).Split([' ', '\t'], 2)[1].Trim();
        var client = line[..line.IndexOf('(', StringComparison.Ordinal)];
        var options = line[(client.Length + 1)..].TrimEnd(')');
        var export = $"exportfs -o '{options}' '{client}:{ExportPath}'";
        await OnStore(Lab.Node2, "export gone", "access denied by server", $"exportfs -u '{client}:{ExportPath}'", export, ExportMountable);
        await OnStore(Lab.Node1, "path missing", "No such file or directory", $"mv {ExportPath}{DumpPath} {ExportPath}/var/away", $"mv {ExportPath}/var/away {ExportPath}{DumpPath}", ExportMountable);
        await OnStore(Lab.Node2, "path missing", "no directory var/crash", $"mv {ExportPath}{DumpPath} {ExportPath}/var/away", $"mv {ExportPath}/var/away {ExportPath}{DumpPath}", DumpPathExists);
        await OnStore(Lab.Node2, "root squashed", "The host's root cannot write there", $"exportfs -o '{options.Replace("no_root_squash", "root_squash", StringComparison.Ordinal)}' '{client}:{ExportPath}'", export, DumpPathWritable);
        await OnStore(Lab.Node2, "disk full on the store", "The store is full", "fallocate -l $(($(df -Pk /data | tail -n 1 | sed 's/  */ /g' | cut -d ' ' -f 4) * 1024)) /data/fill; dd if=/dev/zero of=/data/fill2 bs=4k 2>/dev/null; sync; exit 0",
            "rm -f /data/fill /data/fill2; sync", FreeSpace);
        await OnStore(Lab.Node2, "nfs-server stopped", "Connection refused", "systemctl stop nfs-server", "systemctl start nfs-server", ExportMountable);
    }

    [SkippableFact, Step(40)]
    public async Task Both_pass_again_and_the_store_has_room_for_both_at_once()
    {
        NeedLab();
        var seen = new System.Collections.Concurrent.ConcurrentBag<HostReadiness>();
        await EachNodeAsync(host =>
        {
            Passes(host);
            seen.Add(Readiness(host, probe: true));
            return Task.CompletedTask;
        });
        // Debian's target is the dump directory itself, the other one's the export around it: one file system, whose space counts once.
        var store = Assert.Single(StoreReadiness.Of(seen));
        Out.WriteLine($"{store.Store}: {store.FreeBytes} of {store.TotalBytes} bytes free, {store.NeededBytes} needed");
        Assert.True(store is { AllFit: true, Passed: 2, SimultaneousCrashes: 2, Hosts.Count: 2 });
        Assert.Equal($"{Lab.StoreAddress}:{ExportPath}, {Lab.StoreAddress}:{ExportPath}{DumpPath}", store.Store);
    }
}
