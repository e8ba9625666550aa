using KdumpNfs.Hosts;

namespace KdumpNfs.Kdump;

/// <summary>What a change of the target, or a restore, did on a host.</summary>
public sealed record KdumpTargetChange
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when everything was as asked for: no write, no restart.</summary>
    public required bool Changed { get; init; }

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Family of the host.</summary>
    public HostFamily Family { get; init; }

    /// <summary>Where dumps go now.</summary>
    public KdumpTarget? Target { get; init; }

    /// <summary>Where they went before.</summary>
    public KdumpTarget? PreviousTarget { get; init; }

    /// <summary>The core collector in force.</summary>
    public string? CoreCollector { get; init; }

    /// <summary>What a dump leaves out.</summary>
    public DumpLevel? DumpLevel { get; init; }

    /// <summary>How pages are compressed.</summary>
    public VmcoreCompression? Compression { get; init; }

    /// <summary>The capture image that is loaded.</summary>
    public string? Image { get; init; }

    /// <summary>When that image was built, by the host's clock.</summary>
    public DateTimeOffset? ImageTime { get; init; }

    /// <summary>Whether this change built it. Debian reads its configuration in the capture, so there nothing is to be built.</summary>
    public bool ImageRebuilt { get; init; }

    /// <summary>Whether the dump directory was made.</summary>
    public bool PathCreated { get; init; }

    /// <summary>The copy of the file as it was; null where nothing was written.</summary>
    public string? Backup { get; init; }

    /// <summary>The image tree on the host that was changed; null for the host itself.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>The backup that was restored; null where nothing was.</summary>
    public string? RestoredFrom { get; init; }

    /// <summary>What was changed besides the file: keys, accounts, host keys; a sentence each.</summary>
    public IReadOnlyList<string> AlsoChanged { get; init; } = [];

    /// <summary>The change of the file as a unified diff; passwords are hidden.</summary>
    public string Diff { get; init; } = "";
}
