using System.Globalization;

namespace KdumpNfs.Storms;

/// <summary>A host of a storm.</summary>
/// <param name="HostName">Its name.</param>
/// <param name="DumpBytes">Size of its dump, in bytes.</param>
/// <param name="Bandwidth">What it writes of its dump in a second at most, in bytes; null for the storm's own.</param>
public sealed record StormHost(string HostName, long DumpBytes, double? Bandwidth = null)
{
    /// <summary>The most hosts that <see cref="Alike"/> makes.</summary>
    public const int MostAlike = 10_000_000;

    /// <summary>Hosts that differ in nothing but their names: host1, host2 and so on.</summary>
    /// <param name="count">How many.</param>
    /// <param name="dumpBytes">Size of each of their dumps, in bytes.</param>
    public static IEnumerable<StormHost> Alike(int count, long dumpBytes) =>
        Enumerable.Range(1, count).Select(n => new StormHost("host" + n.ToString(CultureInfo.InvariantCulture), dumpBytes));
}

/// <summary>What a storm is simulated from.</summary>
public sealed record StormRequest
{
    /// <summary>What the store takes from all writers together, in bytes a second.</summary>
    public required double StoreBandwidth { get; init; }

    /// <summary>What one host writes at most, in bytes a second; null where only the store limits it.</summary>
    public double? HostBandwidth { get; init; }

    /// <summary>From the crash until the capture kernel writes.</summary>
    public TimeSpan CaptureBootTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From the end of the dump until the host is back.</summary>
    public TimeSpan RestartTime { get; init; } = UsualRestartTime;

    /// <summary>What <see cref="RestartTime"/> is without a better figure: servers spend minutes in their firmware.</summary>
    public static TimeSpan UsualRestartTime { get; } = TimeSpan.FromMinutes(5);

    /// <summary>All hosts crash within this time; zero for all at once.</summary>
    public TimeSpan Within { get; init; }

    /// <summary>So many hosts are down at once, and no more; null for no limit.</summary>
    public int? MaxDown { get; init; }

    /// <summary>Crashes a day of the whole fleet, independent of each other; null where every host crashes once.</summary>
    public double? CrashesPerDay { get; init; }

    /// <summary>How long crashes come, with <see cref="CrashesPerDay"/>; null for 30 days.</summary>
    public TimeSpan? Period { get; init; }

    internal TimeSpan Length => Period ?? TimeSpan.FromDays(30);

    /// <summary>When a dump is removed from the store, from its end; null for never.</summary>
    public TimeSpan? KeepFor { get; init; }

    /// <summary>Free space of the store at the beginning, in bytes; null for enough.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>Chooses the times of crashes; the same seed gives the same storm.</summary>
    public int Seed { get; init; }

    /// <summary>Where figures come from that were measured; said with the result.</summary>
    public string? Source { get; init; }

    /// <summary>Refuses what cannot be simulated.</summary>
    /// <param name="hosts">The fleet.</param>
    /// <exception cref="HostException">InvalidInput.</exception>
    public void Check(IReadOnlyList<StormHost> hosts)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        Refuse(hosts.Count == 0, "There is no host.", "Give hosts with the sizes of their dumps, for instance from Get-VmcoreEstimate.");
        Refuse(!IsBandwidth(StoreBandwidth), "The store's bandwidth is not above zero.", "Give bytes a second, or a number with a unit such as 10Gbit or 900MB.");
        Refuse(HostBandwidth is { } own && !IsBandwidth(own), "The bandwidth of a host is not above zero.", "Give bytes a second, or a number with a unit such as 1Gbit.");
        Refuse(!IsTime(CaptureBootTime) || !IsTime(RestartTime) || !IsTime(Within), "A time is negative or longer than ten years.", "Give a time from zero on.");
        Refuse(MaxDown is < 1, "The limit of hosts that are down is below 1.", "Give at least 1.");
        Refuse(CrashesPerDay is { } rate && !(rate > 0 && rate <= 1e6), "The crashes a day are not between 0 and a million.", "Give the crashes a day of the whole fleet.");
        Refuse(CrashesPerDay is not null && (MaxDown is not null || Within != TimeSpan.Zero), "Crashes a day say when hosts crash; so does a limit of hosts that are down, or a time within which they crash.", "Give one of them.");
        Refuse(MaxDown is not null && Within != TimeSpan.Zero, "With a limit of hosts that are down they are crashed on purpose; within a time they crash by themselves.", "Give one of them.");
        Refuse(CrashesPerDay is null && Period is not null, "The period says how long crashes come, but there is no number of crashes a day.", "Give both, or a time within which each host crashes once.");
        Refuse(CrashesPerDay is not null && (Length <= TimeSpan.Zero || !IsTime(Length)), "The period is not above zero, or longer than ten years.", "Give how long crashes come.");
        Refuse(CrashesPerDay * Length.TotalDays > 1e7, "These are more than ten million crashes.", "Give a shorter period.");
        Refuse(KeepFor is { } keep && !IsTime(keep), "The time for which dumps are kept is negative or longer than ten years.", "Give a time from zero on.");
        Refuse(FreeBytes is < 0, "The free space is negative.", "Give bytes.");
        foreach (var host in hosts)
        {
            Refuse(string.IsNullOrWhiteSpace(host.HostName), "A host has no name.", "Give each host a name.");
            Refuse(host.DumpBytes < 0, $"The dump of {Printable.Escape(host.HostName)} has {host.DumpBytes.ToString(CultureInfo.InvariantCulture)} bytes.", "Give a size from zero on.");
            Refuse(host.Bandwidth is { } cap && !IsBandwidth(cap), $"The bandwidth of {Printable.Escape(host.HostName)} is not above zero.", "Give bytes a second.");
        }
    }

    /// <summary>How crashes come, by what was asked for.</summary>
    public StormPattern Pattern => CrashesPerDay is not null ? StormPattern.Rate : MaxDown is not null ? StormPattern.MaxDown : StormPattern.Together;

    // From a byte to an exabyte a second: nothing else is a bandwidth, and the clock below stays exact enough.
    private static bool IsBandwidth(double value) => value is >= 1 and <= 1e18;

    private static bool IsTime(TimeSpan value) => value >= TimeSpan.Zero && value <= TimeSpan.FromDays(3660);

    private static void Refuse(bool wrong, string what, string remedy)
    {
        if (wrong)
        {
            throw new HostException(ErrorIds.InvalidInput, "", what) { Remedy = remedy };
        }
    }
}

/// <summary>Sizes out of estimates.</summary>
public static class StormEstimates
{
    /// <summary>The size that is asked for, in bytes.</summary>
    /// <param name="low">The low end.</param>
    /// <param name="high">The high end.</param>
    /// <param name="estimate">Which one.</param>
    public static long Choose(long low, long high, StormEstimate estimate) => estimate switch
    {
        StormEstimate.Low => low,
        StormEstimate.Middle => low + ((high - low) / 2),
        _ => high,
    };
}

/// <summary>Which size of an estimate a storm takes.</summary>
public enum StormEstimate
{
    /// <summary>The high end: plan space with it.</summary>
    High,

    /// <summary>Half way between the ends.</summary>
    Middle,

    /// <summary>The low end.</summary>
    Low,
}
