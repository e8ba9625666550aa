namespace KdumpNfs.Crash;

/// <summary>kernel.sysrq as it is raised for one crash over a console, for the running boot only.</summary>
/// <param name="Before">The mask that is in force.</param>
/// <param name="Raised">The mask that lets the crash key through as well.</param>
public sealed record SysrqRaise(int Before, int Raised)
{
    /// <summary>The smallest change that lets the crash key through.</summary>
    public static SysrqRaise From(int mask) => new(mask, mask | SysrqKeys.DumpMask);
}
