using KdumpNfs.Hosts;

namespace KdumpNfs.Setup;

/// <summary>What Set-CrashKernelReservation did on a host. Sizes are bytes.</summary>
public sealed record CrashKernelChange
{
    /// <summary>The host as it was asked for.</summary>
    public required string HostName { get; init; }

    /// <summary>False when the next boot was to have it already: no write.</summary>
    public required bool Changed { get; init; }

    /// <summary>The words that every kernel gets from the next boot on; empty for none.</summary>
    public IReadOnlyList<string> CrashKernel { get; init; } = [];

    /// <summary>The words of the default kernel before.</summary>
    public IReadOnlyList<string> Previous { get; init; } = [];

    /// <summary>What they reserve on a host of this memory; null where the kernel decides (auto).</summary>
    public long? ExpectedBytes { get; init; }

    /// <summary>Bytes reserved now, until the next boot.</summary>
    public long? ReservedBytes { get; init; }

    /// <summary>Whether the host has to be rebooted for it. Nothing here reboots it.</summary>
    public bool RebootRequired { get; init; }

    /// <summary>What wrote it: grubby, kdumpctl reset-crashkernel, update-grub…</summary>
    public string Tool { get; init; } = "";

    /// <summary>Copies of the files as they were.</summary>
    public IReadOnlyList<string> Backup { get; init; } = [];

    /// <summary>The change as a unified diff of files, or a line for each entry of the boot loader.</summary>
    public string Diff { get; init; } = "";

    /// <summary>The image tree on that host whose files were changed; null for the host itself.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Machine id; a later cmdlet refuses another machine under the same name.</summary>
    public string? MachineId { get; init; }

    /// <summary>Which tools manage kdump here.</summary>
    public HostFamily Family { get; init; }
}
