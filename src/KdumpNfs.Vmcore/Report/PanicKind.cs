namespace KdumpNfs.Vmcore.Report;

/// <summary>Why a kernel went down, as far as its log tells.</summary>
public enum PanicKind
{
    /// <summary>The log does not tell.</summary>
    Unknown,

    /// <summary>Somebody asked for it: sysrq c, through /proc/sysrq-trigger or a console.</summary>
    Sysrq,

    /// <summary>The kernel found itself in a state that its authors ruled out (BUG()).</summary>
    Bug,

    /// <summary>A fault in kernel code of a kind not listed here.</summary>
    Oops,

    /// <summary>An access through a null pointer.</summary>
    NullDereference,

    /// <summary>An access to an address that is not mapped.</summary>
    PageFault,

    /// <summary>A general protection fault; often an address that no memory can have, so a pointer was overwritten.</summary>
    GeneralProtection,

    /// <summary>A division by zero.</summary>
    DivideError,

    /// <summary>An instruction that the processor does not know.</summary>
    InvalidOpcode,

    /// <summary>A fault while a fault was handled; often the stack ran over.</summary>
    DoubleFault,

    /// <summary>A CPU did not schedule for many seconds.</summary>
    SoftLockup,

    /// <summary>A CPU did not even take interrupts.</summary>
    HardLockup,

    /// <summary>A task waited for too long without being able to be interrupted.</summary>
    HungTask,

    /// <summary>No memory was left.</summary>
    OutOfMemory,

    /// <summary>The hardware reported an error of its own.</summary>
    MachineCheck,

    /// <summary>A non-maskable interrupt: a memory or bus error, or somebody pressed the button.</summary>
    Nmi,

    /// <summary>A function's stack was overwritten.</summary>
    StackCorruption,

    /// <summary>A stack ran over.</summary>
    StackOverflow,

    /// <summary>A warning that the configuration turned into a panic (panic_on_warn).</summary>
    Warning,

    /// <summary>A CPU kept RCU from going on.</summary>
    RcuStall,

    /// <summary>The first process ended.</summary>
    InitKilled,

    /// <summary>The system could not boot: no root file system, no init.</summary>
    BootFailure,

    /// <summary>Some other code called panic().</summary>
    Panic,
}
