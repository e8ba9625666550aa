using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>Runbooks in a pwsh of their own, on a loopback fleet of their own: one that takes in a rack (docs/runbooks/Add-Rack.ps1), one that says whose drill is due
/// (docs/runbooks/Drill-Rotation.ps1).</summary>
[Collection(FleetGroup.Name)]
public sealed class RackTests
{
    private static readonly string Root = RootOf();

    private static string? NotRunnable =>
        LoopbackFleet.NotRunnable ?? (!CommandRunner.Exists("pwsh") ? "no pwsh is on PATH" : !File.Exists(Path.Combine(Root, "out/module/KdumpNfs/KdumpNfs.psd1")) ? "the module is not built" : null);

    [SkippableFact, Trait("Category", "Long")]
    public void A_rack_goes_as_far_as_each_host_can_and_on_after_its_reboot()
    {
        Skip.If(NotRunnable is not null, NotRunnable);
        using var fleet = LoopbackFleet.Start(3);
        var (other, ready, bare) = (fleet.Hosts[0], fleet.Hosts[1], fleet.Hosts[2]);
        ready.Write("/etc/kdump.conf", LoopbackFleet.Configuration("b"));
        ready.Run("systemctl restart kdump");

        // No memory for a crash kernel until its next boot.
        bare.Run("echo 0 >/sys/kernel/kexec_crash_size; echo 0 >/sys/kernel/kexec_crash_loaded; rm /run/fleet/kdump; echo root=/dev/vda1 >/run/fleet/cmdline");
        var list = Path.Combine(fleet.Home, "rack.csv");
        File.WriteAllLines(list, ["HostName,UserName,Port,KeyFilePath", .. fleet.Hosts.Select(h => $"{h.Address},root,{fleet.Port},{fleet.UserKey}"), $"127.98.3.200,root,{fleet.Port},{fleet.UserKey}"]);

        var (status, hosts, said) = Take(fleet, list);
        Assert.True(status == 1, said);
        Assert.Equal(("Ready", "Target"), (hosts[$"{other.Address}"].Result, hosts[$"{other.Address}"].Changed));
        Assert.Equal(("Ready", ""), (hosts[$"{ready.Address}"].Result, hosts[$"{ready.Address}"].Changed));
        Assert.Equal(("Failed", "Reserve"), (hosts[$"{bare.Address}"].Result, hosts[$"{bare.Address}"].Step));
        Assert.Contains("crashkernel=256M", hosts[$"{bare.Address}"].Reason, StringComparison.Ordinal);
        Assert.Equal(("Failed", "Look"), (hosts["127.98.3.200"].Result, hosts["127.98.3.200"].Step));
        Assert.Equal(LoopbackFleet.Configuration("b"), other.Read("/etc/kdump.conf"));
        Assert.Equal(LoopbackFleet.Configuration("a"), bare.Read("/etc/kdump.conf"));
        Assert.Equal("1", other.Read("/sys/kernel/kexec_crash_loaded").Trim());

        // Somebody has passed crashkernel= where this host boots from. Nothing else is done twice.
        bare.Reboot();
        File.WriteAllLines(list, File.ReadAllLines(list).SkipLast(1));
        (status, hosts, said) = Take(fleet, list);
        Assert.True(status == 0, said);
        Assert.All(hosts.Values, host => Assert.Equal("Ready", host.Result));
        Assert.Equal(["", "", "Target"], fleet.Hosts.Select(h => hosts[$"{h.Address}"].Changed));
        Assert.Equal(LoopbackFleet.Configuration("b"), bare.Read("/etc/kdump.conf"));
    }

