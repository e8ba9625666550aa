using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>Whether a host would be captured, and how: what Get-KdumpStatus gives for each host.</summary>
public sealed record KdumpStatus
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>How far it is proven that a crash would leave a vmcore.</summary>
    public required KdumpState State { get; init; }

    /// <summary>Every condition that is not met; never empty when State is NotReady.</summary>
    public IReadOnlyList<NotReadyReason> NotReadyReason { get; init; } = [];

    /// <summary>What the reasons mean on this host, a sentence each.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>The error's id when the host could not be asked; null otherwise.</summary>
    public string? ErrorId { get; init; }

    /// <summary>Which tools manage kdump.</summary>
    public HostFamily Family { get; init; }

    /// <summary>Distribution, for people.</summary>
    public string Distribution { get; init; } = "";

    /// <summary>Running kernel.</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>Bytes reserved for the capture kernel; null if the kernel does not tell.</summary>
    public long? ReservedBytes { get; init; }

    /// <summary>Whether a crash kernel is loaded (not that it will reach its target).</summary>
    public bool Loaded { get; init; }

    /// <summary>State of the service; null where there is none.</summary>
    public HostService? Service { get; init; }

    /// <summary>Where dumps go: store, export, dump path; null if nothing could be made out.</summary>
    public KdumpTarget? Target { get; init; }

    /// <summary>The core collector as configured.</summary>
    public string? CoreCollector { get; init; }

    /// <summary>What the dump leaves out, with what follows from it (4 implies 2); null if the collector does not tell.</summary>
    public DumpLevel? DumpLevel { get; init; }

    /// <summary>Compression of the dump's pages; null if the collector does not tell.</summary>
    public VmcoreCompression? Compression { get; init; }

    /// <summary>The capture image; null if there is none.</summary>
    public CaptureImage? Image { get; init; }

    /// <summary>How much newer the image is than its configuration; negative when it is older. Null without either.</summary>
    public TimeSpan? ImageAge { get; init; }

    /// <summary>Whether the capture needs the host's own root disk (Debian does, an initramfs that holds everything does not).</summary>
    public bool DependsOnLocalDisk { get; init; }

    /// <summary>Memory of the host in bytes.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>/proc/sys/kernel/sysrq.</summary>
    public int? Sysrq { get; init; }

    /// <summary>The name that the kernel has for the host.</summary>
    public string NodeName { get; init; } = "";

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Boot that was looked at.</summary>
    public string BootId { get; init; } = "";

    /// <summary>Every name and address by which a store may know the host.</summary>
    public IReadOnlyList<string> Identities { get; init; } = [];

    /// <summary>When a drill proved the host as it is now; null unless State is Proven.</summary>
    public DateTimeOffset? ProvenAt { get; init; }

    /// <summary>When the host was looked at, by the controller's clock.</summary>
    public DateTimeOffset CheckedAt { get; init; }

    /// <summary>The status of a host that could not be asked, for lists that must lose nobody.</summary>
    public static KdumpStatus Failed(HostException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new() { HostName = error.HostName, State = KdumpState.Unknown, ErrorId = error.ErrorId, Findings = [error.What], CheckedAt = DateTimeOffset.Now };
    }

    /// <summary>Judges the facts of a host by the rules of its family's own tools.</summary>
    /// <param name="facts">What the host said.</param>
    /// <param name="expectedTarget">Where dumps are to go; null to accept any network target.</param>
    public static KdumpStatus From(HostFacts facts, KdumpTarget? expectedTarget)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var view = KdumpConfiguration.Read(facts);
        var findings = new ReadinessFindings();
        var supported = Judge(facts, view, expectedTarget, findings);
        var collector = view?.Collector;
        var good = supported && findings.Reasons.Count == 0;
        var proof = good && facts.LastDrill is { } drill && drill.ChangedSince(facts, view?.Target).Count == 0 ? drill : null;
        return new KdumpStatus
        {
            HostName = facts.HostName,
            State = !supported ? KdumpState.NotSupported : !good ? KdumpState.NotReady : proof is null ? KdumpState.Configured : KdumpState.Proven,
            ProvenAt = proof?.CompletedAt,
            NotReadyReason = findings.Reasons,
            Findings = findings.Sentences,
            Family = facts.Family,
            Distribution = facts.OsRelease.Name,
            KernelRelease = facts.KernelRelease,
            ReservedBytes = facts.ReservedBytes,
            Loaded = facts.CrashKernelLoaded,
            Service = facts.Service,
            Target = view?.Target,
            CoreCollector = collector?.ToString(),
            DumpLevel = collector?.DumpLevel is { } level ? DumpLevels.Excluded(level) : null,
            Compression = collector?.Compression,
            Image = facts.Image,
            ImageAge = facts is { Image: { } image, Configuration: { } file } ? image.Time - file.Modified : null,
            DependsOnLocalDisk = facts.Family == HostFamily.Debian || view?.Target is { Kind: KdumpTargetKind.Local or KdumpTargetKind.FileSystem or KdumpTargetKind.Raw },
            MemoryBytes = facts.MemoryBytes,
            Sysrq = facts.Sysrq,
            NodeName = facts.NodeName,
            MachineId = facts.MachineId,
            BootId = facts.BootId,
            Identities = facts.Identities,
            CheckedAt = DateTimeOffset.Now,
        };
    }

    private static bool Judge(HostFacts facts, KdumpConfigurationView? view, KdumpTarget? expected, ReadinessFindings findings)
    {
        if (facts.OtherMechanism is { } other)
        {
            findings.Say($"The host dumps through {other}, which this version does not judge.");
            return false;
        }

        if (facts.Family is HostFamily.Unknown)
        {
            findings.Say($"The distribution '{facts.OsRelease.Name}' has no kdump tools that are known here.");
            return false;
        }

        findings.Check(facts.KdumpInstalled, Kdump.NotReadyReason.NotInstalled, "The kdump tools are not installed.");
        findings.Check(facts.ReservedBytes > 0, Kdump.NotReadyReason.MemoryNotReserved, "No memory is reserved: crashkernel= is missing on the kernel command line, or was refused.");
        findings.Check(facts.CrashKernelLoaded, Kdump.NotReadyReason.CrashKernelNotLoaded, "No crash kernel is loaded.");
        findings.Check(facts.Service?.IsActive == true, Kdump.NotReadyReason.ServiceNotActive,
            facts.Service is { } service ? $"{service.Name} is {service.Active}." : "The kdump service does not exist.");
        findings.Check(facts.Service is null or not { Enabled: "disabled" or "masked" }, Kdump.NotReadyReason.ServiceNotEnabled,
            $"{facts.Service?.Name} is {facts.Service?.Enabled}: after the next boot nothing would be loaded.");
        findings.Check(view is not null || !facts.KdumpInstalled, Kdump.NotReadyReason.ConfigurationMissing, $"{facts.ConfigurationPath} does not exist.");
        if (view is not null)
        {
            findings.Check(view.Enabled, Kdump.NotReadyReason.KdumpDisabled, "USE_KDUMP is not 1.");
            foreach (var problem in view.Problems)
            {
                findings.Check(false, Kdump.NotReadyReason.ConfigurationInvalid, problem);
            }

            JudgeTarget(view.Target, expected, findings);
        }

        if (facts.Family is HostFamily.RedHat or HostFamily.Suse && facts.KdumpInstalled)
        {
            findings.Check(facts.Image is not null, Kdump.NotReadyReason.ImageMissing, "There is no capture image for the running kernel.");
            if (facts.Image is { } image)
            {
                findings.Check(facts.Configuration is null || facts.Configuration.Modified <= image.Time, Kdump.NotReadyReason.ImageOlderThanConfiguration,
                    $"{facts.ConfigurationPath} is newer than {image.Path}: the image may aim at an older target.");
                findings.Check(facts.KernelImageTime is null || facts.KernelImageTime <= image.Time, Kdump.NotReadyReason.ImageOlderThanKernel,
                    $"The kernel is newer than {image.Path}.");
            }
        }

        findings.Check(facts.Unfinished is null or { Ended: true }, Kdump.NotReadyReason.ChangeUnfinished,
            $"A change was begun and {(facts.Unfinished?.Running == true ? "still runs" : "did not end")}; its last step: {facts.Unfinished?.Step}.");
        return true;
    }

    private static void JudgeTarget(KdumpTarget? target, KdumpTarget? expected, ReadinessFindings findings)
    {
        if (target is null or { Kind: KdumpTargetKind.Local })
        {
            findings.Check(false, Kdump.NotReadyReason.TargetMissing, "No network target is configured: a dump would go to the local disk.");
        }
        else if (target.Kind is not (KdumpTargetKind.Nfs or KdumpTargetKind.Ssh or KdumpTargetKind.Ftp) && target is not { Kind: KdumpTargetKind.Other, Store: not null })
        {
            findings.Check(false, Kdump.NotReadyReason.TargetNotNetwork, $"The target '{target}' is not on the network.");
        }
        else if (target.Kind == KdumpTargetKind.Nfs && target.Export is null)
        {
            findings.Check(false, Kdump.NotReadyReason.ConfigurationInvalid, $"The NFS target '{target.Text}' is not server:/export.");
        }

        if (expected is not null && !expected.SameLocation(target))
        {
            findings.Check(false, Kdump.NotReadyReason.TargetNotExpected, $"Dumps go to '{target?.ToString() ?? "nowhere"}', not to '{expected}'.");
        }
    }
}

/// <summary>Reasons and the sentences that explain them, in the order found.</summary>
internal sealed class ReadinessFindings
{
    private readonly List<NotReadyReason> _reasons = [];
    private readonly List<string> _sentences = [];

    public IReadOnlyList<NotReadyReason> Reasons => _reasons;

    public IReadOnlyList<string> Sentences => _sentences;

    public void Say(string sentence) => _sentences.Add(sentence);

    public void Check(bool good, NotReadyReason reason, string sentence)
    {
        if (good)
        {
            return;
        }

        if (!_reasons.Contains(reason))
        {
            _reasons.Add(reason);
        }

        _sentences.Add(sentence);
    }
}
