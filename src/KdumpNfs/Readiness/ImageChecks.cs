using KdumpNfs.Hosts;
using KdumpNfs.Kdump;
using static KdumpNfs.Readiness.ReadinessCheckNames;

namespace KdumpNfs.Readiness;

/// <summary>The capture image: whether it follows everything that it is made from, and whether what lies in it is what is true today.</summary>
internal static class ImageChecks
{
    private const string Rebuild = "Update-KdumpInitramfs builds it anew while the crash kernel stays loaded.";

    private static readonly string[] ProgramDirectives = ["kdump_post", "kdump_pre", "kdump_emergency", "extra_bins"];

    public static void Judge(ReadinessInput input, ReadinessReport report)
    {
        if (input.Facts.Family == HostFamily.Debian)
        {
            JudgeDebian(input, report);
            return;
        }

        if (input.Facts.Family != HostFamily.RedHat)
        {
            return;
        }

        JudgeAge(input, report);
        JudgeLoaded(input, report);
        if (input.Facts.Image is null || input.Image is null)
        {
            foreach (var name in new[] { ImageTarget, ImageNetwork, ImageModules })
            {
                report.NotChecked(name, input.Facts.Image is null ? "There is no capture image." : "The image cannot be looked into: lsinitrd is missing, or shows nothing of it to this account.");
            }

            return;
        }

        JudgeTarget(input, input.Image, report);
        JudgeNetwork(input, input.Image, report);
        JudgeModules(input, input.Image, report);
    }

    private static void JudgeAge(ReadinessInput input, ReadinessReport report)
    {
        var facts = input.Facts;
        if (facts.Image is not { } image)
        {
            report.Fail(ImageCurrent, "There is no capture image for the running kernel.", "systemctl restart kdump builds it; read its words if it fails.");
            return;
        }

        var files = input.More.Watched.ToList();
        var missing = files.Where(file => file.Time is null).Select(file => file.Path).Concat(input.More.Reply.All("module.missing").Select(name => $"module {name}")).ToList();
        var newer = files.Where(file => file.Time > image.Time).Select(file => file.Path).ToList();
        if (facts.Configuration is { } file && file.Modified > image.Time)
        {
            newer.Insert(0, file.Path);
        }

        if (facts.KernelImageTime > image.Time)
        {
            newer.Add("the kernel");
        }

        string[] programs = [.. input.Conf is null ? [] : Programs(input.Conf)];
        var cannotRun = files.Where(f => f.Time is not null && !f.Executable && programs.Contains(f.Path)).Select(f => f.Path).ToList();
        if (missing.Count + cannotRun.Count > 0)
        {
            report.Fail(ImageCurrent, $"The next rebuild fails: {string.Join(", ", missing.Select(path => $"{path} does not exist").Concat(cannotRun.Select(path => $"{path} is not executable")))}.",
                "Bring the files back, or take them out of kdump.conf (extra_bins, extra_modules, kdump_pre, kdump_post).");
        }
        else if (newer.Count > 0)
        {
            report.Fail(ImageCurrent, $"Newer than {image.Path} of {Time(image.Time)}: {string.Join(", ", newer.Distinct())}.", Rebuild);
        }
        else if (input.Conf?.ForceNoRebuild == true)
        {
            report.Warn(ImageCurrent, $"{image.Path} of {Time(image.Time)} is newer than all that it is made from, but force_no_rebuild keeps it when that changes.", "Take force_no_rebuild out of kdump.conf.");
        }
        else
        {
            report.Pass(ImageCurrent, $"{image.Path} of {Time(image.Time)} is newer than configuration, kernel and {files.Count} other files.");
        }
    }

    private static void JudgeLoaded(ReadinessInput input, ReadinessReport report)
    {
        if (!input.Facts.CrashKernelLoaded || input.Facts.Image is not { } image)
        {
            report.NotChecked(LoadedImage, "No crash kernel is loaded, or there is no image.");
        }
        else if (input.More.ServiceTime is not { } loaded)
        {
            report.NotChecked(LoadedImage, "The host does not tell when the service loaded it.");
        }
        else if (image.Time > loaded + TimeSpan.FromSeconds(2))
        {
            report.Warn(LoadedImage, $"The image was built at {Time(image.Time)}, the service last loaded one at {Time(loaded)}: unless somebody ran kdumpctl reload, the older one is loaded.",
                "systemctl reload kdump.");
        }
        else
        {
            report.Pass(LoadedImage, $"The service loaded it at {Time(loaded)}, after it was built.");
        }
    }

