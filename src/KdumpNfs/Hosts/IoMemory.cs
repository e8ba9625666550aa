using System.Globalization;

namespace KdumpNfs.Hosts;

/// <summary>Physical memory as /proc/iomem lists it: the host's RAM, and what of it is reserved for the capture kernel. For anybody but root
/// all addresses are zero, and nothing is found.</summary>
internal static class IoMemory
{
    /// <summary>Bytes of System RAM, the reserved regions among them, and these regions (first and last address).</summary>
    public static (long RamBytes, IReadOnlyList<(long Start, long End)> CrashKernel) Parse(string text)
    {
        var (ram, regions) = (0L, new List<(long, long)>());
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([" : "], 2, StringSplitOptions.None);
            var ends = words[0].Trim().Split('-');
            if (words.Length != 2 || ends.Length != 2 || !long.TryParse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var start) ||
                !long.TryParse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var end) || end <= start || start < 0)
            {
                continue;
            }

            if (words[1].Trim() == "Crash kernel")
            {
                regions.Add((start, end));
            }
            else if (words[1].Trim() == "System RAM")
            {
                ram += end - start + 1;
            }
        }

        return (ram, regions);
    }
}
