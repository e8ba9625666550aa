using System.Diagnostics;
using System.Globalization;
using KdumpNfs.Collection;
using KdumpNfs.Ssh;
using KdumpNfs.Vmcore.Report;

namespace KdumpNfs.Tests.Lab;

/// <summary>How nodes are made to crash in other ways than by sysrq.</summary>
public sealed partial class VmcoreScenarios
{
    private const string Elf1 = """
        cp -p /etc/default/kdump-tools /root/kdump-tools.before
        printf '\nMAKEDUMP_ARGS="-F -E -d 31"\n' >>/etc/default/kdump-tools
        systemctl restart kdump-tools
        """;

    private const string Elf2 = """
        cp -p /etc/kdump.conf /root/kdump.conf.before
        sed -i '/^core_collector/d' /etc/kdump.conf
        printf '\ncore_collector makedumpfile -E --message-level 1 -d 31\n' >>/etc/kdump.conf
        kdumpctl restart
        """;

    // Written to anew, so that the tools see the change.
    private const string NoElf1 = "[ ! -f /root/kdump-tools.before ] || { cat /root/kdump-tools.before >/etc/default/kdump-tools; rm /root/kdump-tools.before; systemctl restart kdump-tools; }";
    private const string NoElf2 = "[ ! -f /root/kdump.conf.before ] || { cat /root/kdump.conf.before >/etc/kdump.conf; rm /root/kdump.conf.before; kdumpctl restart; }";

    private async Task ElfAsync()
    {
        await Task.WhenAll(ShellAsync(Lab.Node1, "set -e\n" + Elf1 + "\nsync"), ShellAsync(Lab.Node2, "set -e\n" + Elf2 + "\nsync"));
    }

    private async Task NoElfAsync()
    {
        await Task.WhenAll(ShellAsync(Lab.Node1, "set -e\n" + NoElf1), ShellAsync(Lab.Node2, "set -e\n" + NoElf2));
        Assert.Equal(["1", "1"], await Task.WhenAll(ShellAsync(Lab.Node1, "cat /sys/kernel/kexec_crash_loaded"), ShellAsync(Lab.Node2, "cat /sys/kernel/kexec_crash_loaded")));
    }

    /// <summary>Crashes hosts at once by a script that returns first, waits for their dumps and for the hosts, and reads what came.</summary>
    private async Task<IReadOnlyList<VmcoreReport>> CrashAsync(string fault, params (SshHost Host, string Trigger)[] faults)
    {
        await using var watch = new VmcoreWatch(new RemoteVmcores(Lab.Access, Lab.Storage, ExportPath, DumpPath));
        var before = One<StoreListing>(async (_, context, token) => context.Output(await watch.BeforeAsync(context, token)), Lab.Storage);
        var boots = await Task.WhenAll(faults.Select(f => ShellAsync(f.Host, "cat /proc/sys/kernel/random/boot_id")));
        await Task.WhenAll(faults.Select(f => ShellAsync(f.Host, f.Trigger)));
        var clock = Stopwatch.StartNew();
        var dumps = new VmcoreDump[faults.Length];
        var waited = Run(async (host, context, token) =>
        {
            var which = Array.FindIndex(faults, f => f.Host.HostName == host.HostName);
            var guest = host.HostName == Lab.Node1.HostName ? "NODE1" : "NODE2";
            dumps[which] = await WaitVmcoreOperation.RunAsync(watch, new WaitVmcoreRequest
            {
                Host = new HostIdentity([Lab.Required($"KDUMPNFS_LAB_{guest}_PRIVATE")]),
                Before = before,
                Timeout = TimeSpan.FromMinutes(8),
            }, context, token);
            Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{guest}: dump after {clock.Elapsed.TotalSeconds:0} s, {dumps[which]}"));
        }, true, [.. faults.Select(f => f.Host)]);
        Assert.Empty(waited.Errors.Select(e => e.Message));

        var reports = new List<VmcoreReport>();
        foreach (var dump in dumps)
        {
            reports.Add(await KeepAsync(fault, dump));
            Out.WriteLine($"{reports[^1].Signature} {reports[^1].Reason}");
        }

        await Task.WhenAll(faults.Zip(boots, (f, boot) => AwaitArmedAsync(f.Host, boot)));
        Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"armed again after {clock.Elapsed.TotalSeconds:0} s"));
        return reports;
    }

    private async Task AwaitArmedAsync(SshHost host, string boot)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromMinutes(8); await Task.Delay(2000))
        {
            try
            {
                await using var connection = await Lab.FreshAccess.Connector.ConnectAsync(host, Lab.FreshAccess.Options with { ConnectTimeout = TimeSpan.FromSeconds(10) }, default);
                var result = await connection.RunAsync(new RemoteScript("cat /proc/sys/kernel/random/boot_id; systemctl is-system-running --wait >/dev/null; cat /sys/kernel/kexec_crash_loaded") { Timeout = TimeSpan.FromMinutes(5) });
                if (result.OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [var now, "1"] && now != boot)
                {
                    return;
                }
            }
            catch (HostException)
            {
                // Not back yet.
            }
        }

        Assert.Fail($"{host.HostName} was not back and armed in time.");
    }

    // A script that loads the module that crashes on request; the same kernel runs on all guests.
    private async Task<string> ModuleAsync()
    {
        var release = await ShellAsync(Lab.Node1, "uname -r");
        var file = Path.Combine(kept.Folder, "lab_crash.ko");
        var built = await LabCommand.RunAsync(Lab, "module", release, file);
        Skip.If(built.Status != 0, $"the module that crashes the kernel could not be built: {built.Said}");
        return $"""
            grep -q ' /sys/kernel/debug ' /proc/mounts || mount -t debugfs debugfs /sys/kernel/debug
            printf %s {Convert.ToBase64String(await File.ReadAllBytesAsync(file))} | base64 -d >/run/lab_crash.ko
            insmod /run/lab_crash.ko
            """;
    }
}
