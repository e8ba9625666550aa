using KdumpNfs.Hosts;

namespace KdumpNfs.Setup;

/// <summary>What Install-Kdump did on a host.</summary>
public sealed record KdumpInstallation
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when all of it was there: no package, no file, no service was touched.</summary>
    public required bool Changed { get; init; }

    /// <summary>The packages that were asked for and came; dependencies came with them.</summary>
    public IReadOnlyList<HostPackage> Installed { get; init; } = [];

    /// <summary>The package manager; empty where none was needed.</summary>
    public string PackageManager { get; init; } = "";

    /// <summary>The service that loads the crash kernel.</summary>
    public string Service { get; init; } = "";

    /// <summary>Whether it starts at boot.</summary>
    public bool Enabled { get; init; }

    /// <summary>Whether a crash kernel is loaded now.</summary>
    public bool Loaded { get; init; }

    /// <summary>Bytes reserved for it now; 0 for none.</summary>
    public long? ReservedBytes { get; init; }

    /// <summary>Whether the host has to be rebooted before a crash kernel can be loaded: nothing is reserved in the running kernel.</summary>
    public bool RebootRequired { get; init; }

    /// <summary>The change of the configuration file as a unified diff; empty where it stayed.</summary>
    public string Diff { get; init; } = "";

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Family of the host.</summary>
    public HostFamily Family { get; init; }
}

/// <summary>What Disable-Kdump did on a host.</summary>
public sealed record KdumpDisabling
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when nothing was enabled, active or loaded.</summary>
    public required bool Changed { get; init; }

    /// <summary>The service that loads the crash kernel.</summary>
    public string Service { get; init; } = "";

    /// <summary>Whether it was to start at boot before.</summary>
    public bool WasEnabled { get; init; }

    /// <summary>Whether a crash kernel was loaded before.</summary>
    public bool WasLoaded { get; init; }

    /// <summary>Bytes that stay reserved until the next boot.</summary>
    public long? ReservedBytes { get; init; }

    /// <summary>What became of the reservation; null where it was to stay.</summary>
    public CrashKernelChange? Reservation { get; init; }

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Family of the host.</summary>
    public HostFamily Family { get; init; }
}

/// <summary>What Update-KdumpInitramfs did on a host.</summary>
public sealed record KdumpInitramfsChange
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>True: the image was built and loaded. A build that fails is an error.</summary>
    public required bool Changed { get; init; }

    /// <summary>The capture image.</summary>
    public string Image { get; init; } = "";

    /// <summary>When it was built, by the host's clock.</summary>
    public DateTimeOffset? ImageTime { get; init; }

    /// <summary>When the one before was built; null where there was none.</summary>
    public DateTimeOffset? PreviousTime { get; init; }

    /// <summary>Its size in bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Family of the host.</summary>
    public HostFamily Family { get; init; }
}
