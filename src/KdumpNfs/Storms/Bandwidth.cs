using System.Globalization;
using System.Text.RegularExpressions;

namespace KdumpNfs.Storms;

/// <summary>Bandwidths as people write them.</summary>
public static partial class Bandwidth
{
    /// <summary>Reads a bandwidth: bytes a second, or a number with a unit. Bits in powers of 1000 as networks are sold (<c>10Gbit</c>, <c>100Mbit/s</c>), bytes in powers of 1024 as
    /// PowerShell's own (<c>110MB</c>, <c>1.5GB/s</c>).</summary>
    /// <param name="text">What was written.</param>
    /// <returns>Bytes a second; null where it is none.</returns>
    public static double? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var match = Form().Match(text.Trim());
        if (!match.Success || !double.TryParse(match.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        var power = match.Groups[2].Value.ToUpperInvariant() switch { "K" => 1, "M" => 2, "G" => 3, "T" => 4, _ => 0 };
        return match.Groups[3].Value.StartsWith("bit", StringComparison.OrdinalIgnoreCase) ? number * Math.Pow(1000, power) / 8 : number * Math.Pow(1024, power);
    }

    /// <summary>A bandwidth for people.</summary>
    /// <param name="bytes">Bytes a second.</param>
    public static string Text(double bytes)
    {
        var (unit, name) = bytes >= 1000 * 1048576.0 ? (1073741824.0, "GiB/s") : bytes >= 1000 * 1024.0 ? (1048576.0, "MiB/s") : (1024.0, "KiB/s");
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / unit:0.#} {name}");
    }

    [GeneratedRegex("^([0-9]+(?:\\.[0-9]+)?) ?([KMGT])?i?(bit|bits|B)?(?:/s)?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
