using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace KdumpNfs.Tests.Integration.Fleet;

/// <summary>The runbook that takes in a rack (docs/runbooks/Add-Rack.ps1), in a pwsh of its own, on a loopback fleet of its own.</summary>
[Collection(FleetGroup.Name)]
public sealed class RackTests
{
    private static readonly string Root = RootOf();

    private static string? NotRunnable =>
        LoopbackFleet.NotRunnable ?? (!CommandRunner.Exists("pwsh") ? "no pwsh is on PATH" : !File.Exists(Path.Combine(Root, "out/module/KdumpNfs/KdumpNfs.psd1")) ? "the module is not built" : null);

    [SkippableFact]
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

        var (status, hosts, said) = Run(fleet, list);
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
        (status, hosts, said) = Run(fleet, list);
        Assert.True(status == 0, said);
        Assert.All(hosts.Values, host => Assert.Equal("Ready", host.Result));
        Assert.Equal(["", "", "Target"], fleet.Hosts.Select(h => hosts[$"{h.Address}"].Changed));
        Assert.Equal(LoopbackFleet.Configuration("b"), bare.Read("/etc/kdump.conf"));
    }

    private static (int Status, Dictionary<string, (string Result, string Step, string Changed, string Reason)> Hosts, string Said) Run(LoopbackFleet fleet, string list)
    {
        var report = Path.Combine(fleet.Home, "rack.json");
        var start = new ProcessStartInfo("pwsh",
        [
            "-NoProfile", "-NonInteractive", "-File", Path.Combine(Root, "docs/runbooks/Add-Rack.ps1"), "-HostList", list, "-StoreHost", "192.0.2.10", "-ExportPath", "/dumps", "-DumpPath", "/b",
            "-NoExport", "-CrashKernel", "256M", "-KnownHostsFile", fleet.KnownHosts, "-Report", report,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KDUMPNFS_MODULE"] = Path.Combine(Root, "out/module/KdumpNfs");
        start.Environment["NO_COLOR"] = "1";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd() + error.Result;
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(3)), said);
        if (!File.Exists(report))
        {
            throw new InvalidOperationException(said);
        }

        using var json = JsonDocument.Parse(File.ReadAllText(report));
        var hosts = json.RootElement.EnumerateArray().ToDictionary(h => h.GetProperty("HostName").GetString()!, h => (
            h.GetProperty("Result").GetString()!, h.GetProperty("Step").GetString()!, string.Join(' ', h.GetProperty("Changed").EnumerateArray().Select(c => c.GetString())), h.GetProperty("Reason").GetString() ?? ""));
        File.Delete(report);
        return (process.ExitCode, hosts, said);
    }

    private static string RootOf([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}
