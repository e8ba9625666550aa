using System.Globalization;
using KdumpNfs.Hosts;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Readiness;

/// <summary>What could cut a dump, keep a fault from becoming a crash, or keep the host from coming back; and the last drill.</summary>
internal static class SurroundingChecks
{
    // Until the network is up in the capture kernel, and what a slow store takes; a drill's own time is better.
    private static readonly TimeSpan BootTime = TimeSpan.FromSeconds(60);
    private const long BytesPerSecond = 40L << 20;

    /// <summary>The capture kernel needs about so long to reach a watchdog's driver inside its image.</summary>
    private const int DriverSeconds = 30;

    public static void Judge(ReadinessInput input, ReadinessReport report)
    {
        JudgeFencing(input, report);
        JudgeWatchdog(input, report);
        JudgeAfterDump(input, report);
        JudgeClock(input, report);
        JudgePanic(input, report);
        JudgeMounts(input, report);
        JudgeDrill(input, report);
    }

    /// <summary>How long a capture takes: as long as the last drill's, else from the size of the dump.</summary>
    internal static (TimeSpan Time, string Source) CaptureTime(ReadinessInput input)
    {
        if (input.Facts.LastDrill is { Captured: true, CaptureSeconds: > 0 } drill)
        {
            return (TimeSpan.FromSeconds(drill.CaptureSeconds.Value), "the last drill's");
        }

        var (bytes, source) = input.Estimate is { } estimate ? (estimate.HighBytes, "the estimate") : ((input.Facts.MemoryBytes ?? 0) / 10, "a tenth of its memory");
        return (BootTime + TimeSpan.FromSeconds(bytes / BytesPerSecond), $"60 s to boot and {source} at 40 MiB a second");
    }

    private static void JudgeFencing(ReadinessInput input, ReadinessReport report)
    {
        var reply = input.More.Reply;
        var active = reply.All("cluster.active");
        if (active.Count == 0)
        {
            if (reply.Flag("cluster.configured"))
            {
                report.Warn(Fencing, "The host has /etc/corosync/corosync.conf, but neither corosync nor pacemaker runs: whether others fence it cannot be seen.", "Look again when the cluster runs.");
            }
            else
            {
                report.Pass(Fencing, "No cluster runs here.");
            }

            return;
        }

        var who = string.Join(", ", active);
        if (reply.Text("cib.stonith")?.Contains("value=\"false\"", StringComparison.Ordinal) == true)
        {
            report.Pass(Fencing, $"{who} run, with stonith-enabled=false.");
        }
        else if (reply.Text("cib.fence_kdump") is null)
        {
            report.Warn(Fencing, $"{who} run; the cluster's configuration cannot be read here.", "See that a fence_kdump device comes before the one that powers nodes off.");
        }
        else if (reply.Number("cib.fence_kdump") is not > 0)
        {
            report.Fail(Fencing, $"{who} run and no fence_kdump device is configured: the other nodes power this one off in the middle of its dump.",
                "Add a fence_kdump device on a level before the power device (kdump.conf(5), fence_kdump_nodes).");
        }
        else if (input.Facts.Family == HostFamily.RedHat && input.Image?.Configuration is { } inside && inside.Get("fence_kdump_nodes") is null)
        {
            report.Fail(Fencing, $"{who} run with fence_kdump, but the capture image was built without: it tells nobody that it dumps.", "Update-KdumpInitramfs while the cluster runs.");
        }
        else if (input.Facts.Family != HostFamily.RedHat)
        {
            report.Fail(Fencing, $"{who} run with fence_kdump, which this family's capture does not answer.", "Delay the power device for longer than a dump takes.");
        }
        else
        {
            report.Pass(Fencing, $"{who} run with fence_kdump{(input.Image is null ? "" : $", and the image tells {input.Image.Configuration?.Get("fence_kdump_nodes")}")}.");
        }
    }

