namespace KdumpNfs.Readiness;

/// <summary>The names of the checks. Scripts may compare them; they do not change between versions. docs/readiness.md explains each.</summary>
public static class ReadinessCheckNames
{
#pragma warning disable CS1591 // The names are the documentation; docs/readiness.md says when each fails.

    // The host's own kdump.
    public const string Mechanism = nameof(Mechanism);
    public const string Tools = nameof(Tools);
    public const string Configuration = nameof(Configuration);
    public const string ChangesSurviveReboot = nameof(ChangesSurviveReboot);
    public const string MemoryReserved = nameof(MemoryReserved);
    public const string MemoryEnough = nameof(MemoryEnough);
    public const string ServiceActive = nameof(ServiceActive);
    public const string ServiceEnabled = nameof(ServiceEnabled);
    public const string CrashKernelLoaded = nameof(CrashKernelLoaded);
    public const string BootParameters = nameof(BootParameters);

    // The capture image.
    public const string ImageCurrent = nameof(ImageCurrent);
    public const string LoadedImage = nameof(LoadedImage);
    public const string ImageTarget = nameof(ImageTarget);
    public const string ImageNetwork = nameof(ImageNetwork);
    public const string ImageModules = nameof(ImageModules);

    // The target.
    public const string Target = nameof(Target);
    public const string TargetResolves = nameof(TargetResolves);
    public const string ExportMountable = nameof(ExportMountable);
    public const string DumpPathExists = nameof(DumpPathExists);
    public const string DumpPathWritable = nameof(DumpPathWritable);
    public const string SecurityFlavour = nameof(SecurityFlavour);
    public const string FreeSpace = nameof(FreeSpace);
    public const string CoreCollector = nameof(CoreCollector);

    // What could cut a dump, or keep the host from crashing or coming back.
    public const string Fencing = nameof(Fencing);
    public const string Watchdog = nameof(Watchdog);
    public const string AfterDump = nameof(AfterDump);
    public const string Clock = nameof(Clock);
    public const string PanicPolicy = nameof(PanicPolicy);
    public const string Sysrq = nameof(Sysrq);
    public const string NfsMounts = nameof(NfsMounts);

    // The proof.
    public const string LastDrill = nameof(LastDrill);
#pragma warning restore CS1591

    /// <summary>Every name, in the order in which a host's checks come.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Mechanism, Tools, Configuration, ChangesSurviveReboot, MemoryReserved, MemoryEnough, ServiceActive, ServiceEnabled, CrashKernelLoaded, BootParameters,
        ImageCurrent, LoadedImage, ImageTarget, ImageNetwork, ImageModules,
        Target, TargetResolves, ExportMountable, DumpPathExists, DumpPathWritable, SecurityFlavour, FreeSpace, CoreCollector,
        Fencing, Watchdog, AfterDump, Clock, PanicPolicy, Sysrq, NfsMounts,
        LastDrill,
    ];
}
