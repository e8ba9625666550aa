using System.Text.Json.Serialization;
using KdumpNfs.Collection;
using KdumpNfs.Crash;
using KdumpNfs.Readiness;
using KdumpNfs.Ssh;

namespace KdumpNfs.Drills;

/// <summary>What a line of a drill's journal tells.</summary>
public enum DrillStep
{
    /// <summary>The drill began: its store and its limits.</summary>
    Begun,

    /// <summary>A host belongs to it.</summary>
    Listed,

    /// <summary>The trigger is about to be pulled. On the disk before it is: whoever reads this never pulls it again.</summary>
    Triggering,

    /// <summary>The host fell silent after the trigger.</summary>
    Triggered,

    /// <summary>The whole dump is there.</summary>
    Captured,

    /// <summary>The host is back.</summary>
    Returned,

    /// <summary>The drill of a host is over.</summary>
    Verdict,

    /// <summary>Another controller went on.</summary>
    Resumed,
}

/// <summary>One line of a drill's journal.</summary>
public sealed record DrillEvent
{
    /// <summary>When it was written, by the controller's clock.</summary>
    public DateTimeOffset At { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>What it tells.</summary>
    public required DrillStep Step { get; init; }

    /// <summary>The host it is about.</summary>
    public string? HostName { get; init; }

    /// <summary>Begun: what the drill is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DrillPlan? Plan { get; init; }

    /// <summary>Listed: the way to the host, and its group.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DrillHost? Host { get; init; }

    /// <summary>Triggering: all that is needed to find out how it ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DrillSubject? Subject { get; init; }

    /// <summary>Captured: the dump.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public VmcoreDump? Vmcore { get; init; }

    /// <summary>Verdict: the outcome.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KdumpDrill? Drill { get; init; }
}

/// <summary>A host of a drill.</summary>
/// <param name="Host">The way to it.</param>
/// <param name="Group">Of hosts in one group at most one is down, all controllers on the store together; null for none.</param>
/// <param name="Console">The serial console over which it is crashed; null to crash it over SSH.</param>
public sealed record DrillHost(SshHost Host, string? Group, SerialConsole? Console = null)
{
    /// <summary>The host of an entry.</summary>
    public static DrillHost Of(DrillEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return new DrillHost(entry.Host, entry.Group, entry.Candidate?.Console);
    }
}

/// <summary>A host at the moment before its crash: what a controller has to know to go on with the drill of another one.</summary>
public sealed record DrillSubject
{
    /// <summary>Every name and address by which the store may know the host.</summary>
    public required IReadOnlyList<string> Identities { get; init; }

    /// <summary>Boot that is to be ended.</summary>
    public required string BootId { get; init; }

    /// <summary>Machine id.</summary>
    public string? MachineId { get; init; }

    /// <summary>Running kernel.</summary>
    public string KernelRelease { get => field ?? ""; init; } = "";

    /// <summary>The capture image; null where there is none of its own.</summary>
    public Hosts.CaptureImage? Image { get; init; }

    /// <summary>Where dumps go (<see cref="Kdump.KdumpTarget.Location"/>).</summary>
    public string? Target { get; init; }

    /// <summary>/proc/sys/kernel/sysrq.</summary>
    public int? Sysrq { get; init; }

    /// <summary>Set where kernel.sysrq was about to be raised for the crash: to be put back if the host did not crash.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SysrqRaise? SysrqRaise { get; init; }

    /// <summary>The serial console over which it is crashed; null over SSH.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Console { get; init; }

    /// <summary>Checks of its readiness that failed all the same, or gave a warning.</summary>
    public IReadOnlyList<ReadinessCheck> Checks { get => field ?? []; init; } = [];

    /// <summary>The lease under which it is down, as <see cref="StoreLeases.Lease.Token"/> gives it; null for none.</summary>
    public string? Lease { get; init; }

    /// <summary>What the store had of this host before.</summary>
    public required StoreListing Before { get; init; }

    /// <summary>When the trigger was about to be pulled, by the controller's clock.</summary>
    public DateTimeOffset TriggeredAt { get; init; }
}

/// <summary>What a drill is: what its journal begins with.</summary>
public sealed record DrillPlan
{
    /// <summary>Version of the journal's form.</summary>
    [JsonRequired]
    public int Format { get; init; } = 1;

    /// <summary>Names the drill.</summary>
    public required string Id { get; init; }

    /// <summary>The store, as it is reached from the controller.</summary>
    public required SshHost Store { get; init; }

    /// <summary>The directory of the crash directories on the store.</summary>
    public required string Root { get; init; }

    /// <summary>How many hosts may be down at once, all controllers on this store together.</summary>
    [JsonRequired]
    public int MaxDown { get; init; } = 1;

    /// <summary>The directory of leases on the store; null for none.</summary>
    public string? LeasePath { get; init; }

    /// <summary>How long to wait for a dump.</summary>
    [JsonRequired]
    public TimeSpan CaptureTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a host may be away.</summary>
    [JsonRequired]
    public TimeSpan ReturnTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a host may take until it is ready again.</summary>
    [JsonRequired]
    public TimeSpan RearmTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether kernel.sysrq may be raised, for the running boot, where it would not let the crash key through a console.</summary>
    public bool RaiseSysrq { get; init; }

    /// <summary>How long to listen to a console after the crash key; null until the host is back.</summary>
    public TimeSpan? ConsoleListen { get; init; }

    /// <summary>Sizes of batches (1, 5, 25%); empty for one batch of all.</summary>
    public IReadOnlyList<string> BatchSize { get => field ?? []; init; } = [];

    /// <summary>How many hosts may fail before no further one is crashed.</summary>
    public int MaxFailure { get; init; }

    /// <summary>A plan for a store, with its leases under the dump root.</summary>
    /// <exception cref="HostException">InvalidInput: no absolute path.</exception>
    public static DrillPlan For(SshHost store, string exportPath, string? dumpPath)
    {
        ArgumentNullException.ThrowIfNull(store);
        var root = RemoteVmcores.JoinPath(store.HostName, exportPath, dumpPath);
        return new DrillPlan { Id = Guid.NewGuid().ToString("N")[..12], Store = store, Root = root, LeasePath = $"{root.TrimEnd('/')}/{StoreLeases.DirectoryName}" };
    }

    /// <summary>Checks the limits.</summary>
    /// <exception cref="HostException">InvalidInput.</exception>
    public DrillPlan Validated()
    {
        if (MaxDown < 1)
        {
            throw new HostException(ErrorIds.InvalidInput, "", "With less than one host down nothing would be crashed.") { Remedy = "Give the number of hosts that may be down at once, 1 or more." };
        }

        if (LeasePath is { } path && (path.Length == 0 || path[0] != '/' || path.Any(char.IsControl)))
        {
            throw new HostException(ErrorIds.InvalidInput, "", $"'{Printable.Escape(path)}' is not an absolute path.") { Remedy = "Give the directory of leases as it is on the store." };
        }

        Fleet.BatchPlan.Create(BatchSize, MaxFailure);
        return this;
    }
}