    private static void JudgeWatchdog(ReadinessInput input, ReadinessReport report)
    {
        var devices = input.More.Watchdogs;
        var armed = devices.Where(d => d.Active && !d.IsSoftware).ToList();
        if (armed.Count == 0)
        {
            report.Pass(Watchdog, devices.Count == 0 ? "There is no watchdog."
                : string.Join(" ", devices.Select(d => d.IsSoftware && d.Active ? $"{d.Name} is a timer of this kernel and stops with it." : $"{d.Name} ({d.Identity}) is not running.")));
            return;
        }

        var (needed, source) = CaptureTime(input);
        var faults = new List<string>();
        var fine = new List<string>();
        var doubts = new List<string>();
        var bySystemd = input.More.Shown("manager", "RuntimeWatchdogUSec") is { Length: > 0 } value && value is not ("0" or "infinity" or "off");
        foreach (var device in armed)
        {
            var what = $"{device.Name} ({(device.Identity.Length > 0 ? device.Identity : device.Driver)}) resets the host after {device.TimeoutSeconds?.ToString(CultureInfo.InvariantCulture) ?? "?"} s without a sign";
            // A driver inside the image takes the device over (kdump-utils adds it while the watchdog runs); Debian's capture has all drivers,
            // and systemd serves the device there if it does here.
            var served = input.Facts.Family == HostFamily.Debian ? bySystemd : device.Driver.Length > 0 && input.Image?.Modules.Contains(device.Driver.Replace('-', '_')) == true;
            if (device.TimeoutSeconds is not { } seconds || (seconds < needed.TotalSeconds && !served))
            {
                faults.Add($"{what}, a dump takes about {needed.TotalSeconds:0} s ({source}), and {(input.Facts.Family == HostFamily.Debian ? "systemd does not serve it in the capture kernel (RuntimeWatchdogSec)" : "its driver is not in the capture image")}");
            }
            else if (seconds < needed.TotalSeconds && seconds < DriverSeconds)
            {
                doubts.Add($"{what}, perhaps before the capture kernel takes it over");
            }
            else
            {
                fine.Add(seconds >= needed.TotalSeconds ? $"{what}, a dump takes about {needed.TotalSeconds:0} s ({source})" : $"{what}; the capture kernel takes it over");
            }
        }

        if (faults.Count > 0)
        {
            report.Fail(Watchdog, string.Join(". ", faults) + ".", input.Facts.Family == HostFamily.Debian
                ? "Let systemd serve the watchdog (RuntimeWatchdogSec in /etc/systemd/system.conf), or set its timeout longer than a dump takes."
                : "Update-KdumpInitramfs while the watchdog runs puts its driver into the image; or set its timeout longer than a dump takes.");
        }
        else if (doubts.Count > 0)
        {
            report.Warn(Watchdog, string.Join(". ", doubts.Concat(fine)) + ".", "Set its timeout to a minute or more.");
        }
        else
        {
            report.Pass(Watchdog, string.Join(". ", fine) + ".");
        }
    }

    private static void JudgeAfterDump(ReadinessInput input, ReadinessReport report)
    {
        const string Comes = "Set-KdumpNfsTarget -FailureAction Reboot, unless that is meant.";
        if (input.Conf is { } conf)
        {
            var stays = new List<string>();
            if (conf.FailureAction is "shell" or "halt" or "poweroff")
            {
                stays.Add($"failure_action {conf.FailureAction}: after a dump that failed the host stays down until somebody comes");
            }

            if (conf.FinalAction is "halt" or "poweroff")
            {
                stays.Add($"final_action {conf.FinalAction}: after a dump the host stays down until somebody comes");
            }

            if (stays.Count > 0)
            {
                report.Warn(AfterDump, string.Join("; ", stays) + ".", Comes);
            }
            else
            {
                report.Pass(AfterDump, $"The host comes back: failure_action {conf.FailureAction}, final_action {conf.FinalAction}.");
            }
        }
        else if (input.Defaults is { } defaults)
        {
            var command = defaults.Read("KDUMP_FAIL_CMD").Value;
            if (string.IsNullOrEmpty(command) || command.Contains("reboot", StringComparison.Ordinal))
            {
                report.Pass(AfterDump, $"The host comes back: after a dump it reboots, after one that failed {(string.IsNullOrEmpty(command) ? "too" : $"it runs '{Printable.Escape(command)}'")}.");
            }
            else
            {
                report.Warn(AfterDump, $"After a dump that failed the capture kernel runs '{Printable.Escape(command)}', which does not reboot.", Comes);
            }
        }
        else
        {
            report.NotChecked(AfterDump, "There is no configuration.");
        }
    }

