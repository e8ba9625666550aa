namespace KdumpNfs.Storms;

/// <summary>What a storm of crashes costs: what Measure-KdumpStorm gives. Sizes are bytes; nothing of it touched a host.</summary>
public sealed record KdumpStorm
{
    /// <summary>Hosts of the fleet that was simulated.</summary>
    public required int HostCount { get; init; }

    /// <summary>How the crashes come.</summary>
    public required StormPattern Pattern { get; init; }

    /// <summary>Crashes that happened.</summary>
    public required int CrashCount { get; init; }

    /// <summary>Crashes whose dump is whole on the store.</summary>
    public required int CapturedCount { get; init; }

    /// <summary>Crashes whose dump did not fit on the store.</summary>
    public required int LostCount { get; init; }

    /// <summary>From the first crash until the last host is back.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>How long half of the crashed hosts were down at most: from the crash until the host is back.</summary>
    public required TimeSpan MedianDown { get; init; }

    /// <summary>How long 95 of 100 crashed hosts were down at most.</summary>
    public required TimeSpan Percentile95Down { get; init; }

    /// <summary>The longest time that a host was down.</summary>
    public required TimeSpan LongestDown { get; init; }

    /// <summary>All times that hosts were down, together.</summary>
    public required TimeSpan TotalDown { get; init; }

    /// <summary>The most hosts that were down at once.</summary>
    public required int PeakDown { get; init; }

    /// <summary>The most hosts that wrote to the store at once.</summary>
    public required int PeakWriting { get; init; }

    /// <summary>How long the store's bandwidth held up dumps; zero where hosts could always write as fast as they can.</summary>
    public required TimeSpan StoreLimited { get; init; }

    /// <summary>The most that lay on the store at once: the space that it needs for this storm.</summary>
    public required long StoreBytes { get; init; }

    /// <summary>Space that the store had at the beginning; null where it was not given and is taken to be enough.</summary>
    public long? FreeBytes { get; init; }

    /// <summary>When the store was full for the first time, from the first crash; null where it never was.</summary>
    public TimeSpan? FullAfter { get; init; }

    /// <summary>What the figures rest on, in sentences: bandwidths, times, where they come from.</summary>
    public required IReadOnlyList<string> Assumptions { get; init; }

    /// <summary>Every crash, in the order they came.</summary>
    public required IReadOnlyList<StormCrash> Crashes { get; init; }

    /// <summary>Crashes and the longest time down.</summary>
    public override string ToString() => FormattableString.Invariant($"{CrashCount} crashes, longest down {LongestDown:c}");
}

/// <summary>How the crashes of a storm come.</summary>
public enum StormPattern
{
    /// <summary>Every host crashes once, all at the same time or spread over a while.</summary>
    Together,

    /// <summary>Every host is crashed once, so many at a time: drills.</summary>
    MaxDown,

    /// <summary>Hosts crash now and then, independently of each other.</summary>
    Rate,
}

/// <summary>One crash of a storm. Times count from the storm's begin.</summary>
/// <param name="HostName">The host.</param>
/// <param name="CrashedAt">When it crashed.</param>
/// <param name="WritesAt">When its capture kernel began to write the dump.</param>
/// <param name="WrittenAt">When it was done with that, or the store was full.</param>
/// <param name="BackAt">When the host was back.</param>
/// <param name="Bytes">What it wrote.</param>
/// <param name="Captured">Whether that is the whole dump.</param>
public sealed record StormCrash(string HostName, TimeSpan CrashedAt, TimeSpan WritesAt, TimeSpan WrittenAt, TimeSpan BackAt, long Bytes, bool Captured)
{
    /// <summary>How long the host was down.</summary>
    public TimeSpan Down => BackAt - CrashedAt;
}
