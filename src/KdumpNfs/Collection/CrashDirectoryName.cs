using System.Globalization;
using System.Text.RegularExpressions;

namespace KdumpNfs.Collection;

/// <summary>The name of a crash directory, taken apart.</summary>
/// <param name="Family">Whose layout it is.</param>
/// <param name="Host">Address or host name as the capture kernel wrote it; null where the name has none.</param>
/// <param name="LocalTime">Time by the capture kernel's clock, zone unknown (most run in UTC, some in the host's zone).</param>
/// <param name="Utc">Set where the name holds seconds since 1970.</param>
/// <remarks>
/// Sources: kdump-utils' kdump.sh (HOST_IP-DATEDIR with DATEDIR=$(date +%Y-%m-%d-%T); kdump-test-$(date +%s-%N) by kdumpctl test),
/// kdump-tools' kdump-config (define_stampdir: HOST-$(date +%Y%m%d%H%M), without the host for local dumps), openSUSE kdump's
/// kdump-save (HOSTNAME-$(date +%Y-%m-%d-%H-%M), without the host for local dumps).
/// </remarks>
internal sealed partial record CrashDirectoryName(VmcoreFamily Family, string? Host, DateTime? LocalTime, DateTimeOffset? Utc)
{
    /// <summary>Takes a name apart, also as Receive-Vmcore writes it on this machine (<see cref="LocalName"/>); null when it is no crash directory's.</summary>
    public static CrashDirectoryName? Parse(string name) =>
        OnStore(name) ?? (name.Contains('%', StringComparison.Ordinal) && LocalName.Decode(name) is { } original ? OnStore(original) : null);

    private static CrashDirectoryName? OnStore(string name) =>
        Stamped(RedHat().Match(name), VmcoreFamily.RedHat, "yyyy-MM-dd-HH:mm:ss")
            ?? Stamped(Debian().Match(name), VmcoreFamily.Debian, "yyyyMMddHHmm")
            ?? Stamped(Suse().Match(name), VmcoreFamily.Suse, "yyyy-MM-dd-HH-mm")
            ?? Test(RedHatTest().Match(name));

    private static CrashDirectoryName? Stamped(Match match, VmcoreFamily family, string format) =>
        match.Success && DateTime.TryParseExact(match.Groups["time"].Value, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? new CrashDirectoryName(family, match.Groups["host"] is { Success: true, Value: var host } ? host : null, time, null)
            : null;

    private static CrashDirectoryName? Test(Match match) => !match.Success ? null
        : new CrashDirectoryName(VmcoreFamily.RedHat, null, null,
            long.TryParse(match.Groups["seconds"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_402_300_800
                ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null);

    // A host is an IPv4 or IPv6 address (with its zone, perhaps) or a name; anything else is somebody's own directory.
    [GeneratedRegex(@"^(?<host>[A-Za-z0-9_][A-Za-z0-9._:%-]{0,254})-(?<time>\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RedHat();

    [GeneratedRegex(@"^((?<host>[A-Za-z0-9_][A-Za-z0-9._:%-]{0,254})-)?(?<time>\d{12})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Debian();

    [GeneratedRegex(@"^((?<host>[A-Za-z0-9_][A-Za-z0-9._-]{0,254})-)?(?<time>\d{4}-\d\d-\d\d-\d\d-\d\d)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Suse();

    [GeneratedRegex(@"^kdump-test-((?<seconds>\d{1,12})(-\d+)?|[A-Za-z0-9._-]{1,64})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RedHatTest();
}
