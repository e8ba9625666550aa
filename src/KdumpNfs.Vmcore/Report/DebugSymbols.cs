using System.Text.RegularExpressions;

namespace KdumpNfs.Vmcore.Report;

/// <summary>Where a kernel's debug symbols come from, and the commands that open its dump with them.</summary>
/// <param name="Package">Name of the package; null where the distribution is not known.</param>
/// <param name="Vmlinux">Where the package puts the kernel with its symbols; null where that is not known.</param>
/// <remarks>
/// Sources: the distributions' manuals. RHEL and its relatives, Fedora, openEuler, Amazon: kernel-debuginfo-RELEASE. Debian: linux-image-RELEASE-dbg. Ubuntu:
/// linux-image-unsigned-RELEASE-dbgsym (from the ddebs archive). SUSE: kernel-FLAVOUR-debuginfo, whose version has a rebuild number more than the release.
/// </remarks>
public sealed partial record DebugSymbols(string? Package, string? Vmlinux)
{
    /// <summary>Decides from the release and the kernel's banner ("Linux version …") or its build (<c>uname -v</c>).</summary>
    public static DebugSymbols For(string? release, string? build)
    {
        if (release is null || !SafeName().IsMatch(release))
        {
            return new DebugSymbols(null, null);
        }

        var said = build ?? "";
        if (RpmRelease().Match(release) is { Success: true } rpm)
        {
            var variant = Variant().Match(release) is { Success: true } found ? found.Groups["name"].Value : null;
            var plain = variant is null ? release : release[..^(variant.Length + 1)];
            var name = release.Contains("uek", StringComparison.Ordinal) ? "kernel-uek-debuginfo"
                : variant switch { null or "" => "kernel-debuginfo", "rt" => "kernel-rt-debuginfo", "debug" => "kernel-debug-debuginfo", _ => $"kernel-{variant}-debuginfo" };
            return new DebugSymbols($"{name}-{plain}", $"/usr/lib/debug/lib/modules/{release}/vmlinux");
        }

        if (said.Contains("Ubuntu", StringComparison.Ordinal) || UbuntuRelease().IsMatch(release))
        {
            return new DebugSymbols($"linux-image-unsigned-{release}-dbgsym", $"/usr/lib/debug/boot/vmlinux-{release}");
        }

        if (said.Contains("Debian", StringComparison.Ordinal) || DebianRelease().IsMatch(release))
        {
            return new DebugSymbols($"linux-image-{release}-dbg", $"/usr/lib/debug/boot/vmlinux-{release}");
        }

        return SuseRelease().Match(release) is { Success: true } suse
            ? new DebugSymbols($"kernel-{suse.Groups["flavour"].Value}-debuginfo-{suse.Groups["version"].Value}", $"/usr/lib/debug/boot/vmlinux-{release}.debug")
            : new DebugSymbols(null, null);
    }

    /// <summary>The command line of crash(8) for a dump.</summary>
    public string CrashCommand(string dump) => $"crash {Quote(Vmlinux ?? "/path/to/vmlinux")} {Quote(dump)}";

    /// <summary>The command line of drgn for a dump.</summary>
    public string DrgnCommand(string dump) => $"drgn -c {Quote(dump)} -s {Quote(Vmlinux ?? "/path/to/vmlinux")}";

    // Only what a shell takes as it is stays as it is.
    private static string Quote(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+:,@%".Contains(c, StringComparison.Ordinal)) ? text
        : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    [GeneratedRegex(@"^[A-Za-z0-9._+~-]{1,120}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SafeName();

    // 4.18.0-305.el8.x86_64, 6.9.5-200.fc40.x86_64, 5.10.0-60.18.0.50.oe2203.x86_64, 4.19.90-23.8.v2101.ky10.aarch64, 5.10.134-16.al8.x86_64.
    [GeneratedRegex(@"\.(el\d+|fc\d+|oe\d+|an\d+|al\d+|ky\d+|amzn\d+|uel\d+|tl\d+|ocs\d+)[\w.]*(\+\w+)?\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex RpmRelease();

    [GeneratedRegex(@"\+(?<name>\w+)\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Variant();

    [GeneratedRegex(@"-(generic|lowlatency|aws|azure|gcp|oracle|kvm|raspi|generic-64k|lowlatency-64k|generic-lpae|generic-hwe)\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex UbuntuRelease();

    [GeneratedRegex(@"-(cloud-|rt-)?(amd64|arm64|686|686-pae|armmp|ppc64el|s390x|riscv64)\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex DebianRelease();

    [GeneratedRegex(@"^(?<version>\d+\.\d+\.\d+-[\d.]+)-(?<flavour>default|azure|rt|preempt|64kb|kvmsmall|debug|vanilla)\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SuseRelease();
}
