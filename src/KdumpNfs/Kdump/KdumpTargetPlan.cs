using KdumpNfs.Hosts;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>What is to be done on one host so that its dumps go where they should: to an export, a server, a disk, or where a backup of the
/// configuration says. Made from facts alone; nothing is changed by making it. What it shows of files has no passwords.</summary>
public sealed class KdumpTargetPlan
{
    // What rebuilding and loading can mend; a target that is only not the best one is none of it.
    private static readonly NotReadyReason[] Mendable =
    [
        NotReadyReason.CrashKernelNotLoaded, NotReadyReason.ServiceNotActive, NotReadyReason.ImageMissing,
        NotReadyReason.ImageOlderThanConfiguration, NotReadyReason.ImageOlderThanKernel, NotReadyReason.ChangeUnfinished,
    ];

    private readonly FileEdit _edit;

    private KdumpTargetPlan(HostFacts facts, TargetRequest request, FileEdit edit, KdumpConfigurationView view)
    {
        HostName = facts.HostName;
        MachineId = facts.MachineId;
        Family = facts.Family;
        Request = request;
        ImageRoot = facts.ImageRoot;
        Path = facts.ImageRoot + facts.ConfigurationPath;
        OldFile = facts.Configuration;
        _edit = edit;
        Mask = edit.Mask();
        View = view;
        PreviousTarget = KdumpConfiguration.Read(facts)?.Target;
        Status = KdumpStatus.From(facts, expectedTarget: null);
        CanRebuildWhileLoaded = facts.CanRebuildWhileLoaded;
        RestoredFrom = request.RestoredFrom(facts);
    }

    /// <summary>The host.</summary>
    public string HostName { get; }

    /// <summary>Machine id that the plan was made for.</summary>
    public string? MachineId { get; }

    /// <summary>Family whose file it is.</summary>
    public HostFamily Family { get; }

    /// <summary>What was asked for.</summary>
    public TargetRequest Request { get; }

    /// <summary>The image tree on the host in which the file changes; null for the host itself.</summary>
    public string? ImageRoot { get; }

    /// <summary>The file that changes.</summary>
    public string Path { get; }

    /// <summary>SHA-256 of the file as it was read, lower-case hex; null where there is none.</summary>
    public string? OldSha256 => _edit.OldSha256;

    /// <summary>SHA-256 of the file after the change.</summary>
    public string NewSha256 => _edit.NewSha256;

    /// <summary>What the file says after the change.</summary>
    public KdumpConfigurationView View { get; }

    /// <summary>Where dumps went before.</summary>
    public KdumpTarget? PreviousTarget { get; }

    /// <summary>The host's state when the plan was made.</summary>
    public KdumpStatus Status { get; }

    /// <summary>Whether the file's content changes.</summary>
    public bool WritesFile => _edit.WritesFile;

    /// <summary>Whether the file is as it should be but the host is not armed with it: an earlier change did not end.</summary>
    public bool OnlyActivates => !WritesFile && ImageRoot is null && Status.NotReadyReason.Any(Mendable.Contains);

    /// <summary>Whether there is anything to do to the host's configuration.</summary>
    public bool IsEmpty => !WritesFile && !OnlyActivates;

    /// <summary>The backup that a restore brings back; null for everything else, and where there is nothing to restore.</summary>
    public string? RestoredFrom { get; }

    /// <summary>What an admin should know before saying yes.</summary>
    public IReadOnlyList<string> Warnings { get; private init; } = [];

    /// <summary>The change as a unified diff; empty where the file stays.</summary>
    public string Diff => _edit.Diff;

    internal bool CanRebuildWhileLoaded { get; }

    internal HostFile? OldFile { get; }

    internal ReadOnlyMemory<byte> NewContent => _edit.NewContent;

    internal SecretMask Mask { get; }