    private static void JudgeTarget(ReadinessInput input, ImageContent image, ReadinessReport report)
    {
        if (image.Target is not { } inside)
        {
            report.NotChecked(ImageTarget, "kdump.conf was not found inside the image.");
        }
        else if (input.Target is { } today && today.SameLocation(inside))
        {
            report.Pass(ImageTarget, $"Inside: {inside}.");
        }
        else
        {
            report.Fail(ImageTarget, $"The image dumps to {inside}, the configuration says {input.Target?.ToString() ?? "nothing"}.", Rebuild);
        }
    }

    private static void JudgeNetwork(ReadinessInput input, ImageContent image, ReadinessReport report)
    {
        if (input.Target is not { Kind: KdumpTargetKind.Nfs or KdumpTargetKind.Ssh })
        {
            report.NotChecked(ImageNetwork, "The target is not on the network.");
            return;
        }

        var (more, faults, seen, untold) = (input.More, new List<string>(), new List<string>(), new List<string>());
        if (image.StoreAddress is { } store)
        {
            seen.Add($"the store is {store}");
            if (more.Resolved.Count > 0 && !more.Resolved.Contains(store, StringComparer.OrdinalIgnoreCase))
            {
                faults.Add($"the store was {store} when the image was built and is {string.Join(", ", more.Resolved.Distinct())} now");
            }
        }

        var (device, source) = (more.Route("dev"), more.Route("src"));
        if (device is null)
        {
            report.NotChecked(ImageNetwork, "There is no route to the store now to compare with.", "See the check TargetResolves.");
            return;
        }

        var connections = image.Network.Connections;
        if (connections.Count > 0)
        {
            var cards = more.Cards;
            var matching = connections.Where(c => cards.Any(c.Card.Is)).ToList();
            seen.Add($"{connections.Count} connection(s), {device} among them");
            if (matching.Count == 0)
            {
                faults.Add($"the image brings up {string.Join(", ", connections.Select(c => c.Card.HardwareAddress ?? c.Card.Name))}, the way to the store is {device} ({string.Join(", ", cards.Select(c => c.Address))})");
            }
            else
            {
                if (source is not null && matching.Where(c => c.Addresses.Count > 0).ToList() is { Count: > 0 } withAddress && !withAddress.Any(c => c.Addresses.Contains(source)))
                {
                    faults.Add($"the host had {string.Join(", ", withAddress.SelectMany(c => c.Addresses))} on {device} when the image was built and has {source} now");
                }

                new ImageLinkComparison(more, image, faults, seen, untold).Compare();
            }
        }
        else if (image.StoreAddress is null)
        {
            report.NotChecked(ImageNetwork, "Nothing about the network was found inside the image.");
            return;
        }
        else if (more.Bonds.Count + more.Vlans.Count > 0)
        {
            untold.Add($"the image does not tell how {string.Join(" and ", more.Bonds.Select(b => b.Name).Concat(more.Vlans.Select(v => v.Name)))} comes up");
        }

        if (faults.Count > 0)
        {
            report.Fail(ImageNetwork, $"{Sentence(faults)}.", Rebuild + " kdumpctl does not see by itself that addresses, cards, bonds or VLANs changed.");
        }
        else if (untold.Count > 0)
        {
            report.Warn(ImageNetwork, $"{Sentence([.. untold, .. seen])}.", "See for yourself (lsinitrd), or prove it with a drill (Invoke-KdumpDrill). " + Rebuild);
        }
        else
        {
            report.Pass(ImageNetwork, $"{Sentence(seen)}, as today{(source is null ? "" : $"; the host is {source} on {device}")}.");
        }
    }

