using KdumpNfs.Kdump;
using KdumpNfs.Setup;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Readiness;

/// <summary>The host's own kdump: tools, configuration, memory, service, what is loaded, what the next boot takes.</summary>
internal static class HostChecks
{
    public static void Judge(ReadinessInput input, ReadinessReport report)
    {
        var (facts, status) = (input.Facts, input.Status);
        if (!input.Supported)
        {
            report.Fail(Mechanism, string.Join(' ', status.Findings), "Look at this host with the tools of its own mechanism; it is not judged here.");
            return;
        }

        report.Pass(Mechanism, $"kdump, {facts.Family} family, {facts.OsRelease.Name}, kernel {facts.KernelRelease}.");
        if (input.Has(NotReadyReason.NotInstalled))
        {
            report.Fail(Tools, "The kdump tools are not installed.", "Install-Kdump.");
        }
        else if (facts.MakedumpfileVersion is null && input.View?.Collector.IsMakedumpfile != false)
        {
            report.Fail(Tools, "makedumpfile is not installed.", "Install the package makedumpfile (kexec-tools on EL9 and before).");
        }
        else
        {
            report.Pass(Tools, $"{facts.Tool("kdumpctl") ?? facts.Tool("kdump-config") ?? facts.Tool("kdumptool")}, makedumpfile {facts.MakedumpfileVersion?.Version}.");
        }

        JudgeConfiguration(input, report);
        if (facts.ChangesSurviveReboot)
        {
            report.Pass(ChangesSurviveReboot, $"The root file system is {facts.RootMount?.FileSystem ?? "not known"}.");
        }
        else
        {
            report.Warn(ChangesSurviveReboot, $"The root file system is {facts.RootMount?.FileSystem}: the configuration is gone after a reboot.",
                "Make the change in the image that the host boots from, too (-ImageRoot).");
        }

        JudgeMemory(input, report);
        JudgeService(input, report);
        JudgeBoot(input, report);
    }

    private static void JudgeConfiguration(ReadinessInput input, ReadinessReport report)
    {
        var (facts, view) = (input.Facts, input.View);
        if (facts.Unfinished is { Ended: false } change)
        {
            report.Fail(Configuration, $"A change {change}.", "Run the same change again: it finishes what was begun.");
        }
        else if (view is null)
        {
            report.Fail(Configuration, $"{facts.ConfigurationPath} does not exist or cannot be read.", "Set-KdumpNfsTarget writes it.");
        }
        else if (!view.Enabled)
        {
            report.Fail(Configuration, "USE_KDUMP is not 1: nothing is loaded.", "Set-KdumpNfsTarget switches it on.");
        }
        else if (view.Problems.Count > 0)
        {
            report.Fail(Configuration, $"{facts.ConfigurationPath}: {string.Join("; ", view.Problems)}.", "Mend these lines: the host's own tools refuse them.");
        }
        else
        {
            report.Pass(Configuration, $"{facts.ConfigurationPath} of {facts.Configuration!.Modified.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.");
        }
    }

    private static void JudgeMemory(ReadinessInput input, ReadinessReport report)
    {
        var (facts, memory) = (input.Facts, input.Reservation);
        if (facts.ReservedBytes is not > 0)
        {
            report.Fail(MemoryReserved, string.Join(' ', memory.Findings.Prepend("Nothing is reserved for a capture kernel.").Distinct()),
                memory.BootSource == BootSource.Elsewhere ? "Add crashkernel= to the kernel arguments of the boot server or hypervisor that starts it, then reboot." : "Set-CrashKernelReservation -Recommended, then reboot.");
            report.NotChecked(MemoryEnough, "Nothing is reserved.");
            return;
        }

        var reserved = facts.ReservedBytes.Value;
        report.Pass(MemoryReserved, $"{MiB(reserved)} ({string.Join(' ', memory.CommandLine)}).");

        // What kdumpctl estimate adds up (do_estimate): kernel, modules in the image at their loaded size, three times the image, 16 MiB.
        var image = facts.Image?.Bytes ?? 0;
        var inside = input.Image?.Modules ?? [];
        var modules = input.More.Modules.Where(module => inside.Contains(module.Key)).Sum(module => module.Value);
        var needed = input.More.KernelBytes + modules + (image * 3) + (16L << 20);
        var words = $"a capture needs about {MiB(needed)}: kernel {MiB(input.More.KernelBytes)}, modules {MiB(modules)}, three times the image of {MiB(image)}, 16 MiB to run";
        var byDefault = memory.DefaultBytes is > 0 ? $"; the distribution's default for this host is {MiB(memory.DefaultBytes.Value)} ({memory.Default})" : "";
        if (facts.Image is null || input.More.KernelBytes == 0)
        {
            report.NotChecked(MemoryEnough, facts.Image is null ? "There is no capture image to judge by." : "The kernel hides its addresses from this account.", facts.Image is null ? null : "Connect as root, or use -Sudo.");
        }
        else if (reserved < needed)
        {
            report.Warn(MemoryEnough, $"{MiB(reserved)} are reserved, {words}{byDefault}.", "Set-CrashKernelReservation -Recommended, reboot, then prove it with a drill.");
        }
        else if (memory.DefaultBytes is { } usual && usual > reserved)
        {
            report.Warn(MemoryEnough, $"{MiB(reserved)} are reserved, {words}{byDefault}.", "Set-CrashKernelReservation -Recommended, or prove with a drill that it is enough.");
        }
        else
        {
            report.Pass(MemoryEnough, $"{MiB(reserved)} are reserved, {words}{byDefault}.");
        }
    }

