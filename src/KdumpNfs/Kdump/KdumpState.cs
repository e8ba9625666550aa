namespace KdumpNfs.Kdump;

/// <summary>How far it is proven that a crash of the host would leave a vmcore.</summary>
public enum KdumpState
{
    /// <summary>The host could not be asked; the object's ErrorId says why.</summary>
    Unknown,

    /// <summary>The host has another dump mechanism, or none that is known here.</summary>
    NotSupported,

    /// <summary>Something is missing; NotReadyReason names all of it.</summary>
    NotReady,

    /// <summary>The host says that everything is in place.</summary>
    Configured,

    /// <summary>The export was mounted and written from the host.</summary>
    Probed,

    /// <summary>A drill's dump was read.</summary>
    Proven,
}

/// <summary>Why a host is not ready; each false condition is its own reason.</summary>
public enum NotReadyReason
{
    /// <summary>The family's kdump tools are not installed.</summary>
    NotInstalled,

    /// <summary>No memory is reserved for the capture kernel (crashkernel=).</summary>
    MemoryNotReserved,

    /// <summary>No crash kernel is loaded.</summary>
    CrashKernelNotLoaded,

    /// <summary>The service that loads it is not active.</summary>
    ServiceNotActive,

    /// <summary>The service is disabled or masked: after the next boot nothing would be loaded.</summary>
    ServiceNotEnabled,

    /// <summary>Debian: USE_KDUMP is not 1.</summary>
    KdumpDisabled,

    /// <summary>There is no configuration file.</summary>
    ConfigurationMissing,

    /// <summary>The family's own tools would refuse the configuration.</summary>
    ConfigurationInvalid,

    /// <summary>No target is configured: dumps go to the local disk.</summary>
    TargetMissing,

    /// <summary>The target is not on the network.</summary>
    TargetNotNetwork,

    /// <summary>The target is another one than was expected.</summary>
    TargetNotExpected,

    /// <summary>There is no capture image.</summary>
    ImageMissing,

    /// <summary>The configuration is newer than the capture image: the image may aim at an older target.</summary>
    ImageOlderThanConfiguration,

    /// <summary>The kernel is newer than the capture image.</summary>
    ImageOlderThanKernel,

    /// <summary>A change was begun and its end is not known.</summary>
    ChangeUnfinished,
}
