using System.Diagnostics;
using KdumpNfs.Changes;
using KdumpNfs.Hosts;
using KdumpNfs.Nfs;
using KdumpNfs.Ssh;
using KdumpNfs.Tests.Unit.Setup;

namespace KdumpNfs.Tests.Unit.Nfs;

/// <summary>
/// What Enable-NfsExport reads of firewalld and does to it, against a real one: with a bus, a network and a configuration of its own, so that this machine's stays as it is. The NFS
/// server beside it is a stand-in that exports nothing.
/// </summary>
public sealed class FirewalldTests : IDisposable
{
    private const string Client = "10.9.0.0/24";

    private readonly FakeHost _host = new();
    private Process? _firewalld;

    public void Dispose()
    {
        if (_firewalld is { } process)
        {
            // The end of its stdin ends the firewall, its bus and the namespaces.
            process.StandardInput.Close();
            if (!process.WaitForExit(TimeSpan.FromSeconds(20)))
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }

            process.Dispose();
        }

        _host.Dispose();
    }

    [SkippableFact]
    public async Task Clients_are_let_in_now_and_after_the_next_start_of_a_real_firewalld()
    {
        await StartAsync();
        var before = await FactsAsync();
        Assert.Equal(("internal", "nfs mountd rpc-bind", "nfs mountd rpc-bind"), (before.FirewallZone, string.Join(' ', before.FirewallLacks), string.Join(' ', before.FirewallLacksLater)));
        var (open, elsewhere) = (await ServicesAsync("internal"), await ServicesAsync("public"));
        Assert.Null(HostJob.FailureOf(await EnableAsync(before), "store"));

        var after = await FactsAsync();
        Assert.Equal(("internal", 0, 0), (after.FirewallZone, after.FirewallLacks.Count, after.FirewallLacksLater.Count));
        string[] wanted = [.. open.Concat(["mountd", "nfs", "rpc-bind"]).Order(StringComparer.Ordinal)];
        Assert.Equal(wanted, await ServicesAsync("internal"));

        // What was set for its next start is in force then, and nobody else's zone was touched.
        Assert.Equal("success", await SaysAsync("firewall-cmd --reload"));
        Assert.Equal(wanted, await ServicesAsync("internal"));
        Assert.Equal(elsewhere, await ServicesAsync("public"));

        // Open now, but not after the next start.
        Assert.Equal("success", await SaysAsync("firewall-cmd --permanent --zone=internal --remove-service=mountd"));
        var later = await FactsAsync();
        Assert.Equal(("", "mountd"), (string.Join(' ', later.FirewallLacks), string.Join(' ', later.FirewallLacksLater)));
    }

    [SkippableFact]
    public async Task What_a_real_firewalld_refuses_is_told_in_its_words()
    {
        await StartAsync();
        // No service of the field: firewalld knows none of this name.
        var facts = await FactsAsync();
        var failure = HostJob.FailureOf(await EnableAsync(facts, "kdumpnfs-none"), "store");
        Assert.Equal(ErrorIds.FirewallFailed, failure?.ErrorId);
        Assert.Contains("INVALID_SERVICE", failure!.HostSaid, StringComparison.Ordinal);
    }

    private async Task<NfsServerFacts> FactsAsync() => new("store", await _host.ScriptAsync(HostScript.Read("common") +
        ShellQuote.Assignment("client_address", "10.9.0.0") + HostScript.Read("firewallfacts")));

    private async Task<HostReply> EnableAsync(NfsServerFacts facts, string? services = null)
    {
        Directory.CreateDirectory(_host.Root + "/export");
        return await _host.JobAsync(HostJob.Compose("enableexport",
            ("export_path", _host.Root + "/export"), ("dump_dir", ""), ("create_directory", "0"), ("make_dump_dir", "0"), ("write", "0"), ("file", ""), ("old_sha", ""), ("old_data", ""),
            ("new_data", ""), ("stamp", ""), ("client", Client), ("options", "rw"), ("units_enable", ""), ("units_start", ""), ("was_exported", "1"), ("zone", facts.FirewallZone ?? ""),
            ("opens_now", services ?? string.Join(' ', facts.FirewallLacks)), ("opens_later", string.Join(' ', facts.FirewallLacksLater))));
    }

    private async Task<string> SaysAsync(string command) => (await _host.ScriptAsync(HostScript.Read("common") + $"kv said \"$({command} 2>&1)\"\n")).Text("said") ?? "";

    private async Task<string[]> ServicesAsync(string zone) => [.. (await SaysAsync($"firewall-cmd --zone={zone} --list-services")).Split(' ').Order(StringComparer.Ordinal)];

    private async Task StartAsync()
    {
        Skip.IfNot(Environment.UserName == "root" && new[] { "/usr/sbin/firewalld", "/usr/bin/firewall-cmd", "/usr/bin/dbus-daemon", "/usr/bin/unshare", "/usr/bin/nsenter" }.All(File.Exists),
            "A firewalld of the test's own takes root, firewalld, dbus-daemon and util-linux.");
        var folder = _host.Root;
        await File.WriteAllTextAsync(folder + "/bus.conf", $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig><type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
            """);
        // Clients come over the one card that a new network has; it belongs to a zone that is not the default one.
        await File.WriteAllTextAsync(folder + "/firewall.sh", $$"""
            set -e
            export DBUS_SYSTEM_BUS_ADDRESS=unix:path={{folder}}/bus
            mkdir -p /etc/firewalld && mount -t tmpfs lab-firewall /etc/firewalld && mount -t tmpfs lab-firewall /run
            ip link set lo up
            ip addr add 10.9.0.1/24 dev lo
            dbus-daemon --config-file={{folder}}/bus.conf --nofork &
            /usr/sbin/firewalld --nofork --nopid &
            tries=0
            until firewall-cmd --state >/dev/null 2>&1; do
              tries=$((tries + 1))
              [ $tries -lt 300 ] || exit 1
              sleep 0.2
            done
            firewall-cmd --zone=internal --add-interface=lo
            firewall-cmd --permanent --zone=internal --add-interface=lo
            echo "ready $$"
            cat >/dev/null
            kill %2 %1
            wait
            """);
        _firewalld = Process.Start(new ProcessStartInfo("unshare", ["-n", "-m", "bash", folder + "/firewall.sh"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var complaints = _firewalld.StandardError.ReadToEndAsync();
        string? line;
        while ((line = await _firewalld.StandardOutput.ReadLineAsync()) is not null && !line.StartsWith("ready ", StringComparison.Ordinal))
        {
        }

        Skip.If(line is null, $"No firewalld runs here: {(line is null ? await complaints : "")}");
        var enter = $"exec nsenter -t {line!["ready ".Length..]} -n -m env DBUS_SYSTEM_BUS_ADDRESS=unix:path={folder}/bus";
        _host.Program("firewall-cmd", $"{enter} /usr/bin/firewall-cmd \"$@\"")
            .Program("ip", $"{enter} /sbin/ip \"$@\"")
            .Program("exportfs", $"case \"$*\" in -s) echo '{folder}/export {Client}(rw)' ;; esac");
    }
}
