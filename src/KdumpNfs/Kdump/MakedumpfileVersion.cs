using System.Text.RegularExpressions;

namespace KdumpNfs.Kdump;

/// <summary>What <c>makedumpfile -v</c> tells: its version and the compressions that it was built with.</summary>
/// <param name="Version">Such as <c>1.7.2</c>; empty if it did not tell.</param>
/// <param name="Compressions">What really works; a compression that is not built in is silently left out by makedumpfile (exit status 0).</param>
public sealed partial record MakedumpfileVersion(string Version, IReadOnlyList<VmcoreCompression> Compressions)
{
    /// <summary>Reads the output of -v (makedumpfile prints <c>lzo enabled</c> or <c>snappy disabled</c>, a line each; zlib is always there).</summary>
    /// <returns>Null when makedumpfile is not installed.</returns>
    public static MakedumpfileVersion? Parse(string? output)
    {
        if (output is null)
        {
            return null;
        }

        bool Enabled(string name) => Regex.IsMatch(output, $@"^{name}\s+enabled\s*$", RegexOptions.Multiline | RegexOptions.CultureInvariant);
        var compressions = new List<VmcoreCompression> { VmcoreCompression.None, VmcoreCompression.Zlib };
        foreach (var (compression, name) in new[] { (VmcoreCompression.Lzo, "lzo"), (VmcoreCompression.Snappy, "snappy"), (VmcoreCompression.Zstd, "zstd") })
        {
            if (Enabled(name))
            {
                compressions.Add(compression);
            }
        }

        return new MakedumpfileVersion(VersionPattern().Match(output).Groups[1].Value, compressions);
    }

    [GeneratedRegex(@"version\s+([0-9][0-9.]*)", RegexOptions.CultureInvariant)]
    private static partial Regex VersionPattern();
}
