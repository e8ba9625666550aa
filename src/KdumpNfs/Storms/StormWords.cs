using System.Globalization;

namespace KdumpNfs.Storms;

/// <summary>What a storm's figures rest on, in words.</summary>
internal static class StormWords
{
    /// <summary>One sentence for each thing that was given or taken for granted.</summary>
    public static IReadOnlyList<string> Assumptions(IReadOnlyList<StormHost> hosts, StormRequest request)
    {
        var own = hosts.Count(h => h.Bandwidth is not null);
        // One figure for all of them is no figure of their own.
        var same = own == hosts.Count && hosts.All(h => h.Bandwidth == hosts[0].Bandwidth) ? hosts[0].Bandwidth : null;
        List<string> words =
        [
            $"Together the hosts write at most {Bandwidth.Text(request.StoreBandwidth)} to the store, shared evenly.",
            (own, request.HostBandwidth) switch
            {
                _ when same is { } each => $"One host writes at most {Bandwidth.Text(each)}.",
                (0, null) => "One host alone could write as fast as the store takes it: no bandwidth of hosts was given.",
                (0, { } each) => $"One host writes at most {Bandwidth.Text(each)}.",
                (_, null) => string.Create(CultureInfo.InvariantCulture, $"{own} of {hosts.Count} hosts have a bandwidth of their own; the others could write as fast as the store takes it."),
                (_, { } each) => string.Create(CultureInfo.InvariantCulture, $"{own} of {hosts.Count} hosts have a bandwidth of their own; the others write at most {Bandwidth.Text(each)}."),
            },
            $"A dump begins {Seconds(request.CaptureBootTime)} after the crash; the host is back {Seconds(request.RestartTime)} after its end.",
            request.Pattern switch
            {
                StormPattern.Rate => string.Create(CultureInfo.InvariantCulture, $"The fleet has {request.CrashesPerDay} crashes a day, independent of each other, for {request.Length.TotalDays:0.##} days (seed {request.Seed})."),
                StormPattern.MaxDown => string.Create(CultureInfo.InvariantCulture, $"At most {request.MaxDown} hosts are down at once; waiting for a turn is no time down."),
                _ when request.Within > TimeSpan.Zero => string.Create(CultureInfo.InvariantCulture, $"All hosts crash within {Seconds(request.Within)} (seed {request.Seed})."),
                _ => "All hosts crash at the same moment.",
            },
            request.KeepFor is { } keep ? $"Dumps are removed {Seconds(keep)} after they were written." : "No dump is removed.",
        ];
        if (request.Source is not null)
        {
            words.Add(request.Source);
        }

        return words;
    }

    private static string Seconds(TimeSpan time) => time.TotalHours >= 48 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.##} days")
        : time.TotalMinutes >= 10 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} minutes") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");
}