    private static void JudgeService(ReadinessInput input, ReadinessReport report)
    {
        var facts = input.Facts;
        if (facts.Service is not { } service)
        {
            report.Fail(ServiceActive, "The kdump service does not exist.", "Install-Kdump.");
            report.Fail(ServiceEnabled, "The kdump service does not exist.", "Install-Kdump.");
        }
        else
        {
            if (service.IsActive)
            {
                report.Pass(ServiceActive, $"{service.Name} is active.");
            }
            else
            {
                report.Fail(ServiceActive, $"{service.Name} is {service.Active}. {service.Words}".TrimEnd(), $"systemctl start {service.Name}, and read its words if it fails.");
            }

            if (service.Enabled is "disabled" or "masked")
            {
                report.Fail(ServiceEnabled, $"{service.Name} is {service.Enabled}: after the next boot nothing is loaded.", $"systemctl enable {service.Name}, or Install-Kdump.");
            }
            else
            {
                report.Pass(ServiceEnabled, $"{service.Name} is {(service.Enabled.Length == 0 ? "started by its package" : service.Enabled)}.");
            }
        }

        if (facts.CrashKernelLoaded)
        {
            report.Pass(CrashKernelLoaded, "kexec_crash_loaded is 1.");
        }
        else
        {
            report.Fail(CrashKernelLoaded, "kexec_crash_loaded is 0: a panic leaves nothing.", $"systemctl restart {facts.Service?.Name ?? "kdump"}, and read its words if it fails.");
        }
    }

    private static void JudgeBoot(ReadinessInput input, ReadinessReport report)
    {
        var memory = input.Reservation;
        if (memory.BootSource == BootSource.Elsewhere)
        {
            report.NotChecked(BootParameters, $"The host does not boot from its own boot loader: {memory.BootEvidence}.", "See that the boot server, hypervisor or image passes crashkernel= to the next kernel.");
        }
        else if (memory.NextBoot is not { } next)
        {
            report.NotChecked(BootParameters, memory.BootEvidence + ".", input.Facts.IsRoot ? null : "Connect as root, or use -Sudo.");
        }
        else if (next.Count == 0 || memory.NextBootBytes == 0)
        {
            report.Fail(BootParameters, next.Count == 0 ? "The next boot has no crashkernel=." : $"The next boot's {string.Join(' ', next)} reserves nothing here.", "Set-CrashKernelReservation.");
        }
        else if (memory.Entries.Where(e => !e.IsRecovery && e.CrashKernel.Count == 0).ToList() is { Count: > 0 } without)
        {
            report.Warn(BootParameters, $"The next boot has {string.Join(' ', next)}, but not every kernel of the boot loader: {string.Join(", ", without.Select(e => e.Kernel))}.", "Set-CrashKernelReservation sets all of them.");
        }
        else if (memory.RebootRequired == true)
        {
            report.Warn(BootParameters, $"The next boot has {string.Join(' ', next)}, this one {string.Join(' ', memory.CommandLine)}.", "Reboot when that suits, then look again.");
        }
        else
        {
            report.Pass(BootParameters, $"The next boot has {string.Join(' ', next)}.");
        }
    }

    internal static string MiB(long bytes) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{bytes / 1048576.0:#,0} MiB");
}