    private static void JudgeModules(ReadinessInput input, ImageContent image, ReadinessReport report)
    {
        if (image.Modules.Count == 0)
        {
            report.NotChecked(ImageModules, "The image's modules cannot be listed.");
            return;
        }

        if (input.Target is not { Kind: KdumpTargetKind.Nfs or KdumpTargetKind.Ssh } target)
        {
            report.NotChecked(ImageModules, "The target is not on the network.");
            return;
        }

        // A card's module is known by its link; where there is none, it is part of the kernel.
        var needed = input.More.Cards.Select(card => card.Driver.Length > 0 ? card.Driver : card.Kind == "card" ? "" : card.Kind)
            .Where(name => name.Length > 0).Select(name => name.Replace('-', '_')).Distinct(StringComparer.Ordinal).ToList();
        var missing = needed.Where(name => !image.Modules.Contains(name) && !input.More.BuiltIn.Contains(name)).ToList();
        string[] nfs = ["nfsv4", "nfsv3", "nfs"];
        if (target.Kind == KdumpTargetKind.Nfs && !nfs.Any(name => image.Modules.Contains(name) || input.More.BuiltIn.Contains(name)))
        {
            missing.Add("nfs, nfsv3 or nfsv4");
        }

        if (missing.Count > 0)
        {
            report.Fail(ImageModules, $"The image lacks {string.Join(", ", missing)}.", "Add them with extra_modules in kdump.conf, then Update-KdumpInitramfs.");
        }
        else
        {
            report.Pass(ImageModules, $"Inside: {string.Join(", ", needed.Concat(nfs.Where(name => image.Modules.Contains(name))))}.");
        }
    }

    // Debian's capture boots the host's own root file system, which reads the configuration there: only kernel and modules can be amiss.
    private static void JudgeDebian(ReadinessInput input, ReadinessReport report)
    {
        const string Own = "Nothing is baked in: the capture kernel boots the host's own root file system and reads /etc/default/kdump-tools there.";
        report.Pass(ImageTarget, Own);
        report.Pass(ImageNetwork, "Nothing is baked in: the capture kernel brings the network up as the host does.");
        var reply = input.More.Reply;
        if (input.Facts.Image is not { } image)
        {
            report.Fail(ImageCurrent, "There is no initial ram disk for the capture kernel.", "kdump-config load makes it; read its words if it fails.");
            report.NotChecked(ImageModules, "There is no initial ram disk.");
            return;
        }

        JudgeLoaded(input, report);
        var kernel = reply.Text("debian.kernel")?.Trim() ?? "";
        var version = kernel.Contains("vmlinu", StringComparison.Ordinal) && kernel.IndexOf('-', StringComparison.Ordinal) is var dash and > 0 ? kernel[(dash + 1)..] : null;
        var modules = reply.All("debian.modules");
        if (reply.Text("debian.sysctl") is not null)
        {
            report.Warn(ImageCurrent, "/etc/kdump/sysctl.conf is not the one that the ram disk was made with; it is made anew when the service loads next.", "systemctl restart kdump-tools.");
        }
        else if (version is not null && version != input.Facts.KernelRelease)
        {
            report.Warn(ImageCurrent, $"The capture kernel is {version}, the host runs {input.Facts.KernelRelease}.", "systemctl restart kdump-tools loads the running one.");
        }
        else
        {
            report.Pass(ImageCurrent, $"{image.Path} of {Time(image.Time)} is of the running kernel.");
        }

        if (version is null || modules.Count == 0)
        {
            report.NotChecked(ImageModules, "The capture kernel's version cannot be told.");
        }
        else if (!modules.Contains(version))
        {
            report.Fail(ImageModules, $"The capture kernel is {version}, and /lib/modules/{version} is gone: it finds no network card.", "systemctl restart kdump-tools.");
        }
        else
        {
            report.Pass(ImageModules, $"The capture kernel finds its modules in the host's /lib/modules/{version}.");
        }
    }

    /// <summary>The programs that kdump.conf adds to the image; its tools split at blanks.</summary>
    internal static IEnumerable<string> Programs(KdumpConf conf) =>
        ProgramDirectives.SelectMany(name => (conf.Get(name) ?? "").Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));

    internal static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Sentence(List<string> parts)
    {
        var text = string.Join("; ", parts);
        return text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
    }
}