    private static void JudgeClock(ReadinessInput input, ReadinessReport report)
    {
        if (input.More.Clock is not { } clock)
        {
            report.NotChecked(Clock, "The host does not tell its time.");
            return;
        }

        // The script began somewhere between being sent and being answered, and tells whole seconds.
        var early = clock - input.Received;
        var late = clock + TimeSpan.FromSeconds(1) - input.Sent;
        var off = early > TimeSpan.Zero ? early : late < TimeSpan.Zero ? late : TimeSpan.Zero;
        var synchronized = (input.More.Reply.Text("ntp") ?? "") is { Length: > 0 } ntp ? ntp.TrimEnd().EndsWith("yes", StringComparison.OrdinalIgnoreCase) : (bool?)null;
        var state = synchronized switch { true => "synchronised by NTP", false => "not synchronised by NTP", null => "whether NTP keeps it is not known" };
        if (off.Duration() > TimeSpan.FromSeconds(60))
        {
            report.Warn(Clock, $"The clock is {Math.Abs(off.TotalSeconds):0} s {(off > TimeSpan.Zero ? "ahead of" : "behind")} the controller's, {state}: dumps get wrong times, and kdump decides by time what is newer.", "Set up NTP (chrony, systemd-timesyncd) on the host.");
        }
        else if (input.Facts.Image?.Time > clock + TimeSpan.FromSeconds(60))
        {
            report.Warn(Clock, $"The capture image is from the future ({ImageChecks.Time(input.Facts.Image.Time)}): changes until then go unseen.", "Update-KdumpInitramfs, once the clock is right.");
        }
        else if (synchronized == false)
        {
            report.Warn(Clock, $"Within a minute of the controller's, {state}.", "Set up NTP (chrony, systemd-timesyncd) on the host.");
        }
        else
        {
            report.Pass(Clock, $"Within a minute of the controller's, {state}.");
        }
    }

    private static void JudgePanic(ReadinessInput input, ReadinessReport report)
    {
        var reply = input.More.Reply;
        var (panic, oops) = (reply.Number("sysctl.panic"), reply.Number("sysctl.panic_on_oops"));
        if (panic is null || oops is null)
        {
            report.NotChecked(PanicPolicy, "The kernel does not tell kernel.panic and kernel.panic_on_oops.");
        }
        else if (oops == 0)
        {
            report.Warn(PanicPolicy, "kernel.panic_on_oops is 0: after an oops the kernel goes on, and there is no dump.", "Set-KernelPanicPolicy -PanicOnOops, where a host should rather restart.");
        }
        else if (panic == 0)
        {
            report.Warn(PanicPolicy, "kernel.panic is 0: if the capture kernel cannot start, the host stays down until somebody comes.", "Set-KernelPanicPolicy -PanicTimeout 10.");
        }
        else
        {
            report.Pass(PanicPolicy, $"kernel.panic_on_oops is {oops}, kernel.panic is {panic}.");
        }

        if (input.Facts.Sysrq is not { } mask)
        {
            report.NotChecked(ReadinessCheckNames.Sysrq, "The kernel has no sysrq.");
        }
        else if (mask == 1 || (mask & 8) != 0)
        {
            report.Pass(ReadinessCheckNames.Sysrq, $"The mask is {mask}: a break and c on the console crash the host.");
        }
        else
        {
            report.Warn(ReadinessCheckNames.Sysrq, $"The mask is {mask}: a hung host cannot be crashed from its console; /proc/sysrq-trigger works whatever the mask.", "Enable-Sysrq -Mask 8, if consoles should.");
        }
    }

    private static void JudgeMounts(ReadinessInput input, ReadinessReport report)
    {
        if (!input.Probe || input.More.Probe is not { } probe)
        {
            report.NotChecked(NfsMounts, "Without -Probe the host's NFS mounts are not asked.");
        }
        else if (probe.All("nfs.hung") is { Count: > 0 } hung)
        {
            report.Warn(NfsMounts, $"No answer within 8 s from {string.Join(", ", hung)}: kdump's own commands and a sync before a crash may hang there.", "Look at those servers, or umount -l what is dead.");
        }
        else
        {
            report.Pass(NfsMounts, probe.Number("nfs.asked") is > 0 and var asked ? $"All {asked} NFS mounts answer." : "The host has no NFS mounts.");
        }
    }

    private static void JudgeDrill(ReadinessInput input, ReadinessReport report)
    {
        if (input.Facts.LastDrill is not { } drill)
        {
            report.NotChecked(LastDrill, "The host keeps no drill's outcome.", "Invoke-KdumpDrill proves what no check can.");
            return;
        }

        var when = ImageChecks.Time(drill.CompletedAt);
        var changed = drill.ChangedSince(input.Facts, input.Target);
        if (!drill.Captured)
        {
            report.Warn(LastDrill, $"The last drill, at {when}, ended with {Printable.Escape(drill.Verdict)}.", "Find out why, mend it, and drill again.");
        }
        else if (changed.Count > 0)
        {
            report.Warn(LastDrill, $"Proven at {when}, but since then {string.Join("; ", changed)}.", "Invoke-KdumpDrill.");
        }
        else
        {
            report.Pass(LastDrill, $"Proven at {when}; kernel, image and target are those of the drill.");
        }
    }
}
