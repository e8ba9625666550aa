namespace KdumpNfs.Vmcore.Report;

/// <summary>Where a CPU was when the machine went down.</summary>
/// <param name="Cpu">Its place among the dump's notes; the CPU's number on machines whose CPUs are all online.</param>
/// <param name="TaskPid">Process id of its task; 0 for idle.</param>
/// <param name="Instruction">Address of its instruction.</param>
/// <param name="Symbol">The function there; null where the dump does not tell, and for user space.</param>
/// <param name="UserSpace">The CPU was in user space.</param>
public sealed record CpuPosition(int Cpu, int TaskPid, ulong Instruction, string? Symbol, bool UserSpace)
{
    /// <summary>One line.</summary>
    public override string ToString() => $"CPU {Cpu}: {(UserSpace ? "user space" : Symbol ?? Instruction.ToString("x16", System.Globalization.CultureInfo.InvariantCulture))} (pid {TaskPid})";
}

/// <summary>What happened, straight from a dump or from a saved kernel log.</summary>
public sealed record VmcoreReport
{
    /// <summary>The storage server that the dump lies on; null for a file of this machine.</summary>
    public string? StoreHost { get; init; }

    /// <summary>Path of the dump or of the log.</summary>
    public required string Path { get; init; }

    /// <summary>Format of the dump; Unknown for a saved log.</summary>
    public VmcoreFormat Format { get; init; }

    /// <summary>Host name of the machine that crashed.</summary>
    public string? CrashedHost { get; init; }

    /// <summary>Model of the machine, with its firmware, as the kernel says.</summary>
    public string? MachineModel { get; init; }

    /// <summary>Architecture, "x86_64".</summary>
    public string? Machine { get; init; }

    /// <summary>Kernel release.</summary>
    public string? Release { get; init; }

    /// <summary>Kernel build (<c>uname -v</c>).</summary>
    public string? KernelVersion { get; init; }

    /// <summary>Build id of the kernel's image.</summary>
    public string? BuildId { get; init; }

    /// <summary>When it crashed, by its own clock, to the second.</summary>
    public DateTimeOffset? CrashTime { get; init; }

    /// <summary>How long it had been up.</summary>
    public TimeSpan? Uptime { get; init; }

    /// <summary>CPUs whose state the dump has.</summary>
    public int? CpuCount { get; init; }

    /// <summary>The CPU that panicked.</summary>
    public int? PanicCpu { get; init; }

    /// <summary>Name of its task.</summary>
    public string? TaskName { get; init; }

    /// <summary>Process id of its task.</summary>
    public int? TaskPid { get; init; }

    /// <summary>Taint letters; empty when the kernel was not tainted.</summary>
    public string? Taint { get; init; }

    /// <summary>The taint letters spelled out.</summary>
    public IReadOnlyList<TaintFlag> TaintFlags { get; init; } = [];

    /// <summary>Why it went down.</summary>
    public PanicKind Kind { get; init; }

    /// <summary>The kernel's own words.</summary>
    public string? Reason { get; init; }

    /// <summary>The function in which it happened.</summary>
    public string? FaultingFunction { get; init; }

    /// <summary>The module of that function; null for the kernel itself.</summary>
    public string? FaultingModule { get; init; }

    /// <summary>Equal for equal faults; see <see cref="PanicSignature"/>. Null where the log does not tell what happened.</summary>
    public string? Signature { get; init; }

    /// <summary>The call trace, innermost first; frames that are not reliable are marked.</summary>
    public IReadOnlyList<CallTraceFrame> CallTrace { get; init; } = [];

    /// <summary>Where each CPU was.</summary>
    public IReadOnlyList<CpuPosition> CpuPosition { get; init; } = [];

    /// <summary>Loaded modules.</summary>
    public IReadOnlyList<string> Module { get; init; } = [];

    /// <summary>The last lines of the kernel's log.</summary>
    public IReadOnlyList<string> LogTail { get; init; } = [];

    /// <summary>The package with the debug symbols of this kernel; null where the distribution is not known.</summary>
    public string? DebugPackage { get; init; }

    /// <summary>How to open the dump with crash(8).</summary>
    public string? CrashCommand { get; init; }

    /// <summary>How to open the dump with drgn.</summary>
    public string? DrgnCommand { get; init; }

    /// <summary>What could not be read, one sentence each; empty when everything was there.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Host and reason.</summary>
    public override string ToString() => $"{CrashedHost ?? Path}: {Reason ?? "the log does not tell why"}";
}
