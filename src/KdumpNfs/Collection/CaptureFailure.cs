using System.Text.RegularExpressions;

namespace KdumpNfs.Collection;

/// <summary>Finds in what a capture kernel left why there is no complete dump.</summary>
internal static partial class CaptureFailure
{
    private const int MaximumLength = 300;

    /// <summary>The most telling line of kexec-dmesg.log: what went wrong rather than that it did; null when it has none.</summary>
    public static string? FromLog(string? log)
    {
        var lines = (log ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(l => !Noise().IsMatch(l)).ToList();
        var telling = lines.LastOrDefault(l => Cause().IsMatch(l)) ?? lines.LastOrDefault(l => Failure().IsMatch(l)) ?? lines.LastOrDefault();
        return telling is null ? null : Printable.Escape(telling.Length > MaximumLength ? telling[..MaximumLength] : telling);
    }

    /// <summary>What SUSE's README.txt says of the vmcore, where it says that it was not saved; null otherwise.</summary>
    /// <remarks>Source: openSUSE kdump's kdump-save ("vmcore status: saved successfully", "error while saving, return code: N", "skipped", "deleted (…)").</remarks>
    public static string? FromReadme(string? readme) =>
        ReadmeStatus().Match(readme ?? "") is { Success: true } match && !match.Groups["status"].Value.StartsWith("saved", StringComparison.Ordinal)
            ? $"README.txt says: vmcore status: {Printable.Escape(match.Groups["status"].Value.Trim())}" : null;

    /// <summary>Whether SUSE's README.txt is the final one: the capture is over.</summary>
    public static bool IsFinalReadme(string? readme) => ReadmeStatus().IsMatch(readme ?? "");

    // Lines of captures that succeed; vmcores.sh leaves the same ones out.
    [GeneratedRegex(@"unable to calibrate|kernel read-only data|timeout[ =:]+[0-9]|_timeo?u?t|heartbeat|failed to load plugin|failed to open .*/ifstate|correctable errors collector", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Noise();

    [GeneratedRegex(@"no space left|out of memory|oom-kill|killed process|no route|unreachable|refused|denied|timed out|read-only file|stale file|mount\.nfs|can't (write|open|allocate)|cannot allocate", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Cause();

    [GeneratedRegex(@"(saving|sync|moving) vmcore failed|makedumpfile failed|failed to (mount|dump)|\bkdump[.\w-]*(\[\d+\])?: .*(fail|error)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Failure();

    [GeneratedRegex(@"^\s*vmcore status: (?<status>.{1,200})$", RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ReadmeStatus();
}
