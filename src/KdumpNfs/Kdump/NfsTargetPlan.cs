using KdumpNfs.Hosts;
using KdumpNfs.Text;

namespace KdumpNfs.Kdump;

/// <summary>What is to be done on one host so that its dumps go to an NFS export. Made from facts alone; nothing is changed by making it.</summary>
public sealed class NfsTargetPlan
{
    private NfsTargetPlan(HostFacts facts, NfsTargetRequest request, byte[] newContent, KdumpConfigurationView view)
    {
        HostName = facts.HostName;
        MachineId = facts.MachineId;
        Family = facts.Family;
        Request = request;
        Path = facts.ConfigurationPath;
        OldFile = facts.Configuration;
        NewContent = newContent;
        View = view;
        PreviousTarget = KdumpConfiguration.Read(facts)?.Target;
        WritesFile = OldFile is null || !OldFile.Content.Span.SequenceEqual(newContent);
        Status = KdumpStatus.From(facts, expectedTarget: null);
        CanRebuildWhileLoaded = facts.CanRebuildWhileLoaded;
        Diff = WritesFile ? UnifiedDiff.Show((OldFile?.Content ?? default).Span, newContent, Path, Path) : "";
    }

    /// <summary>The host.</summary>
    public string HostName { get; }

    /// <summary>Machine id that the plan was made for.</summary>
    public string? MachineId { get; }

    /// <summary>Family whose file it is.</summary>
    public HostFamily Family { get; }

    /// <summary>What was asked for.</summary>
    public NfsTargetRequest Request { get; }

    /// <summary>The file that changes.</summary>
    public string Path { get; }

    /// <summary>The file as it was read; null where there is none.</summary>
    public HostFile? OldFile { get; }

    /// <summary>The file's bytes after the change.</summary>
    public ReadOnlyMemory<byte> NewContent { get; }

    /// <summary>What the file says after the change.</summary>
    public KdumpConfigurationView View { get; }

    /// <summary>Where dumps went before.</summary>
    public KdumpTarget? PreviousTarget { get; }

    /// <summary>The host's state when the plan was made.</summary>
    public KdumpStatus Status { get; }

    /// <summary>Whether the file's content changes.</summary>
    public bool WritesFile { get; }

    /// <summary>Whether the file is as it should be but the host is not armed with it: an earlier change did not end.</summary>
    public bool OnlyActivates => !WritesFile && Status.State == KdumpState.NotReady;

    /// <summary>Whether there is anything to do.</summary>
    public bool IsEmpty => !WritesFile && !OnlyActivates;

    /// <summary>The change as a unified diff; empty where the file stays.</summary>
    public string Diff { get; }

    internal bool CanRebuildWhileLoaded { get; }

    /// <summary>Computes the plan.</summary>
    /// <exception cref="HostException">NotSupported, KdumpNotInstalled, NotReady, NotExpressible, ConfigurationInvalid, CompressionNotSupported.</exception>
    public static NfsTargetPlan Create(HostFacts facts, NfsTargetRequest request)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(request);
        CheckHost(facts);
        var content = KdumpConfiguration.WithTarget(facts.Family, (facts.Configuration?.Content ?? default).Span, request.Target, request.DumpLevel, request.Compression);
        var view = KdumpConfiguration.Read(facts.Family, content, facts.Mounts)!;
        if (view.Problems.Count > 0)
        {
            throw new HostException(ErrorIds.ConfigurationInvalid, facts.HostName,
                $"{facts.ConfigurationPath} has something besides the target that its own tools refuse; with it the capture image would not be built.")
            {
                HostSaid = string.Join('\n', view.Problems),
                Remedy = $"Mend these lines of {facts.ConfigurationPath} on the host, then run the command again. Nothing was changed.",
            };
        }

        CheckCompression(facts, view);
        return new NfsTargetPlan(facts, request, content, view);
    }

    private static void CheckHost(HostFacts facts)
    {
        if (facts.OtherMechanism is { } other)
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, $"The host dumps through {other}; this version sets targets of kdump only.");
        }

        if (facts.Family is not (HostFamily.RedHat or HostFamily.Debian))
        {
            throw new HostException(ErrorIds.NotSupported, facts.HostName, $"'{facts.OsRelease.Name}' is not of the RHEL or Debian family.")
            {
                Remedy = "This version sets targets through kdumpctl and kdump-tools.",
            };
        }

        if (!facts.KdumpInstalled)
        {
            throw new HostException(ErrorIds.KdumpNotInstalled, facts.HostName, "The kdump tools are not installed.")
            {
                Remedy = facts.Family == HostFamily.Debian ? "Install the package kdump-tools." : "Install the package kdump-utils (kexec-tools before EL10).",
            };
        }

        if (facts.ReservedBytes is null or 0)
        {
            throw new HostException(ErrorIds.NotReady, facts.HostName, "No memory is reserved for the capture kernel, so nothing could be loaded and nothing proven.")
            {
                HostSaid = facts.KernelCommandLine,
                Remedy = "Reserve it with crashkernel= on the kernel command line (kdumpctl reset-crashkernel, or update-grub on Debian), reboot, then run the command again.",
            };
        }
    }

    private static void CheckCompression(HostFacts facts, KdumpConfigurationView view)
    {
        if (facts.MakedumpfileVersion is not { } makedumpfile)
        {
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