    /// <summary>Nobody may be crashed on this machine, so the rotation only looks: who is due and why, and nothing is touched.</summary>
    [SkippableFact, Trait("Category", "Long")]
    public void A_rotation_says_who_is_due_and_touches_nothing()
    {
        Skip.If(NotRunnable is not null, NotRunnable);
        using var fleet = LoopbackFleet.Start(3);
        var (store, due, bare) = (fleet.Hosts[0], fleet.Hosts[1], fleet.Hosts[2]);
        bare.Run("echo 0 >/sys/kernel/kexec_crash_size; echo 0 >/sys/kernel/kexec_crash_loaded; rm /run/fleet/kdump; echo root=/dev/vda1 >/run/fleet/cmdline");
        var list = Path.Combine(fleet.Home, "rotation.csv");
        File.WriteAllLines(list, ["HostName,UserName,Port,KeyFilePath", .. new[] { due, bare }.Select(h => $"{h.Address},root,{fleet.Port},{fleet.UserKey}"), $"127.98.3.200,root,{fleet.Port},{fleet.UserKey}"]);
        var before = (due.Read("/etc/kdump.conf"), bare.Read("/etc/kdump.conf"), due.Read("/proc/sys/kernel/random/boot_id"));
        var record = Path.Combine(fleet.Home, "rotation.json");
        var (status, said) = Pwsh(fleet, "Drill-Rotation.ps1", "-HostList", list, "-Record", record, "-StoreHost", $"{store.Address}", "-StoreUserName", "root", "-StorePort", $"{fleet.Port}", "-StoreKeyFilePath",
            fleet.UserKey, "-ExportPath", "/dumps", "-Count", "2", "-WhatIf");
        Assert.True(status == 1, said);
        var lines = said.Split('\n');
        Assert.Contains(lines, l => l.StartsWith($"{due.Address} ", StringComparison.Ordinal) && l.Contains("never drilled", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith($"{bare.Address} ", StringComparison.Ordinal) && l.Contains("NotReady", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("127.98.3.200 ", StringComparison.Ordinal) && l.Contains("NotAsked", StringComparison.Ordinal));
        Assert.Contains("3 hosts, 1 due, 1 would be drilled.", said, StringComparison.Ordinal);
        Assert.False(File.Exists(record));
        Assert.Equal(before, (due.Read("/etc/kdump.conf"), bare.Read("/etc/kdump.conf"), due.Read("/proc/sys/kernel/random/boot_id")));
    }

    private static (int Status, Dictionary<string, (string Result, string Step, string Changed, string Reason)> Hosts, string Said) Take(LoopbackFleet fleet, string list)
    {
        var report = Path.Combine(fleet.Home, "rack.json");
        var (status, said) = Pwsh(fleet, "Add-Rack.ps1", "-HostList", list, "-StoreHost", "192.0.2.10", "-ExportPath", "/dumps", "-DumpPath", "/b", "-NoExport", "-CrashKernel", "256M", "-Report", report);
        if (!File.Exists(report))
        {
            throw new InvalidOperationException(said);
        }

        using var json = JsonDocument.Parse(File.ReadAllText(report));
        var hosts = json.RootElement.EnumerateArray().ToDictionary(h => h.GetProperty("HostName").GetString()!, h => (
            h.GetProperty("Result").GetString()!, h.GetProperty("Step").GetString()!, string.Join(' ', h.GetProperty("Changed").EnumerateArray().Select(c => c.GetString())), h.GetProperty("Reason").GetString() ?? ""));
        File.Delete(report);
        return (status, hosts, said);
    }

    private static (int Status, string Said) Pwsh(LoopbackFleet fleet, string runbook, params string[] arguments)
    {
        var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-File", Path.Combine(Root, "docs/runbooks", runbook), "-KnownHostsFile", fleet.KnownHosts, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KDUMPNFS_MODULE"] = Path.Combine(Root, "out/module/KdumpNfs");
        start.Environment["NO_COLOR"] = "1";
        // The table of a runbook is as wide as its terminal; lines are looked at here.
        start.Environment["COLUMNS"] = "200";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd() + error.Result;
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(3)), said);
        return (process.ExitCode, said);
    }

    private static string RootOf([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}
