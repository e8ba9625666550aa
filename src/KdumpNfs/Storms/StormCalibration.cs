using System.Globalization;

namespace KdumpNfs.Storms;

/// <summary>A drill as far as a storm learns from it.</summary>
/// <param name="HostName">The host.</param>
/// <param name="DumpBytes">Size of its dump.</param>
/// <param name="CaptureTime">From the trigger to the whole dump.</param>
/// <param name="Away">From the trigger until the host was back.</param>
public sealed record StormDrill(string HostName, long DumpBytes, TimeSpan CaptureTime, TimeSpan Away);

/// <summary>What drills have shown of hosts: how fast they write, how long they take to come back.</summary>
public sealed class StormCalibration
{
    private readonly Dictionary<string, double> _bandwidths;
    private readonly int _drills;

    private StormCalibration(Dictionary<string, double> bandwidths, double bandwidth, TimeSpan restartTime, int drills)
    {
        _bandwidths = bandwidths;
        HostBandwidth = bandwidth;
        RestartTime = restartTime;
        _drills = drills;
    }

    /// <summary>The median of what the drilled hosts wrote in a second, in bytes: for hosts that had no drill.</summary>
    public double HostBandwidth { get; }

    /// <summary>The median of the times from the end of a dump until its host was back.</summary>
    public TimeSpan RestartTime { get; }

    /// <summary>Where the figures come from, one sentence.</summary>
    public string Source => string.Create(CultureInfo.InvariantCulture, $"Bandwidths of hosts and the time until they are back come from {_drills} drill{(_drills == 1 ? "" : "s")}, in which hosts crashed alone.");

    /// <summary>Learns from drills; of a host that had several, the last one counts.</summary>
    /// <param name="drills">Drills that left a dump and whose host came back.</param>
    /// <param name="captureBootTime">From the crash until the capture kernel writes: what a drill does not show by itself.</param>
    /// <exception cref="HostException">InvalidInput: no drill has what is needed.</exception>
    public static StormCalibration From(IEnumerable<StormDrill> drills, TimeSpan captureBootTime)
    {
        ArgumentNullException.ThrowIfNull(drills);
        Dictionary<string, double> bandwidths = new(StringComparer.OrdinalIgnoreCase);
        List<double> restarts = [];
        foreach (var drill in drills)
        {
            if (drill.DumpBytes <= 0 || drill.Away < drill.CaptureTime || drill.CaptureTime <= TimeSpan.Zero)
            {
                continue;
            }

            if (drill.CaptureTime <= captureBootTime)
            {
                throw new HostException(ErrorIds.InvalidInput, drill.HostName, string.Create(CultureInfo.InvariantCulture,
                    $"Its dump was whole {drill.CaptureTime.TotalSeconds:0.#} s after the crash, but the capture kernel is said to write only after {captureBootTime.TotalSeconds:0.#} s."))
                {
                    Remedy = "Give a shorter time until the capture kernel writes (-CaptureBootTime).",
                };
            }

            bandwidths[drill.HostName] = drill.DumpBytes / (drill.CaptureTime - captureBootTime).TotalSeconds;
            restarts.Add((drill.Away - drill.CaptureTime).TotalSeconds);
        }

        if (bandwidths.Count == 0)
        {
            throw new HostException(ErrorIds.InvalidInput, "", "No drill has both a whole dump and a host that came back.")
            {
                Remedy = "Give results of Invoke-KdumpDrill with the verdict Proven, or the bandwidth and times themselves.",
            };
        }

        return new StormCalibration(bandwidths, Median(bandwidths.Values), TimeSpan.FromSeconds(Median(restarts)), restarts.Count);
    }

    /// <summary>What the host wrote in a second; null where it had no drill.</summary>
    /// <param name="hostName">The host.</param>
    public double? BandwidthOf(string hostName) => _bandwidths.TryGetValue(hostName, out var known) ? known : null;

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
