using System.Text.RegularExpressions;

namespace KdumpNfs.Collection;

/// <summary>What a file in a crash directory is for.</summary>
internal enum CrashFileRole
{
    Other,
    Dump,
    TemporaryDump,
    Dmesg,
    TemporaryDmesg,
    CaptureLog,
    Readme,
}

/// <summary>Roles of file names, for all families: no name means different things in two of them.</summary>
internal static partial class CrashFile
{
    public static CrashFileRole RoleOf(string name) => name switch
    {
        "vmcore" or "vmcore.flat" => CrashFileRole.Dump,
        "vmcore-incomplete" => CrashFileRole.TemporaryDump,
        "vmcore-dmesg.txt" or "dmesg" => CrashFileRole.Dmesg,
        "vmcore-dmesg-incomplete.txt" => CrashFileRole.TemporaryDmesg,
        "kexec-dmesg.log" => CrashFileRole.CaptureLog,
        "README.txt" => CrashFileRole.Readme,
        _ when StampedDump().IsMatch(name) => CrashFileRole.Dump,
        _ when UnfinishedDump().IsMatch(name) => CrashFileRole.TemporaryDump,
        _ when StampedDmesg().IsMatch(name) => CrashFileRole.Dmesg,
        _ => CrashFileRole.Other,
    };

    // Debian: dump.STAMP, or vmcore.STAMP where makedumpfile failed and /proc/vmcore was copied as it is; KDUMP_COMPRESSION adds a suffix.
    [GeneratedRegex(@"^(dump|vmcore)\.\d{12}(\.(gz|xz|lz4|bz2))?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StampedDump();

    [GeneratedRegex(@"^dump-incomplete(\.(gz|xz|lz4|bz2))?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex UnfinishedDump();

    [GeneratedRegex(@"^dmesg\.\d{12}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StampedDmesg();
}