    /// <summary>Computes the plan.</summary>
    /// <exception cref="HostException">NotSupported, KdumpNotInstalled, NotReady, NotExpressible, ConfigurationInvalid, CompressionNotSupported.</exception>
    public static KdumpTargetPlan Create(HostFacts facts, TargetRequest request)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(request);
        CheckHost(facts);
        var edit = FileEdit.Of(facts, request);
        var view = KdumpConfiguration.Read(facts.Family, edit.NewContent, facts.Mounts)!;
        if (view.Problems.Count > 0)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, facts.HostName, request.IsRestore
                ? $"{request.RestoredFrom(facts)} has something that the host's own tools refuse; with it the capture image would not be built."
                : $"{facts.ConfigurationPath} has something besides the target that its own tools refuse; with it the capture image would not be built.")
            {
                HostSaid = SecretMask.HideUrl(string.Join('\n', view.Problems)),
                Remedy = request.IsRestore ? "Name another backup. Nothing was changed." : $"Mend these lines of {facts.ConfigurationPath} on the host, then run the command again. Nothing was changed.",
            };
        }

        if (!view.Enabled)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, facts.HostName, $"{request.RestoredFrom(facts) ?? facts.ConfigurationPath} switches kdump off: nothing could be loaded with it.")
            {
                Remedy = "Name another backup, or set USE_KDUMP=1 on the host first. Nothing was changed.",
            };
        }

        var warnings = new List<string>();
        try
        {
            CheckCompression(facts, view);
        }
        catch (HostException e) when (request.IsRestore && e.ErrorId == ErrorIds.CompressionNotSupported)
        {
            // A restore brings back what was there, with its faults.
            warnings.Add($"{facts.HostName}: {e.What}");
        }

        if (facts.ImageRoot is not null)
        {
            warnings.AddRange(ImageWarnings(facts));
        }

        return new KdumpTargetPlan(facts, request, edit, view) { Warnings = warnings };
    }

    private static IEnumerable<string> ImageWarnings(HostFacts facts)
    {
        if (facts.MakedumpfileVersion is null)
        {
            yield return $"makedumpfile of {facts.ImageRoot} could not be asked which compressions it has.";
        }

        if (facts.MachineId is { } id)
        {
            yield return $"{facts.ImageRoot}/etc/machine-id has the value {id}: every host that boots this image will be the same machine to others. Empty it.";
        }

        if (facts.Family != HostFamily.Debian)
        {
            var tool = facts.Family == HostFamily.Suse ? "mkdumprd -f" : "kdumpctl rebuild";
            yield return $"The capture image belongs to the hardware and network of the host that it is made on, so it is not made here: {facts.Service?.Name ?? "kdump.service"} makes it " +
                $"when a host boots {facts.ImageRoot}{(facts.Image is { } old ? $", because {old.Path} is now older than the configuration" : "")}. " +
                $"Where the booted root keeps nothing, it is made at every boot: make it once on such a host ({tool}) and put it into the tree.";
        }
    }

    private static void CheckHost(HostFacts facts)
    {
        if (facts.OtherMechanism is { } other)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, $"The host dumps through {other}; this version sets targets of kdump only.");
        }

        if (facts.Family is HostFamily.Unknown)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, $"'{facts.OsRelease.Name}' is not of the RHEL, Debian or SUSE family.")
            {
                Remedy = "This version sets targets of kdumpctl, kdump-tools and SUSE's kdump.",
            };
        }

        if (!facts.KdumpInstalled)
        {
            throw new HostException(ErrorIds.KdumpNotInstalled, facts.HostName, "The kdump tools are not installed.")
            {
                Remedy = "Install-Kdump brings its package (" + (facts.Family == HostFamily.Debian ? "kdump-tools" : facts.Family == HostFamily.Suse ? "kdump" : "kdump-utils, kexec-tools before EL10") + ").",
            };
        }

        if (facts.ImageRoot is null && facts.ReservedBytes is null or 0)
        {
            throw new HostException(ErrorIds.NotReady, facts.HostName, "No memory is reserved for the capture kernel, so nothing could be loaded and nothing proven.")
            {
                HostSaid = facts.KernelCommandLine,
                Remedy = "Reserve it (Set-CrashKernelReservation -Recommended), reboot, then run the command again.",
            };
        }
    }

    private static void CheckCompression(HostFacts facts, KdumpConfigurationView view)
    {
        if (facts.MakedumpfileVersion is not { } makedumpfile)
        {
            // In a tree it runs through chroot, which a foreign architecture or a missing right prevents.
            if (facts.ImageRoot is not null && facts.Tool("makedumpfile") is not null)
            {
                return;
            }

            throw new HostException(ErrorIds.KdumpNotInstalled, facts.HostName, "makedumpfile is not installed.") { Remedy = "Install the package makedumpfile." };
        }

        if (view.Collector.Compression is { } compression && !makedumpfile.Compressions.Contains(compression))
        {
            throw new HostException(ErrorIds.CompressionNotSupported, facts.HostName,
                $"makedumpfile {makedumpfile.Version} there was built without {compression}: it would write uncompressed pages and call that success.")
            {
                Remedy = $"Choose one that works there: -Compression {string.Join(" or ", makedumpfile.Compressions.Where(c => c != VmcoreCompression.None))}.",
            };
        }
    }
}
